"""What a page costs does not grow with all that a run's steps left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import Outcome, Step, StepResult, StepState, TestFailure, TestResults
from bot.pages import log as log_page
from bot.report.logs.redacted import redacted_run
from tests.examples import REPOSITORY
from tests.pages.showing import RUN_ID, Site
from tests.report.examples import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run

FAILURES = tuple(TestFailure(f"test_{number}", "it broke", "tests/test_app.py", 7) for number in range(100))


def _failed(index: int) -> Step:
    tests = TestResults(100, 100, failures=FAILURES)
    return Step("shard", index, f"shard {index}", StepState.FAILED, 1, result=StepResult(1, tests=tests))


@pytest.fixture
def site() -> Site:
    site = Site()
    steps = tuple(map(_failed, range(50)))
    one = run("unit", *steps, outcome=Outcome.FAILURE, reason="x", took=9)
    site.store.add(replace(one, id=RUN_ID, repository=REPOSITORY))
    return site


def test_a_runs_page_names_a_bounded_number_of_failing_tests(site: Site) -> None:
    assert len(site.get(f"/runs/{RUN_ID}").data) < 1_000_000


def test_a_steps_log_costs_no_more_than_that_step(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    redacted: list[int] = []

    def counted(run: Run, secrets: Sequence[str]) -> Run:
        redacted.extend(
            len(step.result.tests.failures) for step in run.steps if step.result and step.result.tests
        )
        return redacted_run(run, secrets)

    monkeypatch.setattr(log_page, "redacted_run", counted)
    site.get(f"/runs/{RUN_ID}/log/shard~0")
    assert redacted == [100]
