"""What `python -m steps.judge run` says of a run's states."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steps import judge
from tests.dags.conftest import Done

Step = Callable[..., Done]
E2E = ["--cleanup=teardown", "--may-skip=gpu"]


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        pytest.param(["test=success", "teardown=success"], "", id="all is well"),
        pytest.param(["test=success", "gpu=skipped", "teardown=success"], "", id="what may be skipped"),
        pytest.param(
            ["test=failed", "next=upstream_failed", "teardown=success"], "", id="a failure tells itself"
        ),
        pytest.param(
            ["test=success", "teardown=failed"],
            "teardown failed: what should have been removed may be there still",
            id="not cleaned up",
        ),
        pytest.param(
            ["test=skipped", "teardown=success"], "the run was stopped before test could run", id="stopped"
        ),
        pytest.param(
            [*(f"s{number}=skipped" for number in range(7))],
            "the run was stopped before s0, s1, s2, s3, s4 and 2 more could run",
            id="stopped early",
        ),
    ],
)
def test_a_run_is_judged(
    states: list[str], reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEP_OUTPUT", raising=False)
    code = judge.main(["run", *(f"--state={state}" for state in states), *E2E])
    said = capsys.readouterr().out
    assert (code, f"error: {reason}" in said) == ((1, True) if reason else (0, False))


def test_as_a_program_it_leaves_junit(step: Step, tmp_path: Path) -> None:
    done = step("steps.judge", "run", "--state=a=skipped", f"--junit_path={tmp_path}/junit.xml")
    assert done.exit_code == 1
    assert "the run was stopped before a could run" in done.handed_on.read_text()


@pytest.mark.parametrize("state", ["a", "=success", "a="])
def test_what_is_no_state_is_refused(step: Step, state: str) -> None:
    assert step("steps.judge", "run", f"--state={state}").exit_code == 2
