"""Which pipelines apply: branches, paths, labels, drafts; and that required checks never block."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.payloads import Json, label, merge_group, pull, pull_request, push
from tests.acceptance.simulator import Outcome, commented, happened


def configured(**pipelines: dict[str, Any]) -> str:
    """A configuration of these pipelines."""
    return yaml.safe_dump(
        {"pipelines": {name: {"dag": "checks", **rest} for name, rest in pipelines.items()}}
    )


def opened(keys: dict[str, Any], files: list[str], **more: object) -> Outcome:
    """What opening a pull request that changes these files does with the pipeline `p`."""
    fields: Json = {"changed_files": len(files)} | more
    of = pull(**fields)
    return happened(pull_request("opened", of), configuration=configured(p=keys), changed_files=files)


if TYPE_CHECKING:
    from random import Random

Runs = frozenset[str]
MATCHES: Runs = frozenset({"p"})
MISSES: Runs = frozenset()

PATHS: dict[str, tuple[dict[str, list[str]], list[str], Runs]] = {
    "a folder": ({"paths": ["docs/**"]}, ["docs/a.md"], MATCHES),
    "a folder, deep": ({"paths": ["docs/**"]}, ["docs/a/b/c.md"], MATCHES),
    "a folder by its name": ({"paths": ["docs/"]}, ["docs/a/b.md"], MATCHES),
    "a folder by its name, without a slash": ({"paths": ["docs"]}, ["docs/a/b.md"], MATCHES),
    "a folder by its name, anywhere": ({"paths": ["docs/"]}, ["src/docs/b.md"], MATCHES),
    "a folder at the root only": ({"paths": ["/docs/"]}, ["src/docs/b.md"], MISSES),
    "a folder that only begins so": ({"paths": ["docs/**"]}, ["docs-old/a.md"], MISSES),
    "an ending, anywhere": ({"paths": ["*.py"]}, ["src/deep/app.py"], MATCHES),
    "an ending, at the root only": ({"paths": ["/*.py"]}, ["src/app.py"], MISSES),
    "an ending in a folder": ({"paths": ["src/*.py"]}, ["src/app.py"], MATCHES),
    "a star that stops at a slash": ({"paths": ["src/*.py"]}, ["src/deep/app.py"], MISSES),
    "two stars in the middle": ({"paths": ["src/**/test_*.py"]}, ["src/a/b/test_x.py"], MATCHES),
    "two stars for nothing": ({"paths": ["src/**/x.py"]}, ["src/x.py"], MATCHES),
    "two stars first": ({"paths": ["**/x.py"]}, ["x.py"], MATCHES),
    "a question mark": ({"paths": ["?.py"]}, ["a.py"], MATCHES),
    "a class": ({"paths": ["[ab].py"]}, ["c.py"], MISSES),
    "an exception": ({"paths": ["docs/**", "!docs/*.png"]}, ["docs/a.png"], MISSES),
    "an exception beside another file": (
        {"paths": ["docs/**", "!docs/*.png"]},
        ["docs/a.png", "docs/b.md"],
        MATCHES,
    ),
    "letter case": ({"paths": ["docs/**"]}, ["Docs/a.md"], MISSES),
    "one of many files": ({"paths": ["docs/**"]}, ["src/a.py", "docs/a.md"], MATCHES),
    "one of many patterns": ({"paths": ["x/**", "docs/**"]}, ["docs/a.md"], MATCHES),
    "a name with a space": ({"paths": ["docs/**"]}, ["docs/a b.md"], MATCHES),
    "a name with a newline": ({"paths": ["docs/**"]}, ["docs/a\nb.md"], MATCHES),
    "a name beyond ASCII": ({"paths": ["docs/**"]}, ["docs/\u00fc\U0001f600.md"], MATCHES),
    "no file at all": ({"paths": ["docs/**"]}, [], MISSES),
    "ignored": ({"paths_ignore": ["docs/**"]}, ["docs/a.md"], MISSES),
    "all ignored": ({"paths_ignore": ["docs/**", "*.md"]}, ["docs/a.md", "README.md"], MISSES),
    "one is not ignored": ({"paths_ignore": ["docs/**"]}, ["docs/a.md", "src/a.py"], MATCHES),
    "none is ignored": ({"paths_ignore": ["docs/**"]}, ["src/a.py"], MATCHES),
    "a rename out of the folder": ({"paths": ["docs/**"]}, ["docs/a.md", "src/a.md"], MATCHES),
    "a rename out of what is ignored": ({"paths_ignore": ["docs/**"]}, ["docs/a.md", "src/a.md"], MATCHES),
}

BRANCHES: dict[str, tuple[dict[str, list[str]], str, Runs]] = {
    "the branch": ({"branches": ["main"]}, "main", MATCHES),
    "another": ({"branches": ["main"]}, "dev", MISSES),
    "one of many": ({"branches": ["main", "dev"]}, "dev", MATCHES),
    "a pattern": ({"branches": ["release/*"]}, "release/1.0", MATCHES),
    "a pattern that does not match": ({"branches": ["release/*"]}, "main", MISSES),
    "a branch that begins so": ({"branches": ["main"]}, "main2", MISSES),
    "two stars": ({"branches": ["release/**"]}, "release/1/0", MATCHES),
    "ignored": ({"branches_ignore": ["wip/*"]}, "wip/x", MISSES),
    "not ignored": ({"branches_ignore": ["wip/*"]}, "main", MATCHES),
}


class TestPaths:
    @pytest.mark.parametrize(("keys", "files", "runs"), PATHS.values(), ids=PATHS)
    def test_select_by_all_changed_files(self, keys: dict[str, Any], files: list[str], runs: Runs) -> None:
        outcome = opened(keys, files)

        assert outcome.runs == runs
        if not runs:
            state, description = outcome.statuses["p"]
            assert state == "success"
            assert description.startswith("skipped: ")

    def test_count_their_files_in_no_order_and_once(self) -> None:
        files = ["docs/a.md", "docs/b.png", "src/c.py"]
        keys = {"paths": ["docs/**", "!docs/*.png"]}

        assert {frozenset(opened(keys, [*order, *order]).runs) for order in permutations(files)} == {
            frozenset({"p"})
        }

    @settings(max_examples=40)
    @given(
        st.lists(
            st.sampled_from(["docs/a.md", "docs/b.png", "src/c.py", "README.md", "src/docs/d"]), max_size=6
        ),
        st.sampled_from(
            [{"paths": ["docs/**", "!docs/*.png"]}, {"paths_ignore": ["docs/**"]}, {"paths": ["*.md"]}]
        ),
        st.randoms(use_true_random=False),
    )
    def test_do_not_depend_on_order_or_duplicates(
        self, files: list[str], keys: dict[str, Any], random: Random
    ) -> None:
        other = files * 2
        random.shuffle(other)

        assert opened(keys, files).actions == opened(keys, other).actions

    @pytest.mark.parametrize(
        ("count", "runs"), [(2_999, MISSES), (3_000, MATCHES), (3_001, MATCHES)], ids=str
    )
    def test_all_match_where_github_cut_its_list(self, count: int, runs: Runs) -> None:
        files = [f"src/{number}.py" for number in range(count)]

        assert opened({"paths": ["docs/**"]}, files).runs == runs
        assert opened({"paths_ignore": ["src/**"]}, files).runs == runs

    @pytest.mark.parametrize(("count", "runs"), [(299, MISSES), (300, MATCHES)], ids=str)
    @pytest.mark.parametrize("event", ["push", "merge_group"])
    def test_all_match_where_a_comparison_was_cut(self, event: str, count: int, runs: Runs) -> None:
        payload = push() if event == "push" else merge_group("checks_requested")
        configuration = configured(p={"on": [event], "paths": ["docs/**"]})
        files = [f"src/{number}.py" for number in range(count)]
        outcome = happened(payload, event=event, configuration=configuration, changed_files=files)

        assert outcome.runs == runs

    def test_300_files_of_a_pull_request_are_all_of_them(self) -> None:
        assert opened({"paths": ["docs/**"]}, [f"src/{number}.py" for number in range(300)]).runs == set()


class TestBranches:
    @pytest.mark.parametrize(("keys", "base", "runs"), BRANCHES.values(), ids=BRANCHES)
    def test_select_by_the_base(self, keys: dict[str, Any], base: str, runs: Runs) -> None:
        outcome = opened(keys, ["a.py"], base=base, head_ref="main")

        assert outcome.runs == runs
        if not runs:
            state, description = outcome.statuses["p"]
            assert state == "success"
            assert description.startswith("skipped: ")

    @pytest.mark.parametrize(("keys", "branch", "runs"), BRANCHES.values(), ids=BRANCHES)
    def test_select_by_the_pushed_branch(self, keys: dict[str, Any], branch: str, runs: Runs) -> None:
        configuration = configured(p={"on": ["push"], **keys})
        outcome = happened(push(f"refs/heads/{branch}"), event="push", configuration=configuration)

        assert outcome.runs == runs

    @pytest.mark.parametrize(("keys", "base", "runs"), BRANCHES.values(), ids=BRANCHES)
    def test_select_by_a_merge_group_s_base(self, keys: dict[str, Any], base: str, runs: Runs) -> None:
        payload = merge_group("checks_requested", base=base)
        outcome = happened(payload, event="merge_group", configuration=configured(p=keys))

        assert outcome.runs == runs
        if not runs:
            assert outcome.statuses["p"][0] == "success"


LABELLED = {"labels": ["e2e"]}


class TestLabels:
    def test_select(self) -> None:
        assert opened(LABELLED, ["a.py"], labels=("bug", "e2e")).runs == {"p"}

    def test_skip_what_is_not_labelled(self) -> None:
        outcome = opened(LABELLED, ["a.py"], labels=("bug",))

        assert outcome.runs == set()
        assert outcome.statuses["p"][0] == "success"
        assert outcome.statuses["p"][1].startswith("skipped: ")

    def test_start_a_pipeline_when_they_are_added_and_nothing_else(self) -> None:
        of = pull(labels=("e2e",))
        outcome = happened(
            pull_request("labeled", of, label=label("e2e")),
            configuration=configured(p=LABELLED, unit={}),
            statuses={"p": "success", "unit": "success"},
            runs={"unit": "success"},
        )

        assert outcome.runs == {"p"}

    @pytest.mark.parametrize("action", ["labeled", "unlabeled"])
    def test_that_no_pipeline_asks_for_do_nothing(self, action: str) -> None:
        payload = pull_request(action, pull(labels=("bug",)), label=label("bug"))

        assert happened(payload, configuration=configured(unit={})).nothing

    def test_of_another_kind_do_not_run_it_again(self) -> None:
        payload = pull_request("labeled", pull(labels=("bug", "e2e")), label=label("bug"))
        facts: Json = {
            "statuses": {"p": "success", "unit": "success"},
            "runs": {"p": "success", "unit": "success"},
        }
        outcome = happened(payload, configuration=configured(p=LABELLED, unit={}), **facts)

        assert not outcome.of("trigger")

    def test_that_are_taken_away_start_nothing(self) -> None:
        payload = pull_request("unlabeled", pull(), label=label("e2e"))
        outcome = happened(
            payload,
            configuration=configured(p=LABELLED, unit={}),
            statuses={"p": "pending", "unit": "success"},
            runs={"p": "running", "unit": "success"},
        )

        assert not outcome.of("trigger")


class TestDrafts:
    @pytest.mark.parametrize("action", ["opened", "reopened", "synchronize"])
    def test_wait_until_they_are_ready(self, action: str) -> None:
        outcome = happened(pull_request(action, pull(draft=True)), configuration=configured(unit={}))

        assert not outcome.of("trigger")
        assert outcome.statuses["unit"] == ("pending", "waits until ready for review")

    def test_run_where_the_pipeline_wants_drafts(self) -> None:
        outcome = happened(
            pull_request("opened", pull(draft=True)),
            configuration=configured(unit={}, early={"drafts": True}),
        )

        assert outcome.runs == {"early"}
        assert outcome.statuses["unit"] == ("pending", "waits until ready for review")

    def test_do_not_wait_for_what_does_not_apply(self) -> None:
        outcome = opened({"paths": ["docs/**"]}, ["a.py"], draft=True)

        assert outcome.statuses["p"][0] == "success"
        assert outcome.statuses["p"][1].startswith("skipped: ")

    def test_are_run_by_a_command_that_names_the_pipeline(self) -> None:
        assert commented("/test unit", of=pull(draft=True), configuration=configured(unit={})).runs == {
            "unit"
        }


class TestManualPipelines:
    @pytest.mark.parametrize("action", ["opened", "reopened", "synchronize", "ready_for_review"])
    def test_are_never_run_by_an_event_and_show_nothing(self, action: str) -> None:
        outcome = happened(pull_request(action), configuration=configured(unit={}, deploy={"manual": True}))

        assert outcome.runs == {"unit"}
        assert "deploy" not in outcome.statuses


ON: dict[str, tuple[list[str] | None, set[str]]] = {
    "by default": (None, {"pull_request", "merge_group"}),
    "pull_request": (["pull_request"], {"pull_request"}),
    "merge_group": (["merge_group"], {"merge_group"}),
    "push": (["push"], {"push"}),
    "all": (["pull_request", "merge_group", "push"], {"pull_request", "merge_group", "push"}),
}


class TestOn:
    @pytest.mark.parametrize(("on", "events"), ON.values(), ids=ON)
    def test_selects_by_event(self, on: list[str] | None, events: set[str]) -> None:
        configuration = configured(p={} if on is None else {"on": on})
        payloads = {
            "pull_request": pull_request("opened"),
            "merge_group": merge_group("checks_requested"),
            "push": push(),
        }
        ran = {
            event
            for event, payload in payloads.items()
            if happened(payload, event=event, configuration=configuration).runs
        }

        assert ran == events
