"""Moves the fake Airflow's runs on as time passes: what a DAG run does follows from the seed.

What decides is the life, the pipeline, how many heads the pull request had before, and how many DAG runs of
that pipeline there were at this head. So the same run passes, fails or hangs in each repetition.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import StepState
from tests.chaos.dice import dice
from tests.chaos.pipelines import DAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bot.models import RunRef
    from tests.bench.quick_hints import Hints
    from tests.fakes.airflow import FakeAirflow

_IDLE_SECONDS = 0.2
_NOISE = ["collected 3 items", "E   assert 1 == 2", "FAILED tests/test_app.py::test_add - assert 1 == 2"]


@dataclass(frozen=True)
class Fate:
    """How a DAG run goes: after `seconds` it passes or fails; one that `hangs` waits until it is let go."""

    seconds: float
    passes: bool
    hangs: bool


@dataclass(frozen=True)
class Place:
    """Whose run it is: the life, and how many heads there were before."""

    life: int
    head: int


def fate(seed: int, place: Place, pipeline: str, number: int, tries: int) -> Fate:
    """What becomes of the `number`th DAG run of a pipeline at a head, at that try."""
    thrown = dice(seed, place.life, pipeline, place.head, number, tries)
    hangs = thrown.random() < 0.25
    slow = thrown.random() < 0.2
    return Fate(
        thrown.uniform(4.0, 12.0) if slow else thrown.uniform(0.1, 2.5), thrown.random() < 0.65, hangs
    )


def newest(refs: Sequence[RunRef]) -> RunRef:
    """Not the last that was created: a worker that stalled before a trigger creates an older one later."""
    return max(refs, key=lambda ref: int(ref.dag_run_id.rpartition("~")[2]))


class Player:
    """Plays all runs from one thread; safe to tell of new ones from others."""

    def __init__(
        self,
        fake: FakeAirflow,
        seed: int,
        place_of: Callable[[Mapping[str, object]], Place | None],
        hints: Hints,
    ) -> None:
        self._fake = fake
        self._seed = seed
        self._place_of = place_of
        self._hints = hints
        self._dice = dice("hints", seed)
        self._waiting: list[tuple[float, int, Iterator[float]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._seen: dict[tuple[Place, str], list[RunRef]] = {}
        self.released: Callable[[Place, Mapping[str, object]], bool] = lambda _, __: False
        """Whether the latest run of that place and conf goes on, if it hangs."""
        self._thread = threading.Thread(target=self._play_all, name="player", daemon=True)
        self._thread.start()

    def begin(self, ref: RunRef) -> None:
        """A run was created, or goes on."""
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + 0.1, next(self._numbers), self._play(ref)))
            self._changed.notify()

    def close(self) -> None:
        """Play no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _play_all(self) -> None:
        while (play := self._next()) is not None:
            pause = next(play, None)
            if pause is not None:
                with self._changed:
                    heapq.heappush(self._waiting, (time.monotonic() + pause, next(self._numbers), play))

    def _next(self) -> Iterator[float] | None:
        with self._changed:
            while not self._closed:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else _IDLE_SECONDS
                if left <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(left)
        return None

    def _play(self, ref: RunRef) -> Iterator[float]:
        """What happens in a run, with the seconds in between."""
        place = None
        while place is None:  # whoever pushed may not know its SHA yet
            place = self._place_of(self._fake.runs[ref].conf)
            if place is None:
                yield 0.1
        fortune = self._fate(ref, place)
        if self._waits(ref, "clone"):
            yield from self._clone(ref)
        for index in self._steps(ref):
            if self._waits(ref, "step", index):
                self._step(ref, index, StepState.RUNNING)
        until = time.monotonic() + fortune.seconds
        while time.monotonic() < until or (fortune.hangs and not self._released(ref, place)):
            yield (
                min(_IDLE_SECONDS, max(0.01, until - time.monotonic()))
                if not fortune.hangs
                else _IDLE_SECONDS
            )
            if self._over(ref):
                return
        self._end(ref, fortune)

    def _released(self, ref: RunRef, place: Place) -> bool:
        """One in whose place there is a newer run should have been stopped: it hangs until it is."""
        conf = self._fake.runs[ref].conf
        return newest(self._seen[place, str(conf["JOB_NAME"])]) == ref and self.released(place, conf)

    def _fate(self, ref: RunRef, place: Place) -> Fate:
        pipeline = str(self._fake.runs[ref].conf["JOB_NAME"])
        seen = self._seen.setdefault((place, pipeline), [])
        if ref not in seen:
            seen.append(ref)
        tries = max((step.try_number for step in self._fake.runs[ref].steps.values()), default=0)
        return fate(self._seed, place, pipeline, seen.index(ref), tries)

    def _clone(self, ref: RunRef) -> Iterator[float]:
        self._step(ref, -1, StepState.RUNNING, "clone")
        yield 0.1
        if self._over(ref):
            return
        self._step(ref, -1, StepState.SUCCEEDED, "clone")
        if ("step", -1) in self._fake.runs[ref].steps:
            steps = self._fake.runs[ref].conf["steps"]
            assert isinstance(steps, dict)
            self._fake.expand(ref, "step", len(steps))

    def _end(self, ref: RunRef, fortune: Fate) -> None:
        """All steps pass, or the last one fails."""
        indices = [index for index in self._steps(ref) if self._is(ref, index, StepState.RUNNING)]
        failing = indices[-1:] if not fortune.passes else []
        for index in indices:
            result = {"exit_code": int(index in failing), "reason": "exit 1" if index in failing else ""}
            self._fake.set_xcom(ref, "step", "preflight", result, map_index=index)
            if index not in failing:
                self._step(ref, index, StepState.SUCCEEDED)
        for index in failing:
            self._fake.fail(ref, "step", map_index=index, log=_NOISE)
        if not failing:
            self._fake.succeed(ref)
        self._hint(ref, "failed" if failing else "success")

    def _step(self, ref: RunRef, index: int, state: StepState, task_id: str = "step") -> None:
        name = f"step-{index + 1}" if index >= 0 else None
        self._fake.step(ref, task_id, state, map_index=index, name=name)
        self._hint(ref, "running" if state is StepState.RUNNING else "success", task_id, index)

    def _hint(self, ref: RunRef, state: str, task_id: str | None = None, index: int = -1) -> None:
        """Our plugin would tell the bot now. One hint in five is lost."""
        if self._dice.random() < 0.2:
            return
        place = {
            "task_id": task_id,
            "map_index": index if task_id else None,
            "try_number": 1 if task_id else None,
        }
        self._hints.plan(time.time(), {"dag_id": DAG, "dag_run_id": ref.dag_run_id, **place, "state": state})

    def _steps(self, ref: RunRef) -> list[int]:
        return sorted(
            index for task_id, index in self._fake.runs[ref].steps if task_id == "step" and index >= 0
        )

    def _waits(self, ref: RunRef, task_id: str, index: int = -1) -> bool:
        return self._fake.runs[ref].steps[task_id, index].state is StepState.WAITING

    def _is(self, ref: RunRef, index: int, state: StepState) -> bool:
        return self._fake.runs[ref].steps["step", index].state is state

    def _over(self, ref: RunRef) -> bool:
        return self._fake.runs[ref].state.finished
