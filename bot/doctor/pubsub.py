"""Google Cloud Pub/Sub, where it is used: are topics and subscriptions there, and as they should be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, or_fine, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.models import Queue
    from bot.models.doctor import SeenQueue
    from bot.ports.doctor import QueueLook

PART = "pubsub"
SETUP = "Run `python -m bot pubsub-setup`."
ANEW = "Delete it once it is empty, and run `python -m bot pubsub-setup`: this can't be changed."
REACH = (
    "See PREFLIGHT_PUBSUB_PROJECT, that the API pubsub.googleapis.com is enabled there, and Application "
    "Default Credentials (deploy/PUBSUB.md)."
)
VITAL = frozenset({"topic", "filter", "push"})
"""Without these right nothing arrives; the others decide how well."""

FIXED = frozenset({"topic", "filter", "order"})


def queue_checks(connect: Callable[[], QueueLook] | None, queues: Sequence[Queue]) -> list[Check]:
    """What is looked at; `connect` may fail where there are no credentials. None: Pub/Sub is not used."""
    if connect is None:
        return [Check(PART, "use", lambda: (skipped("not used"),), REACH)]

    def queue(one: Queue) -> tuple[Diagnosis, ...]:
        return judge_queue(one.name, connect().queue(one))

    return [
        *(Check(PART, one.name, partial(queue, one), REACH) for one in queues),
        Check(PART, "backlog", lambda: (skipped("its length is told by Cloud Monitoring only"),), REACH),
    ]


def judge_queue(name: str, seen: SeenQueue) -> tuple[Diagnosis, ...]:
    """A topic and its subscription."""
    return or_fine(_wrong(name, seen), "topic and subscription are set up")


def _wrong(name: str, seen: SeenQueue) -> Iterator[Diagnosis]:
    if not seen.topic:
        yield broken(f"there is no topic {name}", SETUP)
    if not seen.subscription:
        yield broken(f"there is no subscription {name}", SETUP)
    for what, (now, wanted) in sorted(seen.differences.items()):
        kind = broken if what in VITAL else warning
        mend = ANEW if what in FIXED else SETUP
        yield kind(f"subscription {name}: {what} is {now}, and should be {wanted}", mend)
