"""From a delivery's bytes to the decision, in milliseconds, on one thread and by the worker's own code.

The payload has 24 KB, the configuration 50 pipelines, the change 2,999 files, or 3,000, where GitHub cuts its
list. Each push brings a head and files that nobody has seen before; all else that the worker remembers from
one decision to the next it may remember here. How long the first decision of a worker's life takes is among
the details. Beside the time on the clock stands the processor's part of it, for machines that are busy.

The baseline, measured in turns with the decisions, is the least that any bot has to do: read the payload's
JSON and the configuration's YAML, by libyaml and unchecked. Another one matches each pattern with one path
after the other. For hostile comments, it is the Markdown parser alone.
"""

from __future__ import annotations

import fnmatch
import gc
import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml
from markdown_it import MarkdownIt

from bot.policy.configuration import parse
from bot.policy.configuration.globs import path_glob
from bot.policy.decision import DecisionKind
from tests.bench import hostile, monorepo
from tests.bench.deciding import World, decide, synchronize
from tests.bench.figures import Figure, NotMeasured, median, percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.models import Delivery

COMPLETE, CUT = 2_999, 3_000
P99_GOAL, RATE_GOAL = 20.0, 50.0
HOSTILE_GOAL = 2.0
_COLD, _NAIVE, _HOSTILE = 5, 3, 2
_MS = 1000.0
_CPU, _LEAST = "the processor's part", "JSON and YAML read"


@dataclass
class Taken:
    """How long something took, again and again: milliseconds on the clock, and of the processor."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def time(self, work: Callable[..., object], *given: object) -> None:
        """Do it and note how long it took."""
        wall, cpu = time.perf_counter(), time.thread_time()
        work(*given)
        self.cpu.append((time.thread_time() - cpu) * _MS)
        self.wall.append((time.perf_counter() - wall) * _MS)

    @property
    def per_second(self) -> float:
        """How often it could be done in a second."""
        return _MS * len(self.wall) / sum(self.wall)


def figures(*, rounds: int) -> list[Figure]:
    """Decisions on pushes, on a list that was cut, on `/test`, and on comments that are written to hurt.

    Raises:
        NotMeasured: a decision was another one than it must be.
    """
    world = World(synchronize())
    gc.collect()
    gc.freeze()  # as a worker does when it starts
    first = Taken()
    for _ in range(_COLD):
        delivery = world.push(COMPLETE)
        forget_everything()
        first.time(_run, world, delivery)
    pushed, least = _take(world, rounds, lambda _: world.push(COMPLETE))
    cut = _take(world, rounds, lambda _: world.push(CUT, complete=False))
    world.push(COMPLETE)
    asked = _take(world, rounds, lambda number: world.comment(f"/test\n\nFor the {number}th time."))
    name = f"decision on a push, 50 pipelines, {COMPLETE:,} files"
    return [
        Figure(
            f"{name}: rate", pushed.per_second, "/s", RATE_GOAL, {_LEAST: least.per_second}, at_least=True
        ),
        Figure(
            f"{name}, p50",
            percentile(pushed.wall, 0.5),
            "ms",
            P99_GOAL,
            {
                _CPU: percentile(pushed.cpu, 0.5),
                _LEAST: percentile(least.wall, 0.5),
                "path by path": median(_naively().wall),
            },
            details={"first_of_a_worker_ms": {"wall": median(first.wall), "cpu": median(first.cpu)}},
        ),
        _p99(name, pushed, least),
        _p99(f"decision on a push, 50 pipelines, a list cut at {CUT:,} files", *cut),
        _p99(f"decision on `/test`, 50 pipelines, {COMPLETE:,} files", *asked),
        _hostile(world),
    ]


def _take(world: World, rounds: int, happen: Callable[[int], Delivery]) -> tuple[Taken, Taken]:
    """Decide on what happens, again and again, in turns with the least that has to be done."""
    taken, least = Taken(), Taken()
    for number in range(rounds):
        delivery = happen(number)
        taken.time(_run, world, delivery)
        least.time(_read_both, delivery.body)
    return taken, least


def _p99(name: str, taken: Taken, least: Taken) -> Figure:
    return Figure(
        f"{name}, p99",
        percentile(taken.wall, 0.99),
        "ms",
        P99_GOAL,
        {_CPU: percentile(taken.cpu, 0.99), _LEAST: percentile(least.wall, 0.99)},
        details={"p50": percentile(taken.wall, 0.5), "p50_processor": percentile(taken.cpu, 0.5)},
    )


def _hostile(world: World) -> Figure:
    """The slowest kind of comment; the goal is twice what the slowest one for a parser takes it."""
    decided: dict[str, float] = {}
    parsed: dict[str, float] = {}
    for kind, write in hostile.COMMENTS.items():
        ours, bare = Taken(), Taken()
        for number in range(_HOSTILE):
            text = write(number)
            ours.time(decide, world.comment(text), world.sources)
            bare.time(MarkdownIt("commonmark").parse, text)
        decided[kind], parsed[kind] = median(ours.wall), median(bare.wall)
    slowest = max(decided, key=lambda kind: decided[kind])
    return Figure(
        f"decision on {hostile.LONGEST:,} characters of {slowest}",
        decided[slowest],
        "ms",
        HOSTILE_GOAL * max(parsed.values()),
        {"Markdown parser, on its slowest": max(parsed.values())},
        details={"by_kind": decided, "markdown_by_kind": parsed},
    )


def forget_everything() -> None:
    """Empty every cache in the bot's modules, as they are in a worker that has just started."""
    for name, module in list(sys.modules.items()):
        if name.startswith("bot."):
            for value in list(vars(module).values()):
                if type(value) is type(path_glob):
                    value.cache_clear()


def _run(world: World, delivery: Delivery) -> None:
    """Decide on that delivery; the decision must be to run something."""
    decision = decide(delivery, world.sources)
    if decision.kind is not DecisionKind.RUN:
        raise NotMeasured(f"the decision is {decision.kind.value}: {decision.reason}")


def _read_both(body: bytes) -> None:
    json.loads(body)
    yaml.load(monorepo.CONFIGURATION, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe one


def _naively() -> Taken:
    """Match each pattern with one path after another; roughly, since only the time is looked at."""
    taken = Taken()
    pipelines = parse(monorepo.CONFIGURATION).pipelines.values()
    patterns = [one for each in pipelines for one in (*(each.paths or ()), *(each.paths_ignore or ()))]
    for change in range(_NAIVE):
        taken.time(_match_all, patterns, monorepo.changed_files(COMPLETE, change))
    return taken


def _match_all(patterns: Sequence[str], paths: Sequence[str]) -> None:
    for pattern in patterns:
        matches = re.compile(fnmatch.translate(pattern.lstrip("/!"))).match
        sum(1 for path in paths if matches(path))
