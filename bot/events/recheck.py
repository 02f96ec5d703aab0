"""`recheck`: our own event. Something around a pull request changed, so decide about it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.events.payload import take, take_repository
from bot.events.pull_request import PullAction, PullRequestEvent
from bot.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Repository

OURS = True
"""GitHub sends no such event: whoever does, through the webhook, is refused."""


def parse(payload: Mapping[str, object], what: PullAction = PullAction.RECHECK) -> PullRequestEvent:
    """Read what `about_pull` wrote."""
    return PullRequestEvent(
        repository=take_repository(payload),
        number=take(payload, "pull_request.number", int),
        what=what,
        head_sha="",
        sender=take(payload, "sender.login", str),
        updated_at=None,
    )


def recheck(repository: Repository, number: int, *, sender: str, because: str) -> Delivery:
    """The delivery that has the pull request looked at again, because of another delivery."""
    return about_pull("recheck", repository, number, sender=sender, because=because)


def about_pull(
    event: str, repository: Repository, number: int, *, sender: str, because: str, **more: str
) -> Delivery:
    """A delivery of an event of ours, in the pull request's lane, because of another delivery."""
    body = {
        "repository": {
            "id": repository.id,
            "full_name": repository.full_name,
            "private": repository.private,
            "clone_url": repository.clone_url,
        },
        "pull_request": {"number": number},
        "sender": {"login": sender},
        **more,
    }
    lane = f"{repository.id}#{number}"
    return Delivery(f"{because}~{repository.id}~{number}", event, json.dumps(body).encode(), lane)
