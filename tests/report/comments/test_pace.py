from __future__ import annotations

import pytest

from bot.report.comments.pace import pace


@pytest.mark.parametrize(
    ("took", "usual", "whole", "said"),
    [
        pytest.param(130, 110, True, "2m10s, usually 1m50s", id="slower"),
        pytest.param(60, 110, True, "1m, usually 1m50s", id="faster"),
        pytest.param(60, 110, False, "1m", id="it failed before it came to the end"),
        pytest.param(1800, 110, False, "30m, usually 1m50s", id="it failed late"),
        pytest.param(119, 110, True, "1m59s", id="a few seconds"),
        pytest.param(3700, 3600, True, "1h01m", id="a small share"),
        pytest.param(12, 3, True, "12s", id="seconds do not matter"),
        pytest.param(14, 3, True, "14s, usually 5s", id="unless they are many"),
        pytest.param(42, None, True, "42s", id="without history"),
        pytest.param(7_500, 10_000, True, "2h05m, usually 2h45m", id="hours are not told to the second"),
    ],
)
def test_what_is_usual_is_told_where_it_is_notable(
    took: float,
    usual: float | None,
    whole: bool,  # noqa: FBT001 - a table's column
    said: str,
) -> None:
    assert pace(took, usual, whole=whole) == said


def test_a_median_that_moves_a_little_changes_nothing() -> None:
    assert pace(300, 110.4, whole=True) == pace(300, 108.9, whole=True)
