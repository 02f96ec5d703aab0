"""PyGithub's requests, sent through our own transport."""

from __future__ import annotations

import json
import math
import posixpath
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import github.Requester
from github.Consts import API_VERSION_2022_11_28

from bot.adapters.github.answers import CredentialsRefused, check_answer
from bot.adapters.github.installation_auth import InstallationAuth
from bot.adapters.github.usage import Usage
from bot.errors import GitHubRateLimited, GitHubRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from github.Auth import Auth

    from bot.adapters.github.conditional import KeptAnswers
    from bot.adapters.github.transport import Transport

    Answer = tuple[int, dict[str, Any], str]
    """Status, headers (names in lower case) and body."""

USER_AGENT = "preflight"
PER_PAGE = 100
"""The largest page that GitHub gives."""


class Requester(github.Requester.Requester):
    """What PyGithub's objects ask GitHub with: one set of credentials, any number of threads.

    All of PyGithub's calls with JSON pass through `requestJson`. It raises our own errors, so that PyGithub
    sees successes only, and sends a request once more only when GitHub refused an installation token (401):
    such a request was not carried out. While GitHub wants us to slow down, nothing is sent.

    Args:
        api_url: of the REST API, without a slash at its end.
        auth: what to authenticate with.
        transport: the way to GitHub.
        clock: seconds from any fixed moment.
        account: a name for the credentials, for what is kept.
        kept: answers to reads, asked about with their ETag when they are wanted again; None keeps none.
        on_quota: told when an answer said what is left of the hour's requests: see `usage`.
    """

    def __init__(
        self,
        api_url: str,
        auth: Auth,
        transport: Transport,
        clock: Callable[[], float] = time.monotonic,
        *,
        account: str = "",
        kept: KeptAnswers | None = None,
        on_quota: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            auth=auth,
            base_url=api_url,
            timeout=0,  # this and what follows up to `pool_size` are for the connection that we do not use
            user_agent=USER_AGENT,
            per_page=PER_PAGE,
            verify=True,
            retry=None,
            pool_size=None,
            lazy=True,
            api_version=API_VERSION_2022_11_28,
        )
        self._transport = transport
        self._clock = clock
        self._not_before = -math.inf
        self._account = account
        self._kept = kept
        self._on_quota = on_quota
        self.usage = Usage(clock)

    def requestJson(  # noqa: N802, PLR0917 - PyGithub's name and parameters
        self,
        verb: str,
        url: str,
        parameters: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        input: Any | None = None,  # noqa: A002, ANN401 - PyGithub's name and type
        cnx: object = None,  # noqa: ARG002 - PyGithub's connection, which ours replaces
        follow_302_redirect: bool = False,  # noqa: ARG002, FBT001, FBT002 - no redirect is followed
    ) -> Answer:
        """Send a request; its status, headers (names in lower case) and body, of a success only."""
        address = self.add_parameters_to_url(self._address(url), parameters or {})
        sent = {
            "Accept": "application/vnd.github+json",
            **(headers or {}),
            "User-Agent": USER_AGENT,
            "X-GitHub-Api-Version": API_VERSION_2022_11_28,
        }
        body = None
        if input is not None:
            body = json.dumps(input)
            sent["Content-Type"] = "application/json"
        if self._kept is None or verb != "GET":
            return self._authorized(verb, address, sent, body)
        asked = (self._account, address, sent["Accept"])
        known = self._kept.get(asked)
        if known is not None:
            sent["If-None-Match"] = known.etag
        answer = self._authorized(verb, address, sent, body)
        if known is not None and answer[0] == HTTPStatus.NOT_MODIFIED:
            return int(HTTPStatus.OK), dict(known.headers), known.body
        self._kept.put(asked, *answer)
        return answer

    def _authorized(self, verb: str, address: str, headers: dict[str, str], body: str | None) -> Answer:
        try:
            return self._send(verb, address, headers, body)
        except CredentialsRefused:
            if not isinstance(self.auth, InstallationAuth):
                raise
            self.auth.discard(headers["Authorization"])
            return self._send(verb, address, headers, body)

    def _send(self, verb: str, address: str, headers: dict[str, str], body: str | None) -> Answer:
        wait = self._not_before - self._clock()
        if wait > 0:
            raise GitHubRateLimited(f"GitHub asked us to slow down: nothing is sent for {wait:.0f} s", wait)
        if self.auth is not None:
            self.auth.authentication(headers)
        kind = kind_of(address.removeprefix(self.base_url))
        self.usage.sent(verb)
        status, answered, text = self._transport.send(verb, address, kind, headers, body)
        if self.usage.answered(answered):
            self._on_quota()
        try:
            if status != HTTPStatus.NOT_MODIFIED or "If-None-Match" not in headers:
                check_answer(verb, address, status, answered, text)
        except GitHubRateLimited as error:
            # For all that these credentials send: who goes on asking is banned in the end.
            self._not_before = self._clock() + (error.retry_after or 0.0)
            raise
        return status, {name.lower(): value for name, value in answered.items()}, text

    def _address(self, url: str) -> str:
        """The absolute URL, which is never outside of the API that our credentials are for."""
        address = self.base_url + url if url.startswith("/") else url
        path = unquote(urlsplit(address).path)
        if not address.startswith(f"{self.base_url}/") or posixpath.normpath(path) != path:
            raise GitHubRefused(f"{url} is not an address below {self.base_url}, so nothing was sent there")
        return address


def kind_of(path: str) -> str:
    """The kind of endpoint behind a path below the API's base, for metrics: few, and no stranger's words."""
    words = path.partition("?")[0].strip("/").split("/")
    if words[0] == "repos":
        words = words[3:] or ["repository"]
    if words[0] == "orgs":
        words = words[2:] or ["organisation"]
    if words[0] in ("pulls", "issues", "app"):
        words = [word for word in words if not word.isdigit()][-1:]
    return words[0]
