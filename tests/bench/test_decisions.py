from __future__ import annotations

import json

import pytest

from bot import events
from bot.events.pull_request import PullRequestEvent
from bot.policy.configuration import check_dags, parse
from bot.policy.configuration.globs import path_glob
from bot.policy.decision import DecisionKind, ShowStatus, StartRun
from tests.bench import hostile, monorepo, webhook
from tests.bench.deciding import World, decide, synchronize, written
from tests.bench.decisions import COMPLETE, CUT, Taken, forget_everything


@pytest.fixture(scope="module")
def world() -> World:
    return World(synchronize())


class TestTheMonorepo:
    def test_has_50_pipelines_that_are_all_in_order(self) -> None:
        configuration = parse(monorepo.CONFIGURATION)
        check_dags(configuration, monorepo.DAGS.__getitem__)
        assert len(configuration.pipelines) == 50

    def test_uses_every_kind_of_filter(self) -> None:
        used = {
            key
            for pipeline in parse(monorepo.CONFIGURATION).pipelines.values()
            for key in ("paths", "paths_ignore", "branches", "branches_ignore", "labels", "inputs", "needs")
            if getattr(pipeline, key)
        }
        assert len(used) == 7

    def test_changes_other_files_each_time(self) -> None:
        first, second = (set(monorepo.changed_files(COMPLETE, change)) for change in (1, 2))
        assert len(first) == len(second) == COMPLETE
        assert not first & second


class TestAPush:
    def test_is_delivered_in_24_kb(self, world: World) -> None:
        sent = world.push(COMPLETE)
        assert len(sent.body) == webhook.BYTES
        event = events.parse(sent)
        assert isinstance(event, PullRequestEvent)
        assert (event.action, event.head_sha) == ("synchronize", world.pull.head_sha)

    def test_has_the_fields_of_githubs_own(self, world: World) -> None:
        payload = json.loads(world.body)
        assert written(payload) == world.body
        assert {"head", "base", "_links", "user", "labels", "mergeable_state"} <= payload[
            "pull_request"
        ].keys()

    def test_runs_some_pipelines_and_skips_others(self, world: World) -> None:
        decision = decide(world.push(COMPLETE), world.sources)
        kinds = [type(action) for action in decision.actions]
        assert decision.kind is DecisionKind.RUN
        assert kinds.count(StartRun) > 20
        assert kinds.count(ShowStatus) > 5

    def test_of_too_many_files_skips_nothing_for_them(self, world: World) -> None:
        decision = decide(world.push(CUT, complete=False), world.sources)
        assert {type(action) for action in decision.actions} == {StartRun}


class TestAComment:
    def test_runs_what_it_names(self, world: World) -> None:
        world.push(COMPLETE)
        decision = decide(world.comment("/test unit-api\n\nplease"), world.sources)
        assert [one.name for one in decision.actions if isinstance(one, StartRun)] == ["unit-api"]

    @pytest.mark.parametrize("kind", hostile.COMMENTS)
    def test_that_is_hostile_is_as_long_as_can_be_and_never_the_same(self, kind: str) -> None:
        first, second = (hostile.COMMENTS[kind](number) for number in (0, 1))
        assert len(first) == len(second) == hostile.LONGEST
        assert first != second
        assert "/" in first


def test_a_worker_that_has_just_started_knows_nothing() -> None:
    parse(monorepo.CONFIGURATION)
    assert path_glob.cache_info().currsize
    forget_everything()
    assert not path_glob.cache_info().currsize


def test_time_is_taken_on_the_clock_and_on_the_processor() -> None:
    taken = Taken()
    done: list[str] = []
    for text in ("once", "again"):
        taken.time(done.append, text)
    assert done == ["once", "again"]
    assert len(taken.wall) == len(taken.cpu) == 2
    assert Taken([10.0, 30.0]).per_second == 50
