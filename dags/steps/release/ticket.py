"""A ticket for one use, exchanged at the bot for a token that reads one private repository.

`POST PREFLIGHT_TICKET_URL` with the ticket and what it is bound to. 200 holds the token, 403 says why there
is none, 503 asks to try again. Nothing of it is ever printed.
"""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from steps.errors import StepFailed, TryAgain

_NAME = "PREFLIGHT_TICKET"
_TRIES = 6
_PAUSE = 1.0
_TIMEOUT = 10.0
_MAX_BYTES = 64 * 1024
_MAX_WORDS = 300
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Ticket:
    """Asks the bot for a token, once."""

    secret: str = field(repr=False)
    url: str
    bound_to: Mapping[str, Any]
    """Run, task, try and repository: the bot gives a token to no other."""

    @classmethod
    def taken_from(cls, environ: MutableMapping[str, str]) -> Self | None:
        """Take it out of `environ`, where no child process shall find it; None when there is none."""
        taken = {name: environ.pop(name) for name in [*environ] if name.startswith(_NAME)}
        if not taken.get(_NAME):
            return None
        tries = taken.get(f"{_NAME}_TRY", "")
        return cls(
            secret=taken[_NAME],
            url=taken.get(f"{_NAME}_URL", ""),
            bound_to={
                "run_id": environ.get("BUILD_ID", ""),
                "dag_run_id": taken.get(f"{_NAME}_DAG_RUN_ID", ""),
                "task_id": taken.get(f"{_NAME}_TASK_ID", ""),
                "try_number": int(tries) if re.fullmatch(r"[0-9]{1,9}", tries) else 0,
                "repository": f"{environ.get('REPO_OWNER', '')}/{environ.get('REPO_NAME', '')}",
            },
        )

    def exchange(self, *, timeout: float = _TIMEOUT, pause: Callable[[float], None] = time.sleep) -> str:
        """Return the token.

        Args:
            timeout: seconds for one request.
            pause: how to wait between two.

        Raises:
            TryAgain: the bot can't be reached or is busy, or its answer got lost.
            StepFailed: it gives none.
        """
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise StepFailed(
                "the run has a ticket for a private repository, but Airflow doesn't know where the bot is: "
                f"set {_NAME}_URL (or PREFLIGHT_NUDGE_URL) in its environment"
            )
        why = ""
        for number in range(_TRIES):
            if number:
                pause(_PAUSE)
            try:
                return self._token(self._post(timeout))
            except urllib.error.HTTPError as error:
                words = self._words(error, timeout)
                if error.code not in _AGAIN:
                    raise StepFailed(self._refusal(error.code, words)) from None
                why = words or f"it answers {error.code}"
            except urllib.error.URLError as error:
                why = str(error.reason)
            except (OSError, http.client.HTTPException) as error:
                # The request may have been obeyed, and this try's one use be gone. The next has its own.
                raise TryAgain(f"the bot's answer about the token got lost: {_line(error)}") from None
        raise TryAgain(f"the bot gives no token now: {why}")

    def _post(self, timeout: float) -> bytes:
        body = json.dumps({"ticket": self.secret, **self.bound_to}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310 - exchange() lets only http(s) in
        with _OPENER.open(request, timeout=timeout) as response:
            return _read(response, timeout)

    def _token(self, answer: bytes) -> str:
        content = _object(answer)
        token = content.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise StepFailed(
                f"what answers at {urlsplit(self.url).netloc} gives no token: is {_NAME}_URL the bot's?"
            )
        return token

    def _refusal(self, code: int, words: str) -> str:
        if code == http.HTTPStatus.FORBIDDEN and words:
            return f"the bot gives no token for this repository: {words}"
        return f"the bot gives no token: it answers {code}{words and f', {words}'}"

    def _words(self, error: urllib.error.HTTPError, timeout: float) -> str:
        try:
            content = _object(_read(error, timeout))
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            error.close()
        said = content.get("error")
        return _line(said).replace(self.secret, "***") if isinstance(said, str) else ""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a ticket is for the bot alone."""

    def redirect_request(self, *_: object) -> None:
        """Refuse it; the redirect then is an error like others."""


# The bot's internal address needs no proxy, and no proxy needs a ticket.
_OPENER = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _read(response: Any, timeout: float) -> bytes:  # noqa: ANN401 - an HTTPResponse, or an HTTPError that wraps one
    """Read it whole; a server that sends it drop by drop is as good as a silent one."""
    deadline = time.monotonic() + timeout
    content = b""
    while len(content) < _MAX_BYTES and (piece := response.read1(_MAX_BYTES)):
        content += piece
        if time.monotonic() > deadline:
            raise TimeoutError("it takes too long")
    return content


def _object(answer: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _line(said: object) -> str:
    """Return it in one short line that holds no control character."""
    return "".join(each if each.isprintable() else " " for each in " ".join(str(said).split()))[:_MAX_WORDS]
