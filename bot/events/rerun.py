"""`rerun`: our own event. All of a pull request's check runs were asked to run again at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events.click import Asks, ClickEvent
from bot.events.payload import take, take_repository
from bot.events.recheck import about_pull

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Delivery, Repository

OURS = True
"""GitHub sends no such event: whoever does, through the webhook, is refused."""


def parse(payload: Mapping[str, object]) -> ClickEvent:
    """Read what `rerun` wrote."""
    return ClickEvent(
        repository=take_repository(payload),
        number=take(payload, "pull_request.number", int),
        head_sha=take(payload, "head_sha", str),
        name="",
        run_id="",
        asks=Asks.RERUN,
        sender=take(payload, "sender.login", str),
    )


def rerun(repository: Repository, number: int, sha: str, *, sender: str, because: str) -> Delivery:
    """The delivery that has all of the pull request run again, if that is still its head."""
    return about_pull("rerun", repository, number, sender=sender, because=because, head_sha=sha)
