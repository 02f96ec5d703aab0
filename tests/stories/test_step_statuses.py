"""`report: {statuses: step}`: a status for each step, beside the pipeline's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import checks, until_there, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.conftest import MakeRepository


def test_each_step_has_a_status_that_ends(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    pipelines = {"unit": checks(lint="true", slow=until_there(gate), test="exit 3")}
    pull = repository_with(written(pipelines, report={"statuses": "step"})).opened()
    old = pull.head_sha
    pull.expect_status("preflight/unit/lint", "success", "passed in")
    pull.expect_status("preflight/unit/test", "failure", "failed: exit 3 after")
    pull.expect_status("preflight/unit/slow", "pending", "running")

    pull.pushed()

    superseded = f"superseded by {pull.head_sha[:7]}"
    for context in ("preflight/unit", "preflight/unit/slow"):
        pull.expect_status(context, "error", superseded, sha=old)
    gate.touch()
    pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    pull.bot.rest()
    assert {context: status.state for context, status in pull.combined().items()} == {
        "preflight/unit": "failure",
        "preflight/unit/clone": "success",
        "preflight/unit/lint": "success",
        "preflight/unit/slow": "success",
        "preflight/unit/test": "failure",
    }
    assert "pending" not in {status.state for status in pull.combined(sha=old).values()}
    places = [status.target_url or "" for status in pull.combined().values()]
    assert len(set(places)) == 5
    assert len({place.partition("#")[0] for place in places}) == 1
