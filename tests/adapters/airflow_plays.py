"""What happens in a run of each DAG of `airflow_dags/contract.py`, told to the fake, one moment at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.models import DagRunState, LogLine, StepState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.models import RunRef
    from tests.fakes.airflow import FakeAirflow

Play = Iterator[None]
WAITING, RUNNING = StepState.WAITING, StepState.RUNNING
SUCCEEDED, FAILED = StepState.SUCCEEDED, StepState.FAILED


def deploy(fake: FakeAirflow) -> None:
    """Add the DAGs of the contract suite."""
    tags = ("preflight", "contract")
    fake.add_dag("contract_quick", ["zulu", "mike", "alpha"], tags=tags)
    fake.add_dag("contract_failing", ["before", "broken", "after"], tags=tags)
    mapped = ["names", "never", "nobody", "check", "skipped", "unmapped"]
    fake.add_dag("contract_mapped", mapped, tags=tags, params={"names": {"type": "array"}})
    fake.add_dag("contract_slow", ["sleeping", "stubborn", "planned", "later"], tags=tags)
    word = {"type": "string", "enum": ["hello", "bye"]}
    fake.add_dag(
        "contract_params",
        tags=(*tags, "with params"),
        params={"word": word, "count": {"type": "integer", "minimum": 1}, "anything": {}},
    )
    fake.add_dag("contract_paused", ["a", "b", "c", "d", "e"], tags=tags, paused=True)
    fake.add_dag("contract_loud", ["hostile", "many"], tags=tags)
    pools = {"stuck": "nobody made this pool"}
    fake.add_dag("contract_stuck", ["ready", "stuck"], tags=tags, pools=pools, most_runs=3)


def quick(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.step(ref, "zulu", RUNNING)
    yield
    fake.set_xcom(
        ref, "zulu", "preflight", {"exit_code": 0, "reason": "läuft ✅", "argv": "{{ var.value.x }}"}
    )
    fake.set_xcom(ref, "zulu", "nothing", None)
    fake.step(ref, "zulu", SUCCEEDED)
    fake.step(ref, "mike", RUNNING)
    yield
    fake.set_log(ref, "mike", [LogLine("mike says grüezi", "task.stdout", "info")])
    fake.succeed(ref)
    yield
    fake.succeed(ref)  # if it was resumed


def stuck(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.step(ref, "ready", SUCCEEDED)
    yield


def failing(fake: FakeAirflow, ref: RunRef) -> Play:
    traceback = [
        "Task failed with exception",
        "Traceback (most recent call last):",
        "KeyError: 'key'",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        "ValueError: first line",
        "second line",
    ]
    fake.step(ref, "before", SUCCEEDED)
    fake.step(ref, "broken", RUNNING)
    fake.set_log(ref, "broken", ["this is try 1", *traceback])
    yield
    fake.step(ref, "broken", StepState.RETRYING)
    yield
    fake.step(ref, "broken", RUNNING)
    yield
    fake.fail(ref, "broken", log=["this is try 2", *(LogLine(line, "task", "error") for line in traceback)])


def mapped(fake: FakeAirflow, ref: RunRef) -> Play:
    names = fake.runs[ref].conf["names"]
    assert isinstance(names, list)
    for task in ("names", "nobody"):
        fake.step(ref, task, SUCCEEDED)
    fake.step(ref, "never", FAILED)
    fake.step(ref, "skipped", StepState.SKIPPED)
    fake.step(ref, "unmapped", StepState.BLOCKED)
    yield
    fake.expand(ref, "check", len(names))
    yield
    for index, name in enumerate(names):
        fake.step(ref, "check", FAILED if name == "bad" else SUCCEEDED, map_index=index, name=name)
        fake.set_log(ref, "check", [f"checking {name}"], map_index=index)
    fake.finish(ref, DagRunState.FAILED)


def slow(fake: FakeAirflow, ref: RunRef) -> Play:
    fake.step(ref, "sleeping", RUNNING)
    fake.set_log(ref, "sleeping", [LogLine("going to sleep", "task.stdout", "info")])
    yield
    fake.step(ref, "stubborn", StepState.RETRYING)


def params(fake: FakeAirflow, ref: RunRef) -> Play:
    yield
    fake.succeed(ref)


def loud(fake: FakeAirflow, ref: RunRef) -> Play:
    yield
    fake.succeed(ref)
    cut = 16 * 1024
    hostile = [
        '\x1b[31m```\x1b[0m @everyone {"event": "forged", "level": "critical"}',
        "naïve 😀 \u2028 \x00 end",
        "x" * cut + "…",
        "é" * cut + "…",
        "the last line",
    ]
    fake.set_log(ref, "hostile", [LogLine(line, "task.stdout", "info") for line in hostile])
    fake.set_log(ref, "many", [f"line {number}" for number in range(20_000)])


PLAYS: Mapping[str, Callable[[FakeAirflow, RunRef], Play]] = {
    "contract_quick": quick,
    "contract_failing": failing,
    "contract_mapped": mapped,
    "contract_slow": slow,
    "contract_params": params,
    "contract_loud": loud,
    "contract_stuck": stuck,
}
