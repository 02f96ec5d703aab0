"""When the comment is posted, when it stays, and when it is taken away."""

from __future__ import annotations

import pytest

from bot.models import CommentPolicy, Outcome, StatusState, Verdict
from bot.report.comments.worth import is_worth_keeping, is_worth_posting
from tests.report.examples import failed, fixed, overridden, ran, run, view

ALWAYS, FAILURES = CommentPolicy.ALWAYS, CommentPolicy.FAILURES

SKIPPED = fixed("docs", StatusState.SUCCESS, "skipped: no matching files")
MENDED = fixed("", StatusState.SUCCESS, "preflight.yaml is fine again", "preflight/config")
BROKEN = fixed("", StatusState.ERROR, "preflight.yaml can't be used: see the comment", "preflight/config")
WAITING = fixed("unit", StatusState.PENDING, "waiting for /ok-to-test")
RUNNING = ran(run())
FAILING = ran(run("unit", failed("lint")))
PASSED = ran(run(outcome=Outcome.SUCCESS))
CANCELLED = ran(run(outcome=Outcome.CANCELLED))
RED = ran(run(outcome=Outcome.FAILURE))


@pytest.mark.parametrize("notice", ["", "what is needed"], ids=["", "with a notice"])
@pytest.mark.parametrize(
    ("verdicts", "posted"),
    [
        pytest.param([], set(), id="nothing"),
        pytest.param([SKIPPED, MENDED], set(), id="only skipped"),
        pytest.param([WAITING, SKIPPED], {ALWAYS}, id="waiting"),
        pytest.param([RUNNING], {ALWAYS}, id="running"),
        pytest.param([PASSED], {ALWAYS}, id="passed"),
        pytest.param([FAILING], {ALWAYS, FAILURES}, id="a step failed so far"),
        pytest.param([CANCELLED], {ALWAYS}, id="cancelled"),
        pytest.param([overridden("unit")], {ALWAYS}, id="overridden"),
        pytest.param(
            [ran(run(outcome=Outcome.FAILURE, optional=True))], {ALWAYS}, id="only an optional one failed"
        ),
        pytest.param([PASSED, RED], {ALWAYS, FAILURES}, id="failed"),
        pytest.param([ran(run(outcome=Outcome.ERROR))], {ALWAYS, FAILURES}, id="could not run"),
        pytest.param([ran(run(outcome=Outcome.TIMED_OUT))], {ALWAYS, FAILURES}, id="timed out"),
        pytest.param([BROKEN], {ALWAYS, FAILURES}, id="broken"),
    ],
)
def test_what_a_repository_wants_to_read(
    verdicts: list[Verdict], posted: set[CommentPolicy], notice: str
) -> None:
    shown = {policy: view(*verdicts, notice=notice, comment=policy) for policy in CommentPolicy}
    everywhere = set(CommentPolicy) if notice else set()
    assert {policy for policy in shown if is_worth_posting(shown[policy])} == posted | everywhere
    kept = posted | {FAILURES} if posted else posted  # once it is there, it goes on
    assert {policy for policy in shown if is_worth_keeping(shown[policy])} == kept | everywhere
