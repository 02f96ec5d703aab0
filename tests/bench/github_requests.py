"""Requests to GitHub for one green pull request with one pipeline of three steps, counted by the stand-in.

From before it is opened until a second after its final word; the median of all pull requests, and of the
one with that many the list by endpoint. The baseline is the first pull request of the bot's life, which
knows nothing yet: neither its own name nor its installation, its token, the configuration or who may write.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.pull_requests import Life
    from tests.github_standin.records import LoggedRequest

_GOAL, _WRITES_GOAL = 10, 5
_REPOSITORY = re.compile(r"^/repos/[^/]+/[^/]+")
_VARIABLE = (
    (re.compile(r"(?<=[/.])[0-9a-f]{40}"), "SHA"),
    (re.compile(r"/\d+"), "/N"),
    (re.compile(r"/(collaborators|members|memberships)/[^/]+"), r"/\1/LOGIN"),
)


def figures(first: Life, warm: Sequence[Life]) -> list[Figure]:
    """All requests, and those of them that write."""
    typical = sorted(warm, key=lambda life: len(life.requests))[(len(warm) - 1) // 2]
    by_endpoint = Counter(map(endpoint, typical.requests))
    name = "GitHub requests for one green pull request"
    return [
        Figure(
            name,
            median([len(life.requests) for life in warm]),
            "requests",
            _GOAL,
            {"the bot's first pull request": len(first.requests)},
            details={
                "by_endpoint": dict(by_endpoint),
                "most": max(len(life.requests) for life in warm),
                "first_by_endpoint": dict(Counter(map(endpoint, first.requests))),
            },
        ),
        Figure(
            f"{name}: writes",
            median([_writes(life) for life in warm]),
            "requests",
            _WRITES_GOAL,
            {"the bot's first pull request": _writes(first)},
            details={"most": max(map(_writes, warm))},
        ),
    ]


def endpoint(request: LoggedRequest) -> str:
    """Method and path, without what differs from one pull request to the next."""
    path = _REPOSITORY.sub("", request.path)
    for pattern, name in _VARIABLE:
        path = pattern.sub(name, path)
    return f"{request.method} {path}"


def _writes(life: Life) -> int:
    return sum(1 for request in life.requests if request.method != "GET")
