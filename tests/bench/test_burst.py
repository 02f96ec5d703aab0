from __future__ import annotations

import pytest

from tests.bench.burst import most_points
from tests.github_standin.records import LoggedRequest


def request(at: float, method: str = "POST", limit: str = "") -> LoggedRequest:
    return LoggedRequest(
        id=1,
        method=method,
        path="/",
        query="",
        status=403 if limit else 200,
        cost=1,
        conditional=False,
        caller="installation:1",
        fault=None,
        received_at=at,
        answered_at=at,
        limit=limit,
    )


@pytest.mark.parametrize(
    ("requests", "points"),
    [
        ([], 0),
        ([request(0), request(59.9, "GET")], 6),
        ([request(0), request(60), request(61)], 10),
        ([request(0), request(1), request(62)], 10),
        ([request(0), request(1, limit="points")], 5),
    ],
)
def test_points_are_counted_in_the_fullest_minute(requests: list[LoggedRequest], points: int) -> None:
    assert most_points(requests) == points
