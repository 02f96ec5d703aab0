"""Which deliveries must wait for one another: those of one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import MalformedPayload
from bot.events.payload import take

if TYPE_CHECKING:
    from collections.abc import Mapping


def lane_of(payload: Mapping[str, object], delivery_id: str) -> str:
    """The lane of a delivery: its pull request, else its repository, else one of its own.

    The repository's id names it, so that a renaming does not part a pull request's deliveries.
    """
    repository = _first(payload, "repository.id")
    if repository is None:
        return f"delivery:{delivery_id}"
    number = _first(payload, "pull_request.number", "issue.number")
    return f"{repository}" if number is None else f"{repository}#{number}"


def _first(payload: Mapping[str, object], *paths: str) -> int | None:
    for path in paths:
        try:
            return take(payload, path, int)
        except MalformedPayload:
            continue
    return None
