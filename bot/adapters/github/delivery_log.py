"""GitHub's logs of what it delivered to us: of our App, or of repositories' webhooks that lead to us.

https://docs.github.com/rest/apps/webhooks, https://docs.github.com/rest/repos/webhooks
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cachetools import TTLCache

from bot.adapters.github.access import THE_TOKEN
from bot.adapters.github.answers import Forbidden
from bot.adapters.github.asking import understanding
from bot.adapters.github.cache import SharedCache
from bot.errors import DeliveryLogUnreadable, GitHubNotFound
from bot.models import Attempt, DeliveryLogPart, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from github.Repository import Repository as GitHubRepository
    from github.Requester import Requester

    from bot.adapters.github.client import GitHubClient
    from bot.adapters.github.requester import Requester as OurRequester
    from bot.models import DeliveryLogRef, Quota

APPS = "/app/hook/deliveries"
THE_APP = "the app itself"
"""The account of an App's own requests, which GitHub counts apart. No login has spaces."""

PER_PAGE = 100
MOST_PAGES = 1_000
"""A fifth of an hour's requests."""

FILTERED = range(400, 600)
"""What GitHub finds when it is asked for failures: neither redirects nor what got no answer."""

LATE = timedelta(minutes=5)
"""How much later than its neighbours an attempt may come into the log, or its answer be known."""

HOOKS_ARE_GOOD_FOR = 3600.0
"""Seconds for which it is believed which webhooks a repository has, and whether we may see them."""

REMEDY = (
    "let the token see webhooks (fine-grained: the permission Webhooks, read and write; classic: the scope "
    "repo or admin:repo_hook, and its user an admin of the repository), or use a GitHub App"
)


_said = logging.getLogger(__name__)


class _Hook(NamedTuple):
    id: int
    made_at: datetime


class _Seen(NamedTuple):
    """Between these moments we have seen all of a log; `hidden` is what of it the filter does not find."""

    since: datetime
    until: datetime
    hidden: tuple[Attempt, ...] = ()


class _TooMany(DeliveryLogUnreadable):
    """More than we read."""


class GitHubDeliveryLog:
    """The DeliveryLog port, asked with a client's credentials.

    Args:
        client: whose App or token it is.
        webhook_url: where our webhook is: of repositories' webhooks, those that lead there are ours.
        clock: seconds from any fixed moment.
    """

    def __init__(
        self, client: GitHubClient, webhook_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._url = webhook_url.rstrip("/")
        self._hooks: SharedCache[int, tuple[_Hook, ...] | DeliveryLogUnreadable] = SharedCache(
            TTLCache(10_000, HOOKS_ARE_GOOD_FOR, clock)
        )
        self._seen: dict[int, _Seen] = {}

    def is_apps(self) -> bool:
        """Whether there is one log for all repositories, our App's."""
        return self._client.access.itself() is not None

    def account(self) -> str:
        """A name for the credentials: whose limits count."""
        return THE_APP if self.is_apps() else THE_TOKEN

    def quota(self) -> Quota | None:
        """What is left of the hour's requests, None if unknown."""
        itself = self._client.access.itself()
        usage = self._client.access.usage(Repository(0, "")) if itself is None else itself.usage
        return None if usage is None else usage.quota()

    def read(self, log: DeliveryLogRef, since: datetime, *, failed: bool = True) -> DeliveryLogPart:
        """What was delivered since then, newest first. One request for each 100.

        With `failed`, of what was read so before only failures are asked for.
        """
        if log.repository is None:
            with understanding():
                try:
                    attempts = self._attempts(self._itself(), APPS, since, failed=failed)
                except (GitHubNotFound, Forbidden) as error:
                    raise DeliveryLogUnreadable(
                        f"the App has no webhook that we may see ({error})"
                    ) from error
            return _part(attempts)
        try:
            return self._of_repository(log.repository, since, failed=failed)
        except GitHubNotFound:  # a webhook that we remembered is gone: there may be another
            self._hooks.forget(lambda known: log.repository is not None and known == log.repository.id)
        try:
            return self._of_repository(log.repository, since, failed=failed)
        except GitHubNotFound as error:
            raise DeliveryLogUnreadable(
                f"{log} hides its webhooks' log from us ({error}): {REMEDY}"
            ) from error

    def redeliver(self, log: DeliveryLogRef, attempt: Attempt) -> None:
        """Ask for one more attempt. GitHubNotFound if GitHub kept it no longer. One request."""
        try:
            if log.repository is None:
                with understanding():
                    self._itself().requestJsonAndCheck("POST", f"{APPS}/{attempt.id}/attempts")
            else:
                self._client.asking.ask(
                    log.repository,
                    lambda there: there.requester.requestJsonAndCheck(
                        "POST", f"{there.url}/hooks/{attempt.hook}/deliveries/{attempt.id}/attempts"
                    ),
                )
        except Forbidden as error:
            raise DeliveryLogUnreadable(f"{log} lets us redeliver nothing ({error}): {REMEDY}") from error

    def _itself(self) -> OurRequester:
        itself = self._client.access.itself()
        if itself is None:
            raise DeliveryLogUnreadable("without a GitHub App only repositories' webhooks have logs for us")
        return itself

    def _of_repository(self, repository: Repository, since: datetime, *, failed: bool) -> DeliveryLogPart:
        hooks = self._hooks.get(repository.id, lambda: self._ask_for_hooks(repository))
        if isinstance(hooks, DeliveryLogUnreadable):
            raise DeliveryLogUnreadable(str(hooks))
        attempts: list[Attempt] = []
        for hook in hooks:

            def ask(there: GitHubRepository, hook: _Hook = hook) -> list[Attempt]:
                path = f"{there.url}/hooks/{hook.id}/deliveries"
                return self._attempts(there.requester, path, since, failed=failed, hook=hook.id)

            try:
                attempts += self._client.asking.ask(repository, ask)
            except Forbidden as error:
                raise DeliveryLogUnreadable(
                    f"{repository.full_name} hides its log ({error}): {REMEDY}"
                ) from error
        return _part(attempts, min(hook.made_at for hook in hooks))

    def _ask_for_hooks(self, repository: Repository) -> tuple[_Hook, ...] | DeliveryLogUnreadable:
        """The repository's webhooks that lead to us; it has at most some dozens."""
        name = repository.full_name
        try:
            found = self._client.asking.ask(
                repository,
                lambda there: there.requester.requestJsonAndCheck(
                    "GET", f"{there.url}/hooks", parameters={"per_page": PER_PAGE}
                )[1],
            )
        except (GitHubNotFound, Forbidden) as error:
            return DeliveryLogUnreadable(f"we may not see the webhooks of {name} ({error}): {REMEDY}")
        with understanding():
            hooks = tuple(
                _Hook(int(each["id"]), _time(each["created_at"]))
                for each in found
                if each["active"] and str(each["config"].get("url", "")).rstrip("/") == self._url
            )
        if not hooks:
            return DeliveryLogUnreadable(
                f"{name} has no active webhook to {self._url} (an organisation's own is not read): add one"
            )
        return hooks

    def _attempts(
        self, requester: Requester, path: str, since: datetime, *, failed: bool, hook: int = 0
    ) -> list[Attempt]:
        """All attempts since then; with `failed`, perhaps without successes that an earlier look has seen.

        The filter spares us thousands of them, but hides redirects, too. So what is new is read without it,
        and what it hides is remembered.
        """
        seen = self._seen.get(hook)
        if not failed or seen is None or seen.since > since:
            seen = _Seen(since, since)
        found = {each.id: each for each in seen.hidden}
        rest = seen.until > since
        try:
            for page in _pages(requester, path, {}, max(since, seen.until), hook):
                found |= {each.id: each for each in page}
        except _TooMany as error:
            if not failed:
                raise
            _said.warning("of what is older only 4xx and 5xx are looked at, no redirects: %s", error)
            rest = True
        if rest:
            for page in _pages(requester, path, {"status": "failure"}, since, hook):
                found |= {each.id: each for each in page}
        attempts = [each for each in found.values() if each.delivered_at >= since]
        if failed:
            until = max((each.delivered_at - LATE for each in attempts), default=since)
            hidden = (each for each in attempts if not each.ok and each.status_code not in FILTERED)
            self._seen[hook] = _Seen(since, until, tuple(hidden))
        return attempts


def _part(attempts: list[Attempt], begins: datetime | None = None) -> DeliveryLogPart:
    newest_first = sorted(attempts, key=lambda each: (each.delivered_at, each.id), reverse=True)
    return DeliveryLogPart(tuple(newest_first), begins)


def _pages(
    requester: Requester, path: str, asked: Mapping[str, str], since: datetime, hook: int
) -> Iterator[list[Attempt]]:
    """Pages until one is all older. What GitHub sent late stands among older ones."""
    cursor: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        headers, entries = requester.requestJsonAndCheck(
            "GET", path, parameters={"per_page": PER_PAGE, **asked, **cursor}
        )
        page = list(_sensible(entries, hook))
        yield page
        cursor = _next(headers)
        if not cursor or (page and all(each.delivered_at < since for each in page)):
            return
    raise _TooMany(
        f"the log has more than {MOST_PAGES * PER_PAGE} deliveries since {since:%Y-%m-%d %H:%M}: "
        "too many to be redelivered"
    )


def _sensible(entries: list[Any], hook: int) -> Iterator[Attempt]:
    """What can be read of a page; one entry that makes no sense must not hide all others."""
    for each in entries:
        try:
            yield _attempt(each, hook)
        except (KeyError, TypeError, ValueError) as error:
            _said.warning("an entry of GitHub's delivery log makes no sense, and is left out: %r", error)


def _attempt(entry: Mapping[str, Any], hook: int) -> Attempt:
    return Attempt(
        id=int(entry["id"]),
        guid=str(entry["guid"]),
        delivered_at=_time(entry["delivered_at"]),
        status_code=int(entry["status_code"] or 0),  # null where no answer is known
        event=str(entry["event"]),
        redelivery=bool(entry["redelivery"]),
        hook=hook,
    )


def _next(headers: Mapping[str, Any]) -> dict[str, str]:
    """The cursor of the page that follows. The address in the header is not followed, only read."""
    for link in str(headers.get("link", "")).split(","):
        address, _, relation = link.partition(";")
        if 'rel="next"' in relation:
            cursors = parse_qs(urlsplit(address.strip().strip("<>")).query).get("cursor", [])
            return {"cursor": cursors[0]} if cursors else {}
    return {}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
