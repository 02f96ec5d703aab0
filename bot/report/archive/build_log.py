"""`build-log.txt`: the logs of all steps in one text, redacted, as a stream of bounded length.

Airflow is read one log at a time. Of a log that is too long its beginning and its end are kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bot.errors import AirflowLoginRefused, AirflowRefused, AirflowUnavailable
from bot.models import StepState
from bot.prose import one_line
from bot.report.logs.clean import cleaned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.models import LogLine, Run, RunRef, Step
    from bot.ports import DagRunReader

RUN_BYTES = 50 * 1024 * 1024
STEP_BYTES = 10 * 1024 * 1024
STEP_LINES = 2_000_000
"""Lines of a log that are read at all."""

PAUSE = 0.5
"""Seconds between two logs, so that archiving never keeps Airflow busy."""

_BLOCK = 32 * 1024
_NO_LOG = frozenset({StepState.WAITING, StepState.BLOCKED, StepState.SKIPPED, StepState.REMOVED})
_CHECK_EVERY = 1000  # lines

GONE = "[Airflow no longer has this log: these are the lines that were kept]"
DOWN = "[Airflow did not hand out this log: these are the lines that were kept]"
LATE = "[reading took too long: what follows was left out]"
LONG = "[what follows was left out: the log is too long]"


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where logs come from, and how they are read.

    `patient`: an Airflow that does not answer is asked again later (AirflowUnavailable and
    AirflowLoginRefused are raised), instead of leaving its logs out. `late` says whether time is up.
    """

    reader: DagRunReader
    secrets: Sequence[str]
    pause: Callable[[float], None]
    patient: bool
    late: Callable[[], bool]

    def lines(self, ref: RunRef, step: Step) -> Iterator[str]:
        """What the step printed; of one that left no word of its own, Airflow's remarks, too."""
        if step.try_number < 1 or step.state in _NO_LOG:
            return
        if self.late():
            yield LATE
            return
        self.pause(PAUSE)
        try:
            yield from self._read(self.reader.log(ref, step), own=_says_why(step))
        except (AirflowUnavailable, AirflowLoginRefused):
            if self.patient:
                raise
            yield from (DOWN, *(step.excerpt or ()))
        except AirflowRefused:
            yield from (GONE, *(step.excerpt or ()))

    def _read(self, log: Iterator[LogLine], *, own: bool) -> Iterator[str]:
        texts = (line.text for line in islice(log, STEP_LINES) if line.own or not own)
        for number, line in enumerate(cleaned(texts, self.secrets), 1):
            yield line
            if number % _CHECK_EVERY == 0 and self.late():
                yield LATE
                return
        if next(log, None) is not None:
            yield LONG


def build_log(run: Run, source: LogSource) -> Iterator[bytes]:
    """The text, in pieces. The run's own words are redacted already (redacted_run).

    No log takes more than its share of the room, and what short ones leave is the others'.
    """
    yield _text(_title(run))
    room = RUN_BYTES
    for position, step in enumerate(run.steps):
        yield _text("", _heading(step))
        if run.ref is not None:
            most = min(STEP_BYTES, room // (len(run.steps) - position))
            for piece in bounded(map(_text, source.lines(run.ref, step)), most):
                room -= len(piece)
                yield piece


def bounded(lines: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The lines in pieces of about `most` bytes together; what is left out of their middle is counted."""
    rest = iter(lines)
    head = most // 4
    for line in rest:
        head -= len(line)
        if head < 0:
            yield from _end(line, rest, most - most // 4)
            return
        yield line


def _end(first: bytes, rest: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The last lines, kept in blocks: a block costs memory for its bytes, a short line for much more."""
    blocks: deque[bytearray] = deque([bytearray(first)])
    size, dropped_lines, dropped_bytes = len(first), 0, 0
    for line in rest:
        if len(blocks[-1]) >= _BLOCK:
            blocks.append(bytearray())
        blocks[-1] += line
        size += len(line)
        while size > most and len(blocks) > 1:
            dropped = blocks.popleft()
            size -= len(dropped)
            dropped_bytes += len(dropped)
            dropped_lines += dropped.count(b"\n")
    if dropped_lines:
        yield _text(f"⋯ {dropped_lines:,} lines ({dropped_bytes / 1024 / 1024:,.1f} MiB) were left out ⋯")
    yield from map(bytes, blocks)


def _says_why(step: Step) -> bool:
    """Whether the step's own word explains its end: then Airflow's remarks are only about itself."""
    return step.result is not None and (step.result.exit_code is not None or bool(step.result.reason))


def _title(run: Run) -> str:
    outcome = "unfinished" if run.outcome is None else run.outcome.value.replace("_", " ")
    where = f"{run.repository.full_name}#{run.number}" if run.number > 0 else run.repository.full_name
    reason = one_line(run.reason)
    return f"{run.pipeline} of {where} at {run.head_sha}: {outcome}{reason and f': {reason}'}"


def _heading(step: Step) -> str:
    parts = [one_line(step.name), step.state.value]
    if step.result is not None and step.result.reason:
        parts.append(one_line(step.result.reason))
    if step.try_number > 1:
        parts.append(f"try {step.try_number}")
    if step.started_at is not None:
        ended = "" if step.ended_at is None else f" to {_moment(step.ended_at)}"
        parts.append(f"from {_moment(step.started_at)}{ended}")
    return f"=== {' · '.join(parts)} ==="


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")


def _text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
