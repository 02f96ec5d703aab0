"""Steps' logs for pages: redacted, bounded, shared by all viewers, few reads from Airflow at once."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import AirflowRefused, AirflowUnavailable
from bot.pages.reads import SharedReads
from bot.pages.steps import has_log
from bot.prose import elide
from bot.report.logs.clean import cleaned

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from bot.models import LogLine, Run, RunRef, Step
    from bot.ports import DagRunReader

    StepKey = tuple[str, int]

AT_ONCE = 4
WAITING = 4  # web threads that may wait for logs at once: half of a process's
PATIENCE = 5.0  # seconds that a page waits for logs, all together
READ_SECONDS = 30.0  # that one read may take, however long the log is
READ_LINES = 200_000
KEPT_LINES = 20_000
KEPT_CHARACTERS = 2_000_000
LINE_WIDTH = 2_000
ROOM = 20_000_000  # characters of logs that a process remembers
LIVE_SECONDS = 2.0  # that a running step's log is good for; longer where reading it took long
FAILED_SECONDS = 5.0
EMPTY_SECONDS = 10.0  # a step's log may come after its end

BUSY = "The log is still being read from Airflow: reload in a moment."
DOWN = "Airflow does not answer right now: these are the lines that were kept."
GONE = "Airflow no longer has this log: these are the lines that were kept."
LONG = "This log is too long to be read whole: what follows its first part is not shown."


@dataclass(frozen=True, slots=True)
class Lines:
    """The last lines of a log; `first` is the number of the first of them, counted from 1."""

    first: int = 1
    texts: Sequence[str] = ()

    @property
    def last(self) -> int:
        """The number of the last line, one less than `first` if there is none."""
        return self.first + len(self.texts) - 1


@dataclass(frozen=True, slots=True)
class Log:
    """A step's log: what it printed itself, and with Airflow's remarks between.

    `missing` says why there is no more of it. Lines that are only an excerpt are not `numbered`. `final`: it
    won't change any more.
    """

    own: Lines = field(default_factory=Lines)
    whole: Lines = field(default_factory=Lines)
    missing: str = ""
    numbered: bool = True
    final: bool = False

    def lines(self, *, remarks: bool = False) -> Lines:
        """The step's own lines; with Airflow's remarks if asked for, or if there is nothing else."""
        return self.whole if remarks or not self.own.texts else self.own


class LogReader:
    """Reads logs for pages, at most `at_once` at once; those of finished steps are remembered."""

    def __init__(self, airflow: DagRunReader, secrets: Sequence[str], *, at_once: int = AT_ONCE) -> None:
        self.airflow = airflow
        self.secrets = tuple(secrets)
        self._reads = SharedReads[Log](at_once=at_once, waiting=WAITING, room=ROOM, size=_size, lasts=_lasts)

    def read(self, run: Run, steps: Sequence[Step], seconds: float = PATIENCE) -> Mapping[StepKey, Log]:
        """Each step's log, or what is known of it, within so many seconds; the first steps are read first."""
        wanted: dict[Hashable, Callable[[], Log]] = {
            (run.id, step.key, step.try_number, step.state.finished): partial(self._read, run.ref, step)
            for step in steps
            if run.ref is not None and has_log(step)
        }
        found = self._reads.get(wanted, seconds)
        logs = {key[1]: log for key, log in found.items() if isinstance(key, tuple)}
        return {step.key: logs.get(step.key) or _kept(step, BUSY if has_log(step) else "") for step in steps}

    def _read(self, ref: RunRef, step: Step) -> Log:
        own, whole = _Kept(), _Kept()
        source = _Source(self.airflow.log(ref, step))
        try:
            for text in cleaned(source, self.secrets):
                shown = elide(text, LINE_WIDTH)
                whole.add(shown)
                if source.own:
                    own.add(shown)
        except AirflowUnavailable:
            return _kept(step, DOWN)
        except AirflowRefused:
            return _kept(step, GONE)
        return Log(own.lines(), whole.lines(), LONG if source.long else "", final=step.state.finished)


class _Source:
    """A log's texts one by one, until it was too long. `own`: the step itself printed the latest."""

    def __init__(self, lines: Iterator[LogLine]) -> None:
        self._lines = lines
        self.own = False
        self.long = False

    def __iter__(self) -> Iterator[str]:
        until = time.monotonic() + READ_SECONDS
        for number, line in enumerate(self._lines):
            if number == READ_LINES or time.monotonic() > until:
                self.long = True
                return
            self.own = line.own
            yield line.text


class _Kept:
    """A log's last lines, as many as there is room for."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._characters = 0
        self._total = 0

    def add(self, text: str) -> None:
        self._texts.append(text)
        self._total += 1
        self._characters += len(text)
        while len(self._texts) > KEPT_LINES or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._texts.popleft())

    def lines(self) -> Lines:
        return Lines(self._total - len(self._texts) + 1, tuple(self._texts))


def _kept(step: Step, missing: str) -> Log:
    """What the worker kept of it."""
    excerpt = Lines(1, step.excerpt or ())
    return Log(excerpt, excerpt, missing, numbered=False)


def _size(log: Log) -> int:
    """Roughly its characters in memory, with what each string takes besides."""
    return sum(len(text) + 60 for text in log.whole.texts) + 100


def _lasts(log: Log, took: float) -> float:
    """For how many seconds it is good."""
    if log.numbered and log.final:
        return math.inf if log.whole.texts else EMPTY_SECONDS
    return max(LIVE_SECONDS, 4 * took) if log.numbered else FAILED_SECONDS
