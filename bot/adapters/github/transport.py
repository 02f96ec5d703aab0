"""The way to GitHub over HTTP: bounded in time, in size and in number, and no write is ever sent twice.

It stands in for PyGithub's own connection, which retries POST, follows redirects, sleeps, and keeps the
request that it is about to send in an object that threads share.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from bot.adapters.github.answers import named
from bot.adapters.in_time import keep_time, longest
from bot.breaker import Breakers, Refused
from bot.errors import GitHubAway, GitHubUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    OnCall = Callable[[str, str, int, float], None]
    """Called after each request with method, kind of endpoint, status (0: no answer) and seconds."""

    Answer = tuple[int, Mapping[str, str], str]
    """Status, headers and body."""

LONGEST_ANSWER = 32 * 1024 * 1024
"""Bytes; a page of 100 changed files with their patches stays far below."""

LONGEST_CALL = 30.0
"""Seconds that one answer may take in all, however steadily it drips."""

SERVICE = "github"
"""Its name before breakers."""

LONGEST_QUEUE = 60.0
"""Seconds to wait for one of the permitted concurrent requests to end."""


class Transport:
    """Sends requests, from any thread, over kept connections.

    Args:
        on_call: told of every request that was sent.
        max_concurrent: requests at one time; further ones wait for their turn.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds of silence after which an answer is given up.
        breakers: one before each kind of endpoint, so that one that fails does not silence the others.
    """

    def __init__(
        self,
        *,
        on_call: OnCall | None = None,
        max_concurrent: int = 16,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        breakers: Breakers | None = None,
    ) -> None:
        self._on_call = on_call
        self._breakers = breakers or Breakers()
        self._turns = threading.BoundedSemaphore(max_concurrent)
        self._timeouts = (connect_timeout, read_timeout)
        self._session = requests.Session()
        self._session.auth = _leave_alone
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Adapter(pool_maxsize=max_concurrent, max_retries=0))

    def close(self) -> None:
        """Close the connections that are kept."""
        self._session.close()

    def send(
        self, method: str, url: str, kind: str, headers: Mapping[str, str], body: str | None = None
    ) -> Answer:
        """Send one request and return its answer, whatever its status; a read may be sent a second time.

        Raises:
            GitHubUnavailable: no connection, no answer in time, or one too large.
            GitHubAway: nothing was sent, since endpoints of that kind have failed for a while.
        """
        if not self._turns.acquire(timeout=LONGEST_QUEUE):
            raise GitHubUnavailable(
                f"too many requests to GitHub are under way to send {method} {named(url)}"
            )
        try:
            with self._breakers.of(SERVICE, kind).call(_is_failure) as call:
                answer = self._answer(method, url, kind, headers, body)
                call.failed, call.what = answer[0] >= HTTPStatus.INTERNAL_SERVER_ERROR, named(url)
                return answer
        except Refused as refused:
            raise GitHubAway(
                f"GitHub has not answered such requests of late: {method} {named(url)} was not sent",
                refused.seconds,
            ) from None
        finally:
            self._turns.release()

    def _answer(
        self, method: str, url: str, kind: str, headers: Mapping[str, str], body: str | None
    ) -> Answer:
        if method != "GET":
            return self._send(method, url, kind, headers, body)
        try:
            answer = self._send(method, url, kind, headers, body)
        except _ConnectionLost:
            return self._send(method, url, kind, headers, body)
        if answer[0] == HTTPStatus.BAD_GATEWAY:
            return self._send(method, url, kind, headers, body)
        return answer

    def _send(self, method: str, url: str, kind: str, headers: Mapping[str, str], body: str | None) -> Answer:
        began = time.monotonic()
        status = 0
        try:
            with (
                longest(LONGEST_CALL),
                self._session.request(
                    method,
                    url,
                    headers=headers,
                    data=None if body is None else body.encode(),
                    timeout=self._timeouts,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                text = _read(response, began + LONGEST_CALL)
                status = response.status_code
                return status, response.headers, text
        except (requests.RequestException, HTTPError, OSError) as error:
            lost = _ConnectionLost if _was_lost(error) else GitHubUnavailable
            raise lost(f"GitHub did not answer {method} {named(url)}: {_reason(error)}") from error
        finally:
            if self._on_call is not None:
                self._on_call(method, kind, status, time.monotonic() - began)


class _Adapter(HTTPAdapter):
    """Gives up on answers that drip, by way of proxies, too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in the library
        super().init_poolmanager(*args, **kwargs)
        keep_time(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - likewise
        manager = super().proxy_manager_for(proxy, **kwargs)
        keep_time(manager)
        return manager


class _ConnectionLost(GitHubUnavailable):
    """A connection that stood was reset, or could not be made at once."""


def _is_failure(error: Exception) -> bool:
    return isinstance(error, GitHubUnavailable)


def _was_lost(error: Exception) -> bool:
    return isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)) and (
        not isinstance(
            error, (requests.Timeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
        )
    )


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from replacing our Authorization header by what a ~/.netrc says."""
    return request


def _read(response: requests.Response, deadline: float) -> str:
    """The body as text, given up when it grows too large or takes too long."""
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise requests.exceptions.ContentDecodingError(f"the answer is over {LONGEST_ANSWER} bytes")
        if time.monotonic() > deadline:
            raise requests.Timeout(f"the answer took over {LONGEST_CALL:g} s")
    return body.decode(errors="replace")


def _reason(error: Exception) -> str:
    """Why there was no answer, without the address and headers that the libraries' own words hold."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was not accepted (for a private authority set REQUESTS_CA_BUNDLE)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refused (check HTTPS_PROXY and NO_PROXY)"
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "the connection could not be made or was cut"
    return type(error).__name__
