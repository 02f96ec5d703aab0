"""Airflow's run events over Google Cloud Pub/Sub: hints that a run is worth a look, pulled by the worker.

A hint is what the plugin would post to `/nudge`: never believed, only followed by a look. Here a lost or late
one costs nothing either, since unfinished runs are polled.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot import events
from bot.errors import MalformedPayload, PubSubUnavailable, StoreUnavailable
from bot.events.payload import take, take_time
from bot.intake.nudge import BEGAN
from bot.intake.signature import verify
from bot.metrics import NUDGES
from bot.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models import Message
    from bot.ports import Clock, RunStore, Subscription

SIGNATURE = "signature"
"""The attribute that holds the plugin's HMAC over the data."""
OLD = timedelta(minutes=5)
"""Since a hint of that age its run was polled several times. Clocks may differ by less than that."""
MOST = 100
"""Messages of one pull."""
SLOWEST = 15.0
"""Seconds between tries while Pub/Sub is away."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hint:
    """A run that is worth a look; `began` where it, or a step of it, is said to have begun."""

    dag_run_id: str
    began: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that leads to nothing, however often it came; `result` is its name in the metrics."""

    result: str
    reason: str


def read(data: bytes, attributes: Mapping[str, str], secret: str, now: datetime) -> Hint | Dropped:
    """What a message says. It must be signed where there is a secret; else Google says who may publish."""
    if secret and not verify(data, attributes.get(SIGNATURE), (secret,)):
        return Dropped("unsigned", "the signature is missing or wrong: is PREFLIGHT_NUDGE_SECRET the same?")
    try:
        payload = events.load(data)
        dag_run_id = take(payload, "dag_run_id", str)
        sent_at = take_time(payload, "sent_at")
    except MalformedPayload as error:
        return Dropped("malformed", str(error))
    if now - sent_at > OLD:
        return Dropped("old", f"sent at {sent_at.isoformat()}: polling was faster")
    return Hint(dag_run_id.replace("\0", ""), began=payload.get("state") == BEGAN)


class HintPuller:
    """Pulls hints and has their runs looked at. For one thread: `work` waits for the next hint itself."""

    def __init__(self, subscription: Subscription, runs: RunStore, secret: str, clock: Clock) -> None:
        self._subscription = subscription
        self._runs = runs
        self._secret = secret
        self._clock = clock
        self._failures = 0

    def work(self) -> bool:
        """Pull once. False while Pub/Sub does not answer; StoreUnavailable leaves what was hinted unacked."""
        try:
            self._take(self._subscription.pull(MOST))
        except PubSubUnavailable as error:
            self._failures += 1
            log.warning("hints could not be pulled, runs are polled meanwhile: %s", error)
            return False
        self._failures = 0
        return True

    def next_due(self) -> float:
        """Seconds until Pub/Sub is asked again after failures."""
        return backoff(self._failures, SLOWEST)

    def _take(self, messages: Sequence[Message]) -> None:
        """Look at each run once, however many hints it got; acknowledge what was obeyed or dropped."""
        done: list[Message] = []
        hinted: dict[str, list[Message]] = {}
        began: set[str] = set()
        for message in messages:
            found = read(message.data, message.attributes, self._secret, self._clock())
            if isinstance(found, Hint):
                hinted.setdefault(found.dag_run_id, []).append(message)
                began |= {found.dag_run_id} if found.began else set()
            else:
                NUDGES.labels(found.result).inc()
                log.debug("a hint was dropped: %s", found.reason)
                done.append(message)
        try:
            for dag_run_id, its_messages in hinted.items():
                known = self._runs.nudge(dag_run_id, began=dag_run_id in began)
                NUDGES.labels("known" if known else "unknown").inc(len(its_messages))
                done += its_messages
        except StoreUnavailable:
            NUDGES.labels("unstored").inc()
            raise
        finally:
            if done:
                self._subscription.ack(done)
