"""Which deliveries must wait for one another: those of one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import MalformedPayload
from bot.events.payload import take
from bot.models import read_external_id

if TYPE_CHECKING:
    from collections.abc import Mapping

BITS = 64


def lane_of(payload: Mapping[str, object], delivery_id: str) -> str:
    """The lane of a delivery: its pull request, else its repository, else one of its own.

    The repository's id names it, so that a renaming does not part a pull request's deliveries.
    """
    repository = _first(payload, "repository.id")
    if repository is None:
        return f"delivery:{delivery_id}"
    number = _first(payload, "pull_request.number", "issue.number") or _clicked_on(payload)
    return f"{repository}" if number is None else f"{repository}#{number}"


def _clicked_on(payload: Mapping[str, object]) -> int | None:
    """Whose check run it is about; the payload itself does not name a pull request from a fork."""
    try:
        ours = read_external_id(take(payload, "check_run.external_id", str))
    except MalformedPayload:
        return None
    return None if ours is None else ours[0]


def _first(payload: Mapping[str, object], *paths: str) -> int | None:
    """The first number of 64 bits, which is what GitHub's are: a lane has to stay short."""
    for path in paths:
        try:
            number = take(payload, path, int)
        except MalformedPayload:
            continue
        if number.bit_length() < BITS:
            return number
    return None
