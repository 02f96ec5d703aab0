"""What GitHub tells about our credentials, permissions and webhooks: the ports of `bot doctor`."""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from github.Auth import AppAuth, Token

from bot.adapters.github.access import AppAccess, TokenAccess
from bot.adapters.github.answers import Forbidden, Moved, Unprocessable
from bot.adapters.github.api_url import check_api_url
from bot.adapters.github.asking import understanding
from bot.adapters.github.cache import SharedCache
from bot.adapters.github.credentials import AppKey
from bot.adapters.github.endpoint import Endpoint
from bot.adapters.github.requester import USER_AGENT
from bot.adapters.github.transport import Transport
from bot.errors import GitHubNotFound, GitHubRefused
from bot.models import Repository
from bot.models.doctor import (
    Knock,
    SeenApp,
    SeenDelivery,
    SeenHook,
    SeenInstallation,
    SeenRepository,
    SeenToken,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.adapters.github.access import Access
    from bot.adapters.github.credentials import PersonalToken
    from bot.adapters.github.requester import Requester

NOWHERE = "0" * 40
"""No commit has this SHA: git itself says by it that there is none."""

LAST_DELIVERIES = 50
MOST_PAGES = 10
"""Of installations, 100 each."""


class GitHubDoctor:
    """Fulfils GitHubLook, and AppLook or TokenLook by its credentials. Each thing is asked once.

    Args:
        api_url: of the REST API.
        credentials: a personal token, or a GitHub App's key.
        now: our clock.

    Raises:
        SettingsError: an address that credentials must not be sent to.
    """

    def __init__(
        self, api_url: str, credentials: PersonalToken | AppKey, *, now: Callable[[], float] = time.time
    ) -> None:
        self._api_url = check_api_url(api_url)
        self._transport = Transport(connect_timeout=3.0, read_timeout=8.0)
        endpoint = Endpoint(self._api_url, self._transport)
        self._now = now
        self._access: Access
        self._itself: Requester
        if isinstance(credentials, AppKey):
            self._access = AppAccess(endpoint, credentials)
            self._itself = endpoint.app_requester(AppAuth(credentials.app_id, credentials.private_key))
        else:
            self._access = TokenAccess(endpoint, credentials)
            self._itself = endpoint.requester(Token(credentials.token), "")
        self._known: SharedCache[str, Any] = SharedCache({})
        self._unknown_ids = itertools.count(-1, -1)

    # GitHubLook

    def knock(self) -> Knock:
        """Whether GitHub's API is there. One request, without credentials; it costs nothing."""

        def ask() -> Knock:
            status, headers, _ = self._transport.send(
                "GET", f"{self._api_url}/rate_limit", "rate_limit", {"User-Agent": USER_AGENT}
            )
            known = "X-GitHub-Request-Id" in headers and "json" in headers.get("Content-Type", "")
            return Knock(
                genuine=known and status < HTTPStatus.INTERNAL_SERVER_ERROR,
                date=headers.get("Date", ""),
                at=self._now(),
            )

        found: Knock = self._known.get("knock", ask)
        return found

    def repository(self, full_name: str) -> SeenRepository:
        """The repository that has, or had, that name. Two requests, with an App three."""
        found: SeenRepository = self._known.get(
            f"repository {full_name}", lambda: self._repository(full_name)
        )
        return found

    # AppLook

    def app(self) -> SeenApp:
        """The App. One request."""

        def ask() -> SeenApp:
            _, app = self._itself.requestJsonAndCheck("GET", "/app")
            return SeenApp(
                slug=str(app["slug"]),
                owner=str(app["owner"]["login"]),
                permissions=dict(app["permissions"]),
                events=frozenset(app["events"]),
                page=str(app.get("html_url") or ""),
            )

        with understanding():
            found: SeenApp = self._known.get("app", ask)
        return found

    def installations(self) -> Sequence[SeenInstallation]:
        """Where it is installed. One request for each 100, at most ten."""

        def ask() -> tuple[SeenInstallation, ...]:
            return tuple(_installation(each) for each in self._all("/app/installations"))

        with understanding():
            found: tuple[SeenInstallation, ...] = self._known.get("installations", ask)
        return found

    def app_hook(self) -> SeenHook:
        """Its webhook and the newest of its delivery log. Two requests."""

        def ask() -> SeenHook:
            # Not requestJsonAndCheck, which makes up a `url` where there is none.
            _, _, text = self._itself.requestJson("GET", "/app/hook/config")
            return _hook(dict(json.loads(text)), deliveries=self._deliveries("/app/hook/deliveries"))

        with understanding():
            found: SeenHook = self._known.get("hook", ask)
        return found

    # TokenLook

    def token(self) -> SeenToken:
        """Whose it is. One request."""
        with understanding():
            _, headers, text = self._itself.requestJson("GET", "/user")
            scopes = headers.get("x-oauth-scopes")
            return SeenToken(
                login=str(json.loads(text)["login"]),
                scopes=None if scopes is None else frozenset(filter(None, map(str.strip, scopes.split(",")))),
                quota=self._itself.usage.quota(),
            )

    def hooks(self, full_name: str) -> Sequence[SeenHook] | None:
        """The repository's own webhooks; None where we may not see them. One request, and one for each."""
        path = f"/repos/{quote(full_name)}/hooks"
        with understanding():
            try:
                _, found = self._itself.requestJsonAndCheck("GET", path, {"per_page": 100})
                return tuple(
                    _hook(
                        dict(each["config"]),
                        active=bool(each["active"]),
                        events=frozenset(each["events"]),
                        deliveries=self._deliveries(f"{path}/{each['id']}/deliveries"),
                    )
                    for each in found
                )
            except (GitHubNotFound, Forbidden, Moved):
                return None

    def may_set_status(self, repository: Repository) -> bool | None:
        """Whether statuses can be set there, by how GitHub refuses one for a commit that can't be."""
        path = f"/repos/{quote(repository.full_name)}/statuses/{NOWHERE}"
        body = {"state": "pending", "context": "preflight/doctor", "description": "never to be seen"}
        try:
            self._itself.requestJsonAndCheck("POST", path, input=body)
        except Unprocessable:
            return True
        except (Forbidden, GitHubNotFound):
            return False
        except GitHubRefused:
            return None
        return None

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def _repository(self, name: str) -> SeenRepository:
        asker = self._access.requester(Repository(next(self._unknown_ids), name), name)
        with understanding():
            try:
                _, found = asker.requestJsonAndCheck("GET", f"/repos/{quote(name)}")
            except Moved as moved:
                _, found = asker.requestJsonAndCheck("GET", moved.location)
            permissions = found.get("permissions")
            is_app = isinstance(self._access, AppAccess)
            return SeenRepository(
                repository=Repository(int(found["id"]), str(found["full_name"]), bool(found["private"])),
                default_branch=str(found["default_branch"]),
                archived=bool(found.get("archived")),
                owner_is_user=found["owner"]["type"] == "User",
                may_push=None if is_app or not permissions else bool(permissions.get("push")),
            )

    def _deliveries(self, path: str) -> tuple[SeenDelivery, ...] | None:
        try:
            _, found = self._itself.requestJsonAndCheck("GET", path, {"per_page": LAST_DELIVERIES})
        except (GitHubNotFound, Forbidden):
            return None
        return tuple(
            SeenDelivery(
                id=str(each["guid"]),
                at=datetime.fromisoformat(each["delivered_at"]).astimezone(UTC),
                event=str(each["event"]),
                code=int(each["status_code"] or 0),
                status=str(each["status"]),
            )
            for each in found
        )

    def _all(self, path: str) -> list[dict[str, Any]]:
        """All entries of a list, as far as we go."""
        entries: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            _, found = self._itself.requestJsonAndCheck("GET", path, {"per_page": 100, "page": page})
            entries += found
            if len(found) < 100:  # noqa: PLR2004 - a page that is not full is the last
                break
        return entries


def _installation(found: Mapping[str, Any]) -> SeenInstallation:
    return SeenInstallation(
        account=str(found["account"]["login"]),
        permissions=dict(found["permissions"]),
        suspended=bool(found.get("suspended_at")),
        page=str(found.get("html_url") or ""),
    )


def _hook(
    config: Mapping[str, Any],
    *,
    active: bool = True,
    events: frozenset[str] | None = None,
    deliveries: tuple[SeenDelivery, ...] | None = None,
) -> SeenHook:
    """A webhook by its `config`, in which GitHub shows a secret as asterisks."""
    return SeenHook(
        url=str(config.get("url") or ""),
        content_type=str(config.get("content_type") or "form"),
        has_secret=bool(config.get("secret")),
        insecure_ssl=str(config.get("insecure_ssl", "0")) == "1",
        active=active,
        events=events,
        deliveries=deliveries,
    )
