"""Makes topics and subscriptions what they should be; safe to repeat.

https://cloud.google.com/pubsub/docs/subscription-properties says which properties can be changed later.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.pubsub_v1.types import (
    DeadLetterPolicy,
    ExpirationPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
)

from bot.adapters.pubsub.connection import AGAIN, publisher, subscriber, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.models import Queue

SECONDS = 30.0  # of a call: making a subscription may take some
ATTEMPTS = 100  # the most that Pub/Sub counts
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(seconds=600)
"""Before a message is handed out again: a hundred attempts last 17 hours then, in which to mend things."""
SHORTER = timedelta(days=7)
"""The longest retention where 31 days are not offered, as by the emulator."""
CHANGEABLE = {
    "ack deadline": "ack_deadline_seconds",
    "retention": "message_retention_duration",
    "expiration": "expiration_policy",
    "dead letters": "dead_letter_policy",
    "backoff": "retry_policy",
    "push": "push_config",
}

Said = tuple[str, bool]
"""What was done or found, and whether all is well with it now."""


class PubSubSetup:
    """Looks and, unless it is a dry run, makes and mends. All raises PubSubUnavailable."""

    def __init__(self, project: str, *, emulator: str = "", dryrun: bool = False) -> None:
        self.project = project
        self.dryrun = dryrun
        with translated(f"project {project}"):
            self._publisher, self._subscriber = publisher(emulator), subscriber(emulator)

    def ensure(self, queue: Queue) -> Iterator[Said]:
        """Make sure of the topic and its subscription."""
        with translated(f"topic {queue.name}"):
            yield self._topic(queue.name)
        with translated(f"subscription {queue.name}"):
            yield from self._subscription(queue)

    def _topic(self, name: str) -> Said:
        path = f"projects/{self.project}/topics/{name}"
        try:
            self._publisher.get_topic(topic=path, retry=AGAIN, timeout=SECONDS)
        except exceptions.NotFound:
            if not self.dryrun:
                with suppress(exceptions.AlreadyExists):  # a first answer was lost, or somebody made it
                    self._publisher.create_topic(name=path, retry=AGAIN, timeout=SECONDS)
            return f"topic {name}: {self._did('made')}", True
        return f"topic {name}: fine", True

    def _subscription(self, queue: Queue) -> Iterator[Said]:
        wanted = as_wanted(self.project, queue)
        try:
            found = self._look(wanted.name)
        except exceptions.NotFound:
            if self.dryrun or self._create(wanted):
                yield f"subscription {queue.name}: {self._did('made')}", True
                return
            found = self._look(wanted.name)
        has, wants = facts(found), facts(wanted)
        wrong = [name for name in wants if has[name] != wants[name]]
        if not wrong:
            yield f"subscription {queue.name}: fine", True
        for name in wrong:
            how, well = self._mend(found, wanted, name)
            yield f"subscription {queue.name}: {name}: {has[name]}, should be {wants[name]}: {how}", well

    def _look(self, path: str) -> Subscription:
        return self._subscriber.get_subscription(subscription=path, retry=AGAIN, timeout=SECONDS)

    def _create(self, wanted: Subscription) -> bool:
        """Make it; False if it is there: a first answer was lost, or somebody made it, perhaps otherwise."""
        try:
            self._subscriber.create_subscription(wanted, retry=AGAIN, timeout=SECONDS)
        except exceptions.AlreadyExists:
            return False
        except exceptions.InvalidArgument:
            if wanted.message_retention_duration <= SHORTER:
                raise
            return self._create(_kept_shorter(wanted))
        return True

    def _mend(self, found: Subscription, wanted: Subscription, name: str) -> Said:
        if name not in CHANGEABLE:
            return (
                "Pub/Sub can't change that. Delete the subscription once it is empty; run this again",
                False,
            )
        if self.dryrun:
            return self._did("changed"), True
        change = {"subscription": wanted, "update_mask": {"paths": [CHANGEABLE[name]]}}
        try:
            self._subscriber.update_subscription(change, retry=AGAIN, timeout=SECONDS)
        except (exceptions.InvalidArgument, exceptions.MethodNotImplemented) as error:
            if name == "retention" and wanted.message_retention_duration > SHORTER:
                if found.message_retention_duration >= SHORTER:
                    return "not offered here", True
                how, well = self._mend(found, _kept_shorter(wanted), name)
                return (f"{how} to {SHORTER}: more is not offered here" if well else how), well
            return f"Pub/Sub refused: {error.message}", False
        return "changed", True

    def _did(self, done: str) -> str:
        return f"would be {done}" if self.dryrun else done


def as_wanted(project: str, queue: Queue) -> Subscription:
    """The subscription as it should be, in Pub/Sub's words."""
    wanted = Subscription(
        name=f"projects/{project}/subscriptions/{queue.name}",
        topic=f"projects/{project}/topics/{queue.name}",
        ack_deadline_seconds=queue.ack_seconds,
        enable_message_ordering=queue.ordered,
        message_retention_duration=queue.retention,
        expiration_policy=ExpirationPolicy(),  # without a time: never
    )
    if queue.dead_letters:
        # Only where attempts are counted: what a person looks at should be there to look at again.
        wanted.retry_policy = RetryPolicy(minimum_backoff=FIRST_WAIT, maximum_backoff=LONGEST_WAIT)
        wanted.dead_letter_policy = DeadLetterPolicy(
            dead_letter_topic=f"projects/{project}/topics/{queue.dead_letters}",
            max_delivery_attempts=ATTEMPTS,
        )
    if queue.push is not None:
        token = PushConfig.OidcToken(service_account_email=queue.push.account, audience=queue.push.audience)
        wanted.push_config = PushConfig(push_endpoint=queue.push.url, oidc_token=token)
    return wanted


def _kept_shorter(wanted: Subscription) -> Subscription:
    shorter = Subscription(wanted)
    shorter.message_retention_duration = SHORTER
    return shorter


def facts(subscription: Subscription) -> Mapping[str, str]:
    """What matters of a subscription, in words that can be compared and shown."""
    letters, push = subscription.dead_letter_policy, subscription.push_config
    backoff = subscription.retry_policy
    lasts = subscription.expiration_policy.ttl
    return {
        "topic": subscription.topic,
        "order": "kept" if subscription.enable_message_ordering else "not kept",
        "filter": subscription.filter or "none",
        "ack deadline": f"{subscription.ack_deadline_seconds} s",
        "retention": str(subscription.message_retention_duration or "default"),
        "expiration": str(lasts) if lasts else "never",
        "dead letters": f"{letters.dead_letter_topic} after {letters.max_delivery_attempts} attempts"
        if letters.dead_letter_topic
        else "none",
        "backoff": f"{backoff.minimum_backoff} to {backoff.maximum_backoff}" if backoff else "none",
        "push": f"{push.push_endpoint} as {push.oidc_token.service_account_email} "
        f"for {push.oidc_token.audience}"
        if push.push_endpoint
        else "none",
    }
