from pathlib import Path

import pytest

from steps.contract import ContractError, Run, checked_step_name, in_order, run_folder

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
