"""The worker's hand on the inbox: take a delivery, handle it, and say what became of it."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from bot.errors import AirflowRefused, GitHubRefused, PreflightError, Temporary
from bot.metrics import HANDLED

if TYPE_CHECKING:
    from bot.claims import DeliveryClaim
    from bot.intake.handle import DeliveryHandler
    from bot.ports import Inbox

FASTEST = 1.0
SLOWEST = 300.0
OUTAGE_SLOWEST = 15.0  # while an outage is young, a try every so often finds its end
YOUNG = 40
MAX_TRIES = 400  # more than a day of them
REFUSED_SECONDS = 60.0
MENDABLE_TRIES = 30  # half an hour

log = logging.getLogger(__name__)


class DeliveryWorker:
    """Works on deliveries, one at a time per call; several threads and processes may call at once."""

    def __init__(self, inbox: Inbox, handler: DeliveryHandler) -> None:
        self.inbox = inbox
        self.handler = handler

    def work(self) -> bool:
        """Handle the next delivery; False if none is due."""
        claim = self.inbox.claim()
        if claim is None:
            return False
        try:
            handled = self.handler.handle(claim)
        except Temporary as error:
            self._retry(claim, error)
        except (GitHubRefused, AirflowRefused) as error:
            self._mendable(claim, error)
        except PreflightError as error:
            self._park(claim, str(error))
        except Exception as error:
            log.exception("delivery %s met an error that nobody expected", claim.delivery.id)
            self._park(claim, f"unexpected: {type(error).__name__}: {error}")
        else:
            self.inbox.finish(claim, ignored=handled.ignored, reason=handled.reason)
            HANDLED.labels(claim.delivery.event, "ignored" if handled.ignored else "done").inc()
        return True

    def _mendable(self, claim: DeliveryClaim, error: PreflightError) -> None:
        """Credentials and permissions may be mended while we wait; not for ever, though."""
        if claim.tries >= MENDABLE_TRIES:
            self._park(claim, str(error))
        else:
            self._retry(claim, Temporary(str(error), REFUSED_SECONDS))

    def _retry(self, claim: DeliveryClaim, error: Temporary) -> None:
        if claim.tries >= MAX_TRIES:
            self._park(claim, f"gave up after {claim.tries} tries: {error}")
            return
        seconds = error.retry_after or retry_seconds(claim.tries)
        log.warning(
            "delivery %s is tried again in %.0f s (try %s): %s",
            claim.delivery.id,
            seconds,
            claim.tries,
            error,
        )
        self.inbox.retry(claim, seconds=seconds, reason=str(error))
        HANDLED.labels(claim.delivery.event, "retried").inc()

    def _park(self, claim: DeliveryClaim, reason: str) -> None:
        log.error("delivery %s is parked: %s", claim.delivery.id, reason)
        self.inbox.park(claim, reason)
        HANDLED.labels(claim.delivery.event, "parked").inc()


def retry_seconds(tries: int) -> float:
    """Seconds until the next try: doubling from one, with jitter so that tries spread out."""
    slowest = OUTAGE_SLOWEST if tries < YOUNG else SLOWEST
    return min(slowest, FASTEST * 2.0 ** min(tries - 1, 20)) * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret
