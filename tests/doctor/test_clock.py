from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.doctor.clock import judge_clock
from bot.models.doctor import Knock
from tests.doctor.findings import said, verdicts

THEIRS = datetime(2026, 11, 2, 12, 0, 0, 500_000, tzinfo=UTC)
DATE = "Mon, 02 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("seconds", "strict", "verdict", "words"),
    [
        pytest.param(0, True, "ok", "agrees with GitHub's", id="right"),
        pytest.param(4, True, "ok", "agrees", id="within what a network takes"),
        pytest.param(6, True, "warning", "6 s ahead of GitHub's", id="ahead"),
        pytest.param(-6, True, "warning", "6 s behind GitHub's", id="behind"),
        pytest.param(60, True, "broken", "refuses what our App proves", id="too far ahead for an App"),
        pytest.param(-90, True, "broken", "90 s behind", id="too far behind for an App"),
        pytest.param(90, False, "warning", "90 s ahead", id="far ahead where nobody minds"),
    ],
)
def test_our_clock_beside_anothers(*, seconds: int, strict: bool, verdict: str, words: str) -> None:
    knock = Knock(genuine=True, date=DATE, at=(THEIRS + timedelta(seconds=seconds)).timestamp())

    found = judge_clock(knock, "GitHub", strict=strict)

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize("date", ["", "today", "Mon, 99 Nov 2026 12:00:00 GMT"])
def test_a_service_that_does_not_say_the_time(date: str) -> None:
    assert verdicts(judge_clock(Knock(genuine=True, date=date, at=1.0), "GitHub")) == ["skipped"]
