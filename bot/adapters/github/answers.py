"""What GitHub's answers mean: status, headers and body become one of our errors, or nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_WAIT = 60.0
"""Seconds to wait where GitHub limits us without saying for how long: what its documentation asks for."""

LONGEST_MESSAGE = 300


class CredentialsRefused(GitHubRefused):
    """401: the token expired, was revoked, or never was one."""


class Forbidden(GitHubRefused):
    """403 that asks for no patience: our credentials lack a permission."""


class Unprocessable(GitHubRefused):
    """422: GitHub understands what is asked, and can't do it."""


class Moved(GitHubRefused):
    """A redirect. It is never followed as it stands; `location` is the absolute URL it points to."""

    def __init__(self, request: str, location: str) -> None:
        super().__init__(
            f"GitHub redirects {request} to {location}: "
            "if that is another host, correct PREFLIGHT_GITHUB_API_URL, else the repository was renamed"
        )
        self.location = location


def check_answer(method: str, url: str, status: int, headers: Mapping[str, str], body: str) -> None:
    """Raise the error that an answer stands for; a success passes.

    Args:
        method: of the request.
        url: of the request, absolute; only its path is named in messages.
        status: the answer's status code.
        headers: the answer's headers, found whatever their case.
        body: the answer's body, JSON as a rule.

    Raises:
        GitHubRateLimited: 429, or 403 that tells us to slow down.
        GitHubUnavailable: 5xx, or a page where JSON was due.
        GitHubNotFound: 404 or 410.
        Moved: a redirect.
        GitHubRefused: everything else.
    """
    request = f"{method} {named(url)}"
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        _check_limits(request, status, headers, body)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise GitHubUnavailable(f"GitHub answered {request} with {status}", _seconds(headers))
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise GitHubNotFound(
            f"GitHub has nothing at {request}, or does not let us see it{_quoted(body, 'Not Found')}"
        )
    if status == HTTPStatus.UNAUTHORIZED:
        raise CredentialsRefused(
            f"GitHub does not accept our credentials for {request}{_quoted(body)}: "
            "check PREFLIGHT_GITHUB_TOKEN, or PREFLIGHT_GITHUB_APP_ID with its private key and the clock here"
        )
    if status == HTTPStatus.FORBIDDEN:
        raise Forbidden(f"GitHub forbids {request}{_quoted(body)}{_wanted_permission(headers)}")
    if status >= HTTPStatus.BAD_REQUEST:
        error = Unprocessable if status == HTTPStatus.UNPROCESSABLE_ENTITY else GitHubRefused
        raise error(f"GitHub refused {request} with {status}{_quoted(body)}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Moved(request, urljoin(url, headers.get("Location", "")))
    if status == HTTPStatus.ACCEPTED and method == "GET":
        raise GitHubUnavailable(f"GitHub is still preparing its answer to {request}", 2.0)
    if body and "json" not in headers.get("Content-Type", ""):
        raise GitHubUnavailable(
            f"{request} was not answered with JSON: check that PREFLIGHT_GITHUB_API_URL is the address of "
            "GitHub's REST API (https://HOST/api/v3 on GitHub Enterprise Server)"
        )


def named(url: str) -> str:
    """How messages name a URL: its path, without host and query."""
    return "/" + url.partition("://")[2].partition("?")[0].partition("/")[2]


def sent_at(headers: Mapping[str, str]) -> datetime:
    """When GitHub sent an answer, by its own clock; by ours if it does not say."""
    try:
        sent = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        sent = datetime.now(UTC)
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)


def until_reset(headers: Mapping[str, str]) -> float | None:
    """The seconds from GitHub's own now (our clock does not matter) to the end of the hour's limit."""
    try:
        return max(1.0, int(headers.get("X-RateLimit-Reset", "")) - sent_at(headers).timestamp())
    except ValueError:
        return None


def _check_limits(request: str, status: int, headers: Mapping[str, str], body: str) -> None:
    text = _message(body).lower()
    spent = headers.get("X-RateLimit-Remaining") == "0"
    slow_down = "rate limit" in text or text.endswith(("try again.", "again later."))
    if status == HTTPStatus.FORBIDDEN and not (spent or slow_down or "Retry-After" in headers):
        return
    wait = _seconds(headers)
    if wait is None and spent:
        wait = until_reset(headers)
    raise GitHubRateLimited(
        f"GitHub asks us to slow down: {request} was answered with {status}{_quoted(body)}",
        DEFAULT_WAIT if wait is None else wait,
    )


def _seconds(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` says, if it is a number of seconds (GitHub sends no dates)."""
    try:
        return max(0.0, float(int(headers.get("Retry-After", ""))))
    except ValueError:
        return None


def _wanted_permission(headers: Mapping[str, str]) -> str:
    wanted = headers.get("X-Accepted-GitHub-Permissions") or headers.get("X-Accepted-OAuth-Scopes") or ""
    if not wanted:
        return ": check the permissions of the token, or of the App and its installation"
    return (
        f": it needs the permission {wanted.replace(';', ' or')}; "
        "give it to the token, or to the App and accept it in the installation"
    )


def _message(body: str) -> str:
    """GitHub's own words for an error, with those for each field."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(answer, dict):
        return ""
    words = [str(answer.get("message") or "")]
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            told = error.get("message") or " ".join(str(error.get(key, "")) for key in ("field", "code"))
            words.append(str(told).strip())
        else:
            words.append(str(error))
    return " ".join("; ".join(filter(None, words)).split())[:LONGEST_MESSAGE]


def _quoted(body: str, silent: str = "") -> str:
    message = _message(body)
    return f' ("{message}")' if message and message != silent else ""
