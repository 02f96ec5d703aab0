"""The worker's hand on the inbox: take a delivery, handle it, and say what became of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot import events
from bot.errors import (
    AirflowRefused,
    GitHubAway,
    GitHubNotFound,
    GitHubRefused,
    HeldBack,
    PreflightError,
    Temporary,
)
from bot.intake.handle import LAGS
from bot.intake.lookup import GitHubLags
from bot.metrics import HANDLED
from bot.patience import Pause, backoff, spread

if TYPE_CHECKING:
    from bot.claims import DeliveryClaim
    from bot.intake.handle import DeliveryHandler
    from bot.ports import Inbox

SLOWEST = 30.0
OUTAGE_SLOWEST = 15.0  # while an outage is young, a try every so often finds its end
YOUNG = 40
MAX_TRIES = 400
MAX_AGE = 86_400.0  # seconds; nothing is given up because of an outage of hours, however often it was tried
LONGEST_PAUSE = 5.0  # with GitHub away in part, there may be deliveries that need only the rest of it
REFUSED_SECONDS = 60.0
MOST_EVENTS = 100  # GitHub has some 70
MENDABLE_TRIES = 30  # half an hour

log = logging.getLogger(__name__)


class DeliveryWorker:
    """Works on deliveries, one at a time per call; several threads and processes may call at once."""

    def __init__(self, inbox: Inbox, handler: DeliveryHandler) -> None:
        self.inbox = inbox
        self.handler = handler
        self._away = Pause()
        self._events = set(events.parsers())

    def next_due(self) -> float | None:
        """The seconds until a delivery is due, None if none waits; none is taken while GitHub is away."""
        due = self.inbox.next_due()
        return None if due is None else max(due, self._away.left)

    def work(self) -> bool:
        """Handle the next delivery; False if none is due, or none is to be taken now."""
        claim = self.inbox.claim() if self._away.left <= 0 else None
        if claim is None:
            return False
        try:
            handled = self.handler.handle(claim)
        except Temporary as error:
            self._retry(claim, error)
        except (GitHubNotFound, GitHubRefused, AirflowRefused) as error:
            self._mendable(claim, error)
        except PreflightError as error:
            self._park(claim, str(error))
        except Exception as error:
            log.exception("delivery %s met an error that nobody expected", claim.delivery.id)
            self._park(claim, f"unexpected: {type(error).__name__}: {error}")
        else:
            self.inbox.finish(claim, ignored=handled.ignored, reason=handled.reason)
            self._count(claim, "ignored" if handled.ignored else "done")
        return True

    def _mendable(self, claim: DeliveryClaim, error: PreflightError) -> None:
        """Credentials and permissions may be mended meanwhile, and GitHub may lag; not for ever, though."""
        if claim.tries >= MENDABLE_TRIES:
            self._park(claim, str(error))
        else:
            said = f"{LAGS}{error}" if isinstance(error, GitHubNotFound) else str(error)
            self._retry(claim, Temporary(said, REFUSED_SECONDS))

    def _retry(self, claim: DeliveryClaim, error: Temporary) -> None:
        seconds = spread(error.retry_after) if error.retry_after else retry_seconds(claim.tries)
        if isinstance(error, HeldBack):
            seconds = error.retry_after or seconds  # each has a turn of its own
            log.info("delivery %s waits %.0f s: %s", claim.delivery.id, seconds, error)
        elif isinstance(error, GitHubAway):
            self._away.begin(min(error.retry_after or LONGEST_PAUSE, LONGEST_PAUSE))
        elif claim.tries >= MAX_TRIES and claim.age >= MAX_AGE:
            self._park(claim, f"gave up after {claim.tries} tries: {error}")
            return
        else:
            log.warning(
                "delivery %s is tried again in %.0f s (try %s): %s",
                claim.delivery.id,
                seconds,
                claim.tries,
                error,
            )
        sent = not isinstance(error, HeldBack | GitHubAway)
        reason = f"{LAGS}{error}" if isinstance(error, GitHubLags) else str(error)
        self.inbox.retry(claim, seconds=seconds, reason=reason, tried=sent)
        self._count(claim, "retried")

    def _park(self, claim: DeliveryClaim, reason: str) -> None:
        log.error("delivery %s is parked: %s", claim.delivery.id, reason)
        self.inbox.park(claim, reason)
        self._count(claim, "parked")

    def _count(self, claim: DeliveryClaim, result: str) -> None:
        """Events by name, as long as they are few: names are not signed, and each costs memory for ever."""
        event = claim.delivery.event
        if len(self._events) < MOST_EVENTS:
            self._events.add(event)
        HANDLED.labels(event if event in self._events else "other", result).inc()


def retry_seconds(tries: int) -> float:
    """Seconds until the next try: doubling from one, with jitter so that tries spread out."""
    return backoff(tries, OUTAGE_SLOWEST if tries < YOUNG else SLOWEST)
