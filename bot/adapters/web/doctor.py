"""Asks our own web through the public URL, as GitHub does: the port of `bot doctor`."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from bot.errors import NoAnswer, WebUnreachable
from bot.models.doctor import SeenPage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LONGEST = 64 * 1024
"""Bytes of a page that are read."""

_TIMEOUTS = (4.0, 8.0)


class PublicWeb:
    """Fulfils WebLook. `url` is the public URL, without a slash at its end."""

    def __init__(self, url: str) -> None:
        self._url = url

    def addresses(self) -> Sequence[str]:
        """The IP addresses that the host's name has here."""
        host = urlsplit(self._url).hostname or ""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise WebUnreachable(
                f"the name {host} can't be resolved: {_words(error)}", NoAnswer.NAME
            ) from error
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def get(self, path: str) -> SeenPage:
        """A page below the public URL."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> SeenPage:
        """What is answered to a POST."""
        return self._ask("POST", path, body, headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> SeenPage:
        try:
            with requests.request(
                method,
                self._url + path,
                data=body,
                headers={"User-Agent": "preflight-doctor", **headers},
                timeout=_TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as response:
                text = response.raw.read(LONGEST, decode_content=True).decode(errors="replace")
                location = response.headers.get("Location", "")
                return SeenPage(status=response.status_code, text=text, location=location)
        except (requests.RequestException, OSError) as error:
            why, words = _why(error)
            raise WebUnreachable(f"{self._url} can't be reached: {words}", why) from error


def _why(error: BaseException) -> tuple[NoAnswer, str]:
    """What is at the bottom of a failure, by the system's own error in it."""
    known = next(filter(None, map(_known, _causes(error))), None)
    return known or (NoAnswer.CUT, f"the connection was cut ({type(error).__name__})")


def _known(cause: BaseException) -> tuple[NoAnswer, str] | None:
    found = None
    match cause:
        case ssl.SSLCertVerificationError():
            found = NoAnswer.CERTIFICATE, f"its certificate was not accepted: {cause.verify_message}"
        case ssl.SSLError():
            found = NoAnswer.CUT, f"it does not speak TLS as we do ({cause.reason})"
        case socket.gaierror():
            found = NoAnswer.NAME, f"its name can't be resolved: {_words(cause)}"
        case ConnectionRefusedError():
            found = NoAnswer.REFUSED, "the connection was refused"
        case TimeoutError() | requests.Timeout():
            found = NoAnswer.TIME, "no answer in time"
        case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH):
            found = NoAnswer.TIME, "there is no way to that host"
    return found


def _causes(error: BaseException | object) -> Iterator[BaseException]:
    """An error and all that it was made of: libraries wrap the system's own several times."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        yield one


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
