"""What every Airflow behind our ports does: the real one, and the fake that the other tests use."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    AirflowLoginRefused,
    AirflowRefused,
    AirflowUnavailable,
    DagNotFound,
    DagRunNotFound,
    ParamsRefused,
)
from bot.models import DagRunState, RunRef, Step, StepState
from tests.adapters.airflow_worlds import WORLDS, World, cancel, new_ref, world_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.models import DagRun
    from tests.adapters.airflow_worlds import Airflow

HOSTILE = {
    "jinja": "{{ var.value.x }}",
    "shell": "$(id) `id` ; id",
    "option": "--upload-pack=x",
    "text": "naïve 😀 \u2028 \x1b[31m </script> %s {0}",
    "list": ["{{ conn.x }}", {"": None}, 1, 1.5, True],
}
NAMES = ["good", "bad", "zürich {{ var.value.x }}"]


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return world_of(request)


@pytest.fixture(scope="module")
def runs(world: World) -> Mapping[str, RunRef]:
    """One run of each DAG that ends, begun together."""
    refs = {name: new_ref(f"contract_{name}") for name in ("loud", "failing", "mapped", "quick")}
    for name, ref in refs.items():
        assert world.airflow.trigger(ref, {"names": NAMES} if name == "mapped" else {}, "for all tests")
    return refs


def finished(run: DagRun) -> bool:
    return run.state.finished


def states(steps: Sequence[Step]) -> dict[str, StepState]:
    return {step.name: step.state for step in steps}


def step_of(run: DagRun, task_id: str) -> Step:
    return next(step for step in run.steps if step.task_id == task_id)


class TestDescribingADag:
    def test_it_tells_what_the_dag_declares(self, world: World) -> None:
        dag = world.airflow.dag("contract_params")
        assert dag.id == "contract_params"
        assert dag.tags == {"preflight", "contract", "with params"}
        assert not dag.paused
        assert not dag.import_error
        assert dag.params == {
            "word": {"type": "string", "enum": ["hello", "bye"]},
            "count": {"type": "integer", "minimum": 1},
            "anything": {},
        }

    def test_it_tells_a_paused_dag(self, world: World) -> None:
        assert world.airflow.dag("contract_paused").paused

    @pytest.mark.parametrize(
        "dag_id", ["cheks", "", ".", "..", "~", "a/b", "a b", "ü" * 300, "contract_params?x"]
    )
    def test_an_unknown_dag_is_not_found(self, world: World, dag_id: str) -> None:
        with pytest.raises(DagNotFound, match="not found"):
            world.airflow.dag(dag_id)


class TestTriggering:
    def test_a_second_trigger_is_told_apart_from_the_first(self, world: World) -> None:
        ref = new_ref("contract_paused")
        assert world.airflow.trigger(ref, {"first": True}, "a note")
        assert not world.airflow.trigger(ref, {"first": False}, "a note")
        assert world.airflow.conf(ref) == {"first": True}

    def test_of_many_at_once_one_creates_the_run(self, world: World) -> None:
        ref = new_ref("contract_paused")
        together = threading.Barrier(8)

        def trigger(number: int) -> bool:
            together.wait()
            return world.airflow.trigger(ref, {"number": number}, "")

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(trigger, range(8)))
        assert sorted(created) == [False] * 7 + [True]
        assert world.airflow.conf(ref) == {"number": created.index(True)}

    @pytest.mark.parametrize("conf", [{}, HOSTILE], ids=["empty", "hostile"])
    def test_the_conf_comes_back_as_it_was_sent(self, world: World, conf: Mapping[str, object]) -> None:
        ref = new_ref("contract_paused")
        assert world.airflow.trigger(ref, conf, "")
        assert world.airflow.conf(ref) == conf

    def test_the_order_of_keys_is_lost(self, world: World) -> None:
        ref = new_ref("contract_paused")
        world.airflow.trigger(ref, {"steps": {"zulu": 1, "al": 2, "mike": 3}}, "")
        steps = world.airflow.conf(ref)["steps"]
        assert isinstance(steps, dict)
        assert list(steps) == ["al", "mike", "zulu"]

    def test_any_note_will_do(self, world: World) -> None:
        assert world.airflow.trigger(new_ref("contract_paused"), {}, "ü {{ x }} " * 1000)

    @pytest.mark.parametrize(
        ("conf", "named"),
        [
            ({"word": "boo"}, "word"),
            ({"word": None}, "word"),
            ({"word": "hello", "count": 0}, "count"),
            ({"count": "1"}, "count"),
        ],
        ids=["not in enum", "null", "too small", "wrong type"],
    )
    def test_a_bad_param_is_refused_by_name(
        self, world: World, conf: Mapping[str, object], named: str
    ) -> None:
        ref = new_ref("contract_params")
        with pytest.raises(ParamsRefused, match=f"Invalid input for param {named}: ") as refusal:
            world.airflow.trigger(ref, conf, "")
        assert "\n" not in str(refusal.value)
        assert world.airflow.look([ref]) == {ref: None}

    @pytest.mark.parametrize(
        "value", ["a\0b", "half \ud83d", float("inf"), float("nan")], ids=["nul", "surrogate", "inf", "nan"]
    )
    def test_what_no_database_stores_is_refused(self, world: World, value: object) -> None:
        with pytest.raises(ParamsRefused, match="cannot store"):
            world.airflow.trigger(new_ref("contract_params"), {"anything": {"deep": [value]}}, "")

    def test_an_unknown_dag_is_not_found(self, world: World) -> None:
        with pytest.raises(DagNotFound, match="'cheks' not found"):
            world.airflow.trigger(new_ref("cheks"), {}, "")

    def test_a_run_id_that_airflow_cannot_have_is_refused(self, world: World) -> None:
        with pytest.raises(AirflowRefused):
            world.airflow.trigger(RunRef("contract_paused", "a/b"), {}, "")

    def test_a_trigger_whose_answer_was_lost_is_adopted_the_next_time(self, world: World) -> None:
        ref = new_ref("contract_paused")
        with world.losing_the_answer_to_a_trigger() as airflow, pytest.raises(AirflowUnavailable):
            airflow.trigger(ref, {"run": "ours"}, "")
        assert not world.airflow.trigger(ref, {"run": "ours"}, "")
        assert world.airflow.conf(ref) == {"run": "ours"}

    def test_the_conf_of_a_deleted_run_is_gone(self, world: World) -> None:
        ref = new_ref("contract_paused")
        world.airflow.trigger(ref, {}, "")
        world.delete(ref)
        with pytest.raises(DagRunNotFound):
            world.airflow.conf(ref)


class TestLooking:
    def test_steps_come_in_the_order_of_the_dag(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["quick"], finished)
        assert run.state is DagRunState.SUCCESS
        assert states(run.steps) == dict.fromkeys(["zulu", "mike", "alpha"], StepState.SUCCEEDED)
        assert [step.name for step in run.steps] == ["zulu", "mike", "alpha"]

    def test_times_are_utc_and_in_order(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["quick"], finished)
        times = [run.started_at]
        for step in run.steps:
            assert (step.map_index, step.try_number) == (-1, 1)
            times += [step.started_at, step.ended_at]
        times.append(run.ended_at)
        for earlier, later in itertools.pairwise(times):
            assert earlier is not None
            assert later is not None
            assert earlier <= later
            assert later.utcoffset() == timedelta(0)

    def test_a_failure_blocks_what_follows(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["failing"], finished)
        assert run.state is DagRunState.FAILED
        assert states(run.steps) == {
            "before": StepState.SUCCEEDED,
            "broken": StepState.FAILED,
            "after": StepState.BLOCKED,
        }
        assert [step.try_number for step in run.steps] == [1, 2, 0]
        assert run.steps[2].started_at is None

    def test_a_mapped_task_is_as_many_steps_by_their_own_names(
        self, world: World, runs: Mapping[str, RunRef]
    ) -> None:
        run = world.until(runs["mapped"], finished)
        checks = [step for step in run.steps if step.task_id == "check"]
        assert [step.key for step in checks] == [("check", 0), ("check", 1), ("check", 2)]
        assert states(checks) == dict(
            zip(NAMES, [StepState.SUCCEEDED, StepState.FAILED, StepState.SUCCEEDED], strict=True)
        )

    def test_a_mapped_task_without_anything_to_map_is_one_step(
        self, world: World, runs: Mapping[str, RunRef]
    ) -> None:
        run = world.until(runs["mapped"], finished)
        assert states([step_of(run, "skipped"), step_of(run, "unmapped")]) == {
            "skipped": StepState.SKIPPED,
            "unmapped": StepState.BLOCKED,
        }

    def test_what_was_not_tried_yet_waits_also_if_it_is_mapped(self, world: World) -> None:
        ref = new_ref("contract_slow")
        world.airflow.trigger(ref, {}, "")
        try:
            run = world.until(
                ref,
                lambda run: (
                    {StepState.RUNNING, StepState.RETRYING} <= {s.state for s in run.steps}
                    and step_of(run, "stubborn").state is StepState.RETRYING
                ),
            )
            assert run.state is DagRunState.RUNNING
            assert run.ended_at is None
            assert states(run.steps) == {
                "sleeping": StepState.RUNNING,
                "stubborn": StepState.RETRYING,
                "planned": StepState.WAITING,
                "later": StepState.WAITING,
            }
            assert [step.try_number for step in run.steps] == [1, 1, 0, 0]
            assert step_of(run, "sleeping").ended_at is None
        finally:
            cancel(world, ref)

    def test_a_run_of_a_paused_dag_is_queued(self, world: World) -> None:
        ref = new_ref("contract_paused")
        world.airflow.trigger(ref, {}, "")
        run = world.airflow.look([ref])[ref]
        assert run is not None
        assert run.state is DagRunState.QUEUED
        assert run.started_at is None
        assert states(run.steps) == dict.fromkeys("abcde", StepState.WAITING)

    def test_many_runs_at_once(self, world: World, runs: Mapping[str, RunRef]) -> None:
        world.until(runs["quick"], finished)
        there = [new_ref("contract_paused") for _ in range(25)]
        for ref in there:
            world.airflow.trigger(ref, {}, "")
        gone = [new_ref("contract_paused"), new_ref("cheks")]
        found = world.airflow.look([gone[0], *there, runs["quick"], gone[1]])
        assert [found[ref] for ref in gone] == [None, None]
        quick = found[runs["quick"]]
        assert quick is not None
        assert len(quick.steps) == 3
        for ref in there:
            run = found[ref]
            assert run is not None
            assert [step.task_id for step in run.steps] == [*"abcde"]

    def test_two_dags_may_hold_the_same_run_id(self, world: World) -> None:
        first = new_ref("contract_paused")
        second = RunRef("contract_params", first.dag_run_id)
        third = RunRef("contract_quick", first.dag_run_id)
        world.airflow.trigger(first, {}, "")
        world.airflow.trigger(second, {}, "")
        found = world.airflow.look([second, first, third])
        assert [len(run.steps) if run else None for run in (found[first], found[second])] == [5, 1]
        assert found[third] is None
        assert world.airflow.look([third]) == {third: None}

    def test_a_run_is_not_mistaken_for_one_whose_id_begins_alike(self, world: World) -> None:
        ref = new_ref("contract_paused")
        world.airflow.trigger(RunRef(ref.dag_id, f"{ref.dag_run_id}0"), {}, "")
        assert world.airflow.look([ref]) == {ref: None}

    def test_nothing_asked_nothing_found(self, world: World) -> None:
        assert world.airflow.look([]) == {}

    def test_the_same_run_asked_for_twice(self, world: World) -> None:
        ref = new_ref("contract_paused")
        assert world.airflow.look([ref, ref]) == {ref: None}

    def test_a_deleted_run_is_not_there(self, world: World) -> None:
        ref = new_ref("contract_paused")
        world.airflow.trigger(ref, {}, "")
        world.delete(ref)
        assert world.airflow.look([ref]) == {ref: None}


class TestCancelling:
    def test_what_runs_fails_and_what_waits_is_skipped(self, world: World) -> None:
        ref = new_ref("contract_slow")
        world.airflow.trigger(ref, {}, "")
        world.until(ref, lambda run: step_of(run, "sleeping").state is StepState.RUNNING)
        cancel(world, ref)
        run = world.until(ref, finished)
        assert run.state is DagRunState.FAILED
        assert step_of(run, "sleeping").state is StepState.FAILED
        assert states([step_of(run, "planned"), step_of(run, "later")]) == {
            "planned": StepState.SKIPPED,
            "later": StepState.SKIPPED,
        }

    def test_a_run_that_never_began(self, world: World) -> None:
        ref = new_ref("contract_paused")
        world.airflow.trigger(ref, {}, "")
        cancel(world, ref)
        cancel(world, ref)
        run = world.airflow.look([ref])[ref]
        assert run is not None
        assert run.state is DagRunState.FAILED
        assert set(states(run.steps).values()) == {StepState.SKIPPED}

    def test_a_success_stays_one(self, world: World, runs: Mapping[str, RunRef]) -> None:
        before = world.until(runs["quick"], finished)
        cancel(world, runs["quick"])
        assert world.airflow.look([runs["quick"]])[runs["quick"]] == before

    def test_a_run_that_is_not_there(self, world: World) -> None:
        with pytest.raises(DagRunNotFound):
            world.airflow.cancel(new_ref("contract_quick"))


class TestReadingLogs:
    def test_a_step_that_prints(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["quick"], finished)
        lines = [*world.airflow.log(runs["quick"], step_of(run, "mike"))]
        (said,) = (line for line in lines if line.text == "mike says grüezi")
        assert said.level == "info"
        assert said.logger.startswith("task.stdout")

    def test_the_last_try_and_its_traceback(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["failing"], finished)
        text = [line.text for line in world.airflow.log(runs["failing"], step_of(run, "broken"))]
        assert "this is try 2" in text
        assert "this is try 1" not in text
        cause = text.index("KeyError: 'key'")
        assert text[cause + 1] == "The above exception was the direct cause of the following exception:"
        assert text[text.index("ValueError: first line") + 1] == "second line"

    def test_the_log_of_a_step_of_many(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["mapped"], finished)
        checks = [step for step in run.steps if step.task_id == "check"]
        for step in checks:
            text = [line.text for line in world.airflow.log(runs["mapped"], step)]
            assert [line for line in text if line.startswith("checking")] == [f"checking {step.name}"]

    def test_no_list_of_the_places_where_the_log_was_looked_for(
        self, world: World, runs: Mapping[str, RunRef]
    ) -> None:
        run = world.until(runs["quick"], finished)
        for line in world.airflow.log(runs["quick"], step_of(run, "mike")):
            assert "attempt=1.log" not in line.text
            assert "source details" not in line.text

    def test_hostile_lines_stay_what_they_are(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["loud"], finished)
        lines = [*world.airflow.log(runs["loud"], step_of(run, "hostile"))]
        own = [line for line in lines if line.logger == "task.stdout"]
        assert [line.text for line in own] == [
            '\x1b[31m```\x1b[0m @everyone {"event": "forged", "level": "critical"}',
            "naïve 😀 \u2028 \x00 end",
            "x" * 16384 + "…",
            "é" * 16384 + "…",
            "the last line",
        ]
        assert {line.level for line in own} == {"info"}

    def test_a_long_log_comes_whole_and_in_order(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["loud"], finished)
        lines = world.airflow.log(runs["loud"], step_of(run, "many"))
        own = [line.text for line in lines if line.text.startswith("line ")]
        assert own == [f"line {number}" for number in range(20_000)]

    def test_a_reader_may_stop_at_any_line(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["loud"], finished)
        # More often than there may be calls at once.
        for task_id, text in [("many", "line 10"), *[("hostile", "the last line")] * 9]:
            lines = world.airflow.log(runs["loud"], step_of(run, task_id))
            assert next(line for line in lines if line.text == text)
            lines.close()  # type: ignore[attr-defined] # a generator, as the port's docstring has it

    def test_a_step_that_was_never_tried_has_none(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["failing"], finished)
        assert [*world.airflow.log(runs["failing"], step_of(run, "after"))] == []

    def test_the_log_of_a_step_that_runs(self, world: World) -> None:
        ref = new_ref("contract_slow")
        world.airflow.trigger(ref, {}, "")
        try:

            def sleeps(run: DagRun) -> bool:
                step = step_of(run, "sleeping")
                return step.state is StepState.RUNNING and "going to sleep" in [
                    line.text for line in world.airflow.log(ref, step)
                ]

            world.until(ref, sleeps)
        finally:
            cancel(world, ref)

    def test_a_run_that_is_not_there(self, world: World) -> None:
        step = Step("zulu", -1, "zulu", StepState.FAILED, try_number=1)
        with pytest.raises(DagRunNotFound):
            next(world.airflow.log(new_ref("contract_quick"), step))


class TestReadingXComs:
    def test_what_a_step_handed_on(self, world: World, runs: Mapping[str, RunRef]) -> None:
        run = world.until(runs["quick"], finished)
        value = world.airflow.xcom(runs["quick"], step_of(run, "zulu"), "preflight")
        assert value == {"exit_code": 0, "reason": "läuft ✅", "argv": "{{ var.value.x }}"}

    @pytest.mark.parametrize("key", ["nothing", "never set", "a/b", "{{ x }}"])
    def test_none_where_there_is_nothing(self, world: World, runs: Mapping[str, RunRef], key: str) -> None:
        run = world.until(runs["quick"], finished)
        assert world.airflow.xcom(runs["quick"], step_of(run, "zulu"), key) is None

    def test_none_for_a_run_that_is_not_there(self, world: World) -> None:
        step = Step("zulu", -1, "zulu", StepState.SUCCEEDED, try_number=1)
        assert world.airflow.xcom(new_ref("contract_quick"), step, "preflight") is None


REF = new_ref("contract_quick")
STEP = Step("zulu", -1, "zulu", StepState.FAILED, try_number=1)
CALLS: Mapping[str, Callable[[Airflow], object]] = {
    "dag": lambda airflow: airflow.dag(REF.dag_id),
    "trigger": lambda airflow: airflow.trigger(REF, {}, ""),
    "conf": lambda airflow: airflow.conf(REF),
    "cancel": lambda airflow: airflow.cancel(REF),
    "resume": lambda airflow: airflow.resume(REF, ()),
    "look": lambda airflow: airflow.look([REF]),
    "log": lambda airflow: list(airflow.log(REF, STEP)),
    "xcom": lambda airflow: airflow.xcom(REF, STEP, "preflight"),
}


class TestTrouble:
    @pytest.mark.parametrize("call", CALLS)
    def test_an_airflow_that_does_not_answer(self, world: World, call: str) -> None:
        with pytest.raises(AirflowUnavailable, match="does not answer"):
            CALLS[call](world.unreachable())

    @pytest.mark.parametrize("call", CALLS)
    def test_a_login_that_does_not_work(self, world: World, call: str) -> None:
        with pytest.raises(AirflowLoginRefused, match="does not accept the login") as refusal:
            CALLS[call](world.with_wrong_password())
        assert "not-the-password" not in str(refusal.value)

    def test_a_token_that_is_no_longer_valid_is_renewed(self, world: World) -> None:
        with world.with_a_token_refused() as airflow:
            assert airflow.look([REF]) == {REF: None}
            assert airflow.look([REF]) == {REF: None}
