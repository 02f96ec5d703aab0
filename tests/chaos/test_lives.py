from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bot.models import RunRef
from tests.chaos import faults, lives
from tests.chaos.inflicting import KINDS
from tests.chaos.lives import Base, Close, Draft, Label, Life, Open, Push, Reopen, Say
from tests.chaos.pipelines import CONFIGURATIONS, Pipeline
from tests.chaos.player import Place, fate, newest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SEEDS = range(20)


def whats(life: Life) -> Iterator[object]:
    return (act.what for act in life.acts)


def test_the_same_seed_is_the_same_lives() -> None:
    assert lives.plan(30, 7) == lives.plan(30, 7)
    assert lives.plan(30, 7) != lives.plan(30, 8)


def test_one_life_is_the_same_however_many_there_are() -> None:
    assert lives.plan(40, 7)[3].acts == lives.plan(10, 7)[3].acts


def test_homes_are_small_enough_for_githubs_limits() -> None:
    in_home = Counter(life.home for life in lives.plan(205, 7))
    assert max(in_home.values()) <= lives.LIVES_PER_HOME


def test_each_life_begins_once_and_goes_on() -> None:
    for life in lives.plan(200, 7):
        opened = [isinstance(what, Open) for what in whats(life)]
        assert opened[0]
        assert sum(opened) == 1
        assert len(opened) >= 3


def test_only_what_is_possible_happens() -> None:
    """Nobody pushes to what is closed, and nothing becomes what it is already."""
    for life in lives.plan(300, 7):
        is_open, draft, labels = True, False, set[str]()
        for what in whats(life):
            match what:
                case Open():
                    draft = what.draft
                case Close():
                    assert is_open
                    is_open = False
                case Reopen():
                    assert not is_open
                    is_open = True
                case Push() | Base():
                    assert is_open
                case Draft():
                    assert is_open
                    assert what.on is not draft
                    draft = what.on
                case Label():
                    assert (what.name in labels) is not what.on
                    labels ^= {what.name}


def test_everything_happens_among_a_few_hundred() -> None:
    planned = lives.plan(300, 7)
    assert {type(what) for life in planned for what in whats(life)} == {
        Open, Push, Say, Label, Base, Draft, Close, Reopen,
    }  # fmt: skip
    said = {what.command for life in planned for what in whats(life) if isinstance(what, Say)}
    assert said == {"", "test", "retest", "cancel", "ok-to-test", "help", "typo"}
    assert {life.trusted for life in planned} == {True, False}
    assert any(act.calm for life in planned for act in life.acts)


def test_the_same_seed_is_the_same_faults() -> None:
    assert faults.plan(400, 7) == faults.plan(400, 7)
    assert faults.plan(400, 7) != faults.plan(400, 8)


@pytest.mark.parametrize("acts", [5, 60, 1500])
def test_faults_come_while_there_are_acts_to_come(acts: int) -> None:
    for seed in SEEDS:
        planned = faults.plan(acts, seed)
        assert [fault.at for fault in planned] == sorted(fault.at for fault in planned)
        assert all(0 < fault.at <= acts for fault in planned)


def test_every_kind_of_fault_comes_and_can_be_inflicted() -> None:
    assert {fault.kind for fault in faults.plan(3000, 7)} == {*faults.COMMON, *faults.RARE} == {*KINDS}


def test_where_time_is_short_nothing_is_frozen_beyond_its_lease() -> None:
    planned = [fault for seed in SEEDS for fault in faults.plan(500, seed, frozen=False)]
    assert max(fault.amount for fault in planned) < faults.BEYOND_A_LEASE


def test_a_dag_runs_fate_is_the_seeds() -> None:
    fates = [fate(7, Place(life, 0), "unit", 0, 1) for life in range(200)]
    assert fates == [fate(7, Place(life, 0), "unit", 0, 1) for life in range(200)]
    assert {one.passes for one in fates} == {one.hangs for one in fates} == {True, False}


def test_the_newest_run_is_not_the_one_that_was_created_last() -> None:
    first, second, tenth = (RunRef("checks", f"preflight~chaos~app~unit~{number}") for number in (1, 2, 10))
    assert newest([second, tenth, first]) == tenth


@pytest.mark.parametrize(
    ("pipeline", "base", "labels", "files", "applies"),
    [
        pytest.param(Pipeline(), "main", (), ("README.md",), True, id="any"),
        pytest.param(Pipeline(manual=True), "main", (), ("README.md",), False, id="manual"),
        pytest.param(Pipeline(folder="docs"), "main", (), ("docs/a.md",), True, id="its-folder"),
        pytest.param(
            Pipeline(folder="docs"), "main", (), ("docs.md", "src/docs/a"), False, id="another-folder"
        ),
        pytest.param(Pipeline(label="e2e"), "main", ("e2e",), (), True, id="its-label"),
        pytest.param(Pipeline(label="e2e"), "main", ("later",), (), False, id="another-label"),
        pytest.param(Pipeline(branch="main"), "release", (), (), False, id="another-branch"),
    ],
)
def test_which_pipelines_apply(
    pipeline: Pipeline, base: str, labels: Collection[str], files: Collection[str], *, applies: bool
) -> None:
    assert pipeline.applies(base, labels, files) is applies


def test_the_bot_reads_what_the_oracle_knows() -> None:
    from bot.policy.configuration import parse  # noqa: PLC0415 - nothing else here knows of the bot

    for configuration in CONFIGURATIONS:
        read = parse(configuration.written().encode())
        assert list(read.pipelines) == list(configuration.pipelines)
        assert [one.manual for one in read.pipelines.values()] == [
            one.manual for one in configuration.pipelines.values()
        ]
