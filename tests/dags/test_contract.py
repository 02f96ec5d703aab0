import re
from pathlib import Path
from typing import Any, ClassVar

import pytest

from steps.contract import (
    ContractError,
    Run,
    checked_step_name,
    in_order,
    options,
    run_folder,
    ticket_url,
)

ROOT = Path("/artifacts")


@pytest.mark.parametrize(
    ("artifacts_path", "folder"),
    [
        ("pr-logs/pull/o_r/12/unit/0f", "/artifacts/pr-logs/pull/o_r/12/unit/0f"),
        ("a/./b", "/artifacts/a/b"),
        ("", "/artifacts/manual/manual__2026-11-22T10_00_00+00_00"),
    ],
)
def test_the_folder_of_a_run_is_below_the_root(artifacts_path: str, folder: str) -> None:
    assert run_folder(ROOT, artifacts_path, "manual__2026-11-22T10:00:00+00:00") == Path(folder)


@pytest.mark.parametrize("path", ["/etc", "..", "a/../../b", "../x", "a\\..\\b", "a\nb", "a\0b", "."])
def test_a_path_that_leaves_the_root_is_refused(path: str) -> None:
    with pytest.raises(ContractError):
        run_folder(ROOT, path, "run")


@pytest.mark.parametrize("run_id", ["..", ".", "../../x", "/", "preflight~x~../y"])
def test_a_run_id_can_not_leave_the_root_either(run_id: str) -> None:
    folder = run_folder(ROOT, "", run_id)
    assert folder.parent == ROOT / "manual"
    assert folder.name not in {"", ".", ".."}


@pytest.mark.parametrize("name", ["lint", "a", "0", "unit-3.11_x", "x" * 63])
def test_names_of_steps(name: str) -> None:
    assert checked_step_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-q", "_x", "a b", "a/b", "a\n", "x" * 64, "$(id)", "{{x}}", "ä"]
)
def test_what_is_no_name_of_a_step(name: str) -> None:
    with pytest.raises(ContractError, match="can't name a step"):
        checked_step_name(name)


def test_a_missing_name_says_what_to_do() -> None:
    with pytest.raises(ContractError, match=r"conf has no CLONE_URL.*dryrun"):
        Run(params={"CLONE_URL": ""}, root=ROOT, folder=ROOT).name("CLONE_URL")


def test_a_missing_name_is_a_placeholder_in_a_dry_run() -> None:
    assert Run(params={}, root=ROOT, folder=ROOT, dryrun=True).name("CLONE_URL") == "<CLONE_URL>"


def test_the_environment_has_prows_names_only() -> None:
    params = {"PULL_NUMBER": "12", "JOB_NAME": "", "steps": {}, "PATH": "/evil", "LD_PRELOAD": "/evil"}
    assert Run(params=params, root=ROOT, folder=ROOT).environment() == {"PULL_NUMBER": "12"}


def test_the_environment_takes_no_control_characters() -> None:
    with pytest.raises(ContractError, match="PULL_BASE_REF"):
        Run(params={"PULL_BASE_REF": "a\nB=1"}, root=ROOT, folder=ROOT).environment()


STEPS = {"a": "1", "bb": "2", "ccc": "3"}


@pytest.mark.parametrize(
    ("preflight", "order"),
    [
        ({"order": {"steps": ["ccc", "a", "bb"]}}, ["ccc", "a", "bb"]),
        ({}, ["a", "bb", "ccc"]),
        ({"order": {"steps": ["ccc", "a"]}}, ["a", "bb", "ccc"]),
        ({"order": {"steps": ["ccc", "a", "a"]}}, ["a", "bb", "ccc"]),
        ({"order": {"steps": ["x", "y", "z"]}}, ["a", "bb", "ccc"]),
        ({"order": {"steps": [1, {}, None]}}, ["a", "bb", "ccc"]),
        ({"order": "abc"}, ["a", "bb", "ccc"]),
    ],
)
def test_steps_are_in_the_order_that_conf_gives_beside_them(
    preflight: dict[str, object], order: list[str]
) -> None:
    ordered = in_order(STEPS, preflight, "steps")
    assert list(ordered) == order
    assert ordered == STEPS


class TestWhatIsCloned:
    URL: ClassVar = {"CLONE_URL": "https://localhost/o/r.git"}

    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            pytest.param(
                {"PULL_NUMBER": "12", "PULL_PULL_SHA": "f", "PULL_BASE_SHA": "b", "PULL_BASE_REF": "main"},
                ["pr", "--pr=12", "--commit=f", "--base=b", "--base-ref=main"],
                id="a pull request",
            ),
            pytest.param(
                {"PULL_NUMBER": "", "PULL_PULL_SHA": "f", "PULL_BASE_SHA": "f", "PULL_BASE_REF": "main"},
                ["postsubmit", "--commit=f", "--branch=main"],
                id="a pushed branch",
            ),
            pytest.param(
                {"PULL_NUMBER": "", "PULL_PULL_SHA": "f", "PULL_BASE_SHA": "b", "PULL_BASE_REF": "main"},
                ["postsubmit", "--commit=f", "--branch=main", "--base=b"],
                id="a merge group",
            ),
            pytest.param({}, ["postsubmit"], id="the default branch, by hand"),
        ],
    )
    def test_follows_from_conf(self, params: dict[str, str], expected: list[str]) -> None:
        kind, url, *what, archive, prune = self._run(params).clone_options()
        assert [kind, *what] == expected
        assert (url, archive, prune) == (
            "--url=https://localhost/o/r.git",
            "--archive=/artifacts/run/source.tar.gz",
            "--prune=/artifacts",
        )

    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            (
                {"PULL_NUMBER": "12", "PULL_PULL_SHA": "f", "PULL_BASE_SHA": "b"},
                "git fetch origin b && git merge b",
            ),
            ({"PULL_PULL_SHA": "f", "PULL_BASE_SHA": "f"}, "git fetch origin f && git checkout f"),
            ({}, "git fetch origin HEAD && git checkout FETCH_HEAD"),
        ],
        ids=["a pull request", "a branch", "the default branch"],
    )
    def test_can_be_checked_out_by_hand(self, params: dict[str, str], expected: str) -> None:
        assert self._run(params).checkout == expected

    def _run(self, params: dict[str, str]) -> Run:
        return Run(params={**self.URL, **params}, root=ROOT, folder=ROOT / "run")


class TestTickets:
    def test_one_reaches_the_step_with_all_that_it_is_bound_to(self) -> None:
        run = Run(
            params={"preflight": {"ticket": "pft_0f"}},
            root=ROOT,
            folder=ROOT,
            dag_run_id="preflight~1",
            task_id="clone",
            try_number=2,
            ticket_url="http://bot/ticket",
        )
        assert run.ticket_environment() == {
            "PREFLIGHT_TICKET": "pft_0f",
            "PREFLIGHT_TICKET_URL": "http://bot/ticket",
            "PREFLIGHT_TICKET_DAG_RUN_ID": "preflight~1",
            "PREFLIGHT_TICKET_TASK_ID": "clone",
            "PREFLIGHT_TICKET_TRY": "2",
        }

    @pytest.mark.parametrize("params", [{}, {"preflight": {}}, {"preflight": {"ticket": ""}}])
    def test_without_one_there_is_nothing(self, params: dict[str, object]) -> None:
        assert Run(params=params, root=ROOT, folder=ROOT).ticket_environment() == {}

    @pytest.mark.parametrize(
        ("environ", "url"),
        [
            ({"PREFLIGHT_NUDGE_URL": "http://bot:8081/nudge"}, "http://bot:8081/ticket"),
            (
                {"PREFLIGHT_NUDGE_URL": "http://bot:8081/nudge", "PREFLIGHT_TICKET_URL": "http://b/t"},
                "http://b/t",
            ),
            ({"PREFLIGHT_NUDGE_URL": "http://bot:8081/other"}, ""),
            ({}, ""),
        ],
        ids=["beside the nudges", "as set", "unknown", "no bot"],
    )
    def test_where_they_are_exchanged(self, environ: dict[str, str], url: str) -> None:
        assert ticket_url(environ) == url


class TestNamesOfWhatARunMakes:
    def test_tries_of_a_run_share_them(self) -> None:
        first, second = (self._run(try_number=number) for number in (1, 2))
        assert first.named("e2e") == second.named("e2e")
        assert re.fullmatch("e2e-[0-9a-f]{12}", first.named("e2e"))

    @pytest.mark.parametrize("other", [{"dag_run_id": "b"}, {"dag_id": "b"}, {"installation": "b"}])
    def test_no_other_run_has_them(self, other: dict[str, str]) -> None:
        assert self._run().named("e2e") != self._run(**other).named("e2e")

    def _run(self, **more: Any) -> Run:  # noqa: ANN401 - a Run's own
        return Run(**{"params": {}, "root": ROOT, "folder": ROOT, "dag_id": "d", "dag_run_id": "r", **more})


def test_options_are_those_that_have_a_value() -> None:
    assert options({"a": "-x", "b": "", "c": None, "d": 0, "e": 2}) == ["--a=-x", "--e=2"]
