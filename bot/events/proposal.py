"""`proposal`: our own event. There was no room to check the configuration that a pull request may propose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events import recheck
from bot.events.pull_request import PullAction, PullRequestEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Delivery, Repository

OURS = True
"""GitHub sends no such event: whoever does, through the webhook, is refused."""


def parse(payload: Mapping[str, object]) -> PullRequestEvent:
    """Read what `proposal` wrote."""
    return recheck.parse(payload, PullAction.PROPOSAL)


def proposal(repository: Repository, number: int, *, sender: str, because: str) -> Delivery:
    """The delivery that has the pull request looked at again, because another one left that out."""
    return recheck.about_pull("proposal", repository, number, sender=sender, because=f"{because}~proposal")
