"""GitHub's REST API as we reach it: whatever credentials are used, they share what is made here."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from bot.adapters.github.conditional import KeptAnswers
from bot.adapters.github.requester import Requester
from bot.adapters.github.usage import least

if TYPE_CHECKING:
    from collections.abc import Callable

    from github.Auth import Auth

    from bot.adapters.github.transport import Transport
    from bot.adapters.github.usage import Usage

    OnQuota = Callable[[int, int], None]
    """Called with the requests that are left of the hour's, and how many an hour has, of the credentials of
    which the smallest share is left."""


class Endpoint:
    """Makes requesters.

    Args:
        api_url: of the REST API, without a slash at its end.
        transport: the way there.
        clock: seconds from any fixed moment.
        on_quota: told of what is left whenever GitHub says so.
    """

    def __init__(
        self,
        api_url: str,
        transport: Transport,
        clock: Callable[[], float] = time.monotonic,
        on_quota: OnQuota | None = None,
    ) -> None:
        self.api_url = api_url
        self.clock = clock
        self._transport = transport
        self._on_quota = on_quota
        self._kept = KeptAnswers()
        self._usages: list[Usage] = []
        self._lock = threading.Lock()

    def requester(self, auth: Auth, account: str) -> Requester:
        """What to ask about repositories with; `account` tells these credentials from others."""
        made = Requester(
            self.api_url,
            auth,
            self._transport,
            self.clock,
            account=account,
            kept=self._kept,
            on_quota=self._tell_quota,
        )
        with self._lock:
            self._usages.append(made.usage)
        return made

    def app_requester(self, auth: Auth) -> Requester:
        """What to ask with as an App itself; GitHub counts that apart, and next to nothing is asked."""
        return Requester(self.api_url, auth, self._transport, self.clock)

    def _tell_quota(self) -> None:
        if self._on_quota is None:
            return
        with self._lock:
            quota = least(self._usages)
        if quota is not None:
            self._on_quota(quota.remaining, quota.limit)
