"""A head that waited for `/ok-to-test` and came to be trusted in another way: its author may write by now."""

from __future__ import annotations

import pytest

from bot.models import Status, StatusState, Verdict
from tests.examples import HEAD
from tests.policy.deciding import Known, comment, started

TWO = "pipelines: {unit: {dag: checks}, e2e: {dag: e2e, needs: [unit]}}"
WAITING = tuple(
    Verdict(context, name, status=Status(context, StatusState.PENDING, "waiting for /ok-to-test"))
    for name in ("unit", "e2e")
    for context in [f"preflight/{name}"]
)


@pytest.mark.parametrize("body", ["/test", "/retest", "/test e2e", f"/ok-to-test {HEAD[:12]}"])
def test_every_way_to_ask_starts_what_waits(body: str) -> None:
    known = Known(yaml=TWO, verdicts=WAITING)
    assert set(started(known.decide(comment(body, "rita")))) == {"unit", "e2e"}
