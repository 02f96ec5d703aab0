"""What happens in a run of each DAG of `airflow_dags/resuming.py`, told to the fake.

First how it ends; then, once it was resumed, how what runs again passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.models import DagRunState, StepState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.models import RunRef
    from tests.fakes.airflow import FakeAirflow

Play = Iterator[None]
RUNNING, SKIPPED = StepState.RUNNING, StepState.SKIPPED
SUCCEEDED, FAILED = StepState.SUCCEEDED, StepState.FAILED


def deploy(fake: FakeAirflow) -> None:
    """Add the DAGs, with what Airflow finds out by itself: what runs again with what, what a branch skips."""
    fake.add_dag("resume_linear", ["first", "flaky", "next", "last"])
    fake.add_dag("resume_mapped", ["names", "check", "report"])
    fake.add_dag("resume_unmapped", ["flaky_names", "one_of"])
    fake.add_dag(
        "resume_scoped",
        ["apart", "outer", "beside", "inner", "flaky", "end_inner", "judge", "end_outer"],
        together={"flaky": ["outer", "inner", "end_inner", "end_outer", "judge"]},
        following={
            "outer": ["inner", "beside"],
            "inner": ["flaky"],
            "flaky": ["end_inner", "judge"],
            "end_inner": ["end_outer"],
            "beside": ["end_outer", "judge"],
        },
    )
    fake.add_dag("resume_teardown", ["begin", "work", "end"], teardowns=["end"])
    fake.add_dag("resume_setup", ["begin", "work", "end"], teardowns=["end"])
    fake.add_dag(
        "resume_branch",
        [
            *("choose", "excused", "flaky", "gate", "excused_end"),
            *("gated", "last", "left", "right", "gated_end", "join"),
        ],
        passed_over=["excused", "gated", "gated_end", "right"],
        following={
            "choose": ["left", "right"],
            "left": ["join"],
            "right": ["join"],
            "gate": ["gated"],
            "gated": ["gated_end"],
            "excused": ["excused_end"],
            "flaky": ["last"],
        },
    )
    fake.add_dag(
        "resume_stopped",
        ["begin", "names", "part", "after", "end"],
        together={"part": ["begin", "end"]},
        teardowns=["end"],
        following={
            "begin": ["names", "part", "after", "end"],
            "names": ["part"],
            "part": ["after"],
            "after": ["end"],
        },
    )
    fake.add_dag("resume_group", ["names", "pair.opening", "pair.closing"])
    fake.add_dag("resume_timed_out", ["first", "slow", "last"])


def passes(fake: FakeAirflow, ref: RunRef, *tasks: str) -> None:
    for task in tasks:
        fake.step(ref, task, SUCCEEDED)


def expands(fake: FakeAirflow, ref: RunRef, task: str, states: list[StepState]) -> None:
    fake.expand(ref, task, len(states))
    for index, state in enumerate(states):
        fake.step(ref, task, state, map_index=index)
        if state is SUCCEEDED:
            fake.set_xcom(ref, task, "preflight", {"exit_code": 0}, map_index=index)


def linear(fake: FakeAirflow, ref: RunRef) -> Play:
    passes(fake, ref, "first")
    fake.fail(ref, "flaky")
    yield
    fake.step(ref, "flaky", RUNNING)
    yield
    fake.succeed(ref)


def mapped(fake: FakeAirflow, ref: RunRef) -> Play:
    passes(fake, ref, "names")
    expands(fake, ref, "check", [SUCCEEDED, StepState.WAITING, SUCCEEDED])
    fake.fail(ref, "check", map_index=1)
    yield
    fake.succeed(ref)


def unmapped(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.fail(ref, "flaky_names")
    yield
    passes(fake, ref, "flaky_names")
    fake.expand(ref, "one_of", 2)
    fake.succeed(ref)


def scoped(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.step(ref, "flaky", FAILED)
    fake.succeed(ref)  # as Airflow has it, where a leaf runs always
    yield
    fake.succeed(ref)


def teardown(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.step(ref, "end", FAILED)
    fake.succeed(ref)
    yield
    fake.succeed(ref)


def setup(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.fail(ref, "begin")
    yield
    fake.succeed(ref)


def branch(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.step(ref, "excused", RUNNING)
    for task in ("excused", "right", "gated", "gated_end"):
        fake.step(ref, task, SKIPPED)
    passes(fake, ref, "choose", "left", "join", "gate", "excused_end")
    fake.set_xcom(ref, "choose", "skipmixin_key", {"followed": ["left"]})
    fake.set_xcom(ref, "gate", "skipmixin_key", {"skipped": ["gated", "gated_end"]})
    fake.fail(ref, "flaky")
    yield
    fake.succeed(ref)


def stopped(fake: FakeAirflow, ref: RunRef) -> Play:
    passes(fake, ref, "begin", "names")
    expands(fake, ref, "part", [SUCCEEDED, RUNNING, SUCCEEDED])
    yield
    passes(fake, ref, "end")  # a teardown runs after a cancel, and then Airflow calls the run a success
    fake.finish(ref, DagRunState.SUCCESS)
    yield
    fake.succeed(ref)


def group(fake: FakeAirflow, ref: RunRef) -> Play:
    passes(fake, ref, "names")
    expands(fake, ref, "pair.opening", [SUCCEEDED] * 3)
    expands(fake, ref, "pair.closing", [SUCCEEDED, RUNNING, SUCCEEDED])
    yield
    fake.succeed(ref)


def timed_out(fake: FakeAirflow, ref: RunRef) -> Play:
    passes(fake, ref, "first")
    fake.step(ref, "slow", RUNNING)
    for task in ("slow", "last"):
        fake.step(ref, task, SKIPPED)
    fake.finish(ref, DagRunState.FAILED)
    yield
    fake.succeed(ref)


PLAYS: Mapping[str, Callable[[FakeAirflow, RunRef], Play]] = {
    "resume_linear": linear,
    "resume_mapped": mapped,
    "resume_unmapped": unmapped,
    "resume_scoped": scoped,
    "resume_teardown": teardown,
    "resume_setup": setup,
    "resume_branch": branch,
    "resume_stopped": stopped,
    "resume_group": group,
    "resume_timed_out": timed_out,
}
