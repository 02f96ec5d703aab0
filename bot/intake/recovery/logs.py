"""Which delivery logs there are to read, and since when we care for each."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound, GitHubRefused
from bot.models import DeliveryLogRef, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from bot.policy.operator import Operator
    from bot.ports import Clock, DeliveryLog, PullLister, RecoveryStore

WILDCARDS = frozenset("*?[")
REMEMBERED = timedelta(hours=1)

log = logging.getLogger(__name__)


class Logs:
    """Our App's log; with a token, those of repositories that the operator names or that we heard of."""

    def __init__(
        self,
        delivery_log: DeliveryLog,
        store: RecoveryStore,
        github: PullLister,
        operator: Callable[[], Operator],
        clock: Clock,
    ) -> None:
        self._log = delivery_log
        self._store = store
        self._github = github
        self._operator = operator
        self._clock = clock
        self._named: dict[str, tuple[datetime, Repository | None]] = {}

    def all(self) -> Mapping[DeliveryLogRef, datetime]:
        """All logs, and the moment before which nothing in them is our business. Raises Temporary."""
        now = self._clock()
        if self._log.is_apps():
            return {DeliveryLogRef(): now}
        heard_of = {
            repository: first
            for repository, first in self._store.repositories().items()
            if self._operator().serve(repository) is not None
        }
        known = {repository.id for repository in heard_of}
        names = {repository.full_name.lower() for repository in heard_of}
        found = {DeliveryLogRef(repository): first for repository, first in heard_of.items()}
        for name in self._names():
            repository = None if name.lower() in names else self._find(name, now)
            if repository is not None and repository.id not in known:
                found[DeliveryLogRef(repository)] = now
        return found

    def _names(self) -> Iterator[str]:
        for serve in self._operator().serves:
            yield from (name for name in serve.repositories if not WILDCARDS & set(name))

    def _find(self, name: str, now: datetime) -> Repository | None:
        """The repository of that name, asked for once an hour."""
        until, found = self._named.get(name, (now, None))
        if until > now:
            return found
        try:
            found = self._github.repository(name)
        except (GitHubNotFound, GitHubRefused) as error:
            log.warning("%s is served, but can't be seen: %s", name, error)
            found = None
        self._named[name] = (now + REMEMBERED, found)
        return found
