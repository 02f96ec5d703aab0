"""Points in time, for people."""

from __future__ import annotations

import pytest

from bot.pages.when import ago, exactly
from tests.examples import at

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (HOUR - 1, "59 min ago"),
        (HOUR, "1 h ago"),
        (DAY - 1, "23 h ago"),
        (DAY, "yesterday"),
        (2 * DAY, "2 days ago"),
        (30 * DAY - 1, "29 days ago"),
        (30 * DAY, "2026-03-04"),
        (4000 * DAY, "2026-03-04"),
    ],
)
def test_how_long_ago(seconds: float, said: str) -> None:
    assert ago(at(0), at(seconds)) == said


def test_exactly() -> None:
    assert exactly(at(5)) == "2026-03-04 12:00:05 UTC"
