"""Google's public certificates, fetched when they are needed and kept as long as Google says."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING

from google.auth.exceptions import TransportError
from google.auth.transport.requests import Request

from bot.errors import CertificatesUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CERTIFICATES_URL = "https://www.googleapis.com/oauth2/v1/certs"
"""As JSON, by key id: https://developers.google.com/identity/gsi/web/guides/verify-google-id-token"""
LONGEST_SECONDS = 24 * 3600.0
"""However long Google says: a key that was taken back is not trusted for ever."""
SHORTEST_SECONDS = 60.0
PAUSE_SECONDS = 10.0
"""Between two fetches, failed ones included: whatever strangers send, Google is not asked more often."""
ANSWER_SECONDS = 5.0
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])", re.IGNORECASE)


class Certificates:
    """Certificates by key id. Safe to share among threads: one fetches while the others wait for it."""

    def __init__(self, url: str = CERTIFICATES_URL, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._good_until = float("-inf")
        self._asked_at = float("-inf")

    def with_key(self, key_id: str) -> Mapping[str, str]:
        """All certificates, fetched anew where they are old or the key is not among them.

        Raises:
            CertificatesUnavailable: there are none to be had.
        """
        with self._lock:
            now = self._clock()
            stale = now >= self._good_until
            if (stale or key_id not in self._known) and now >= self._asked_at + PAUSE_SECONDS:
                self._asked_at = now
                self._fetch(now)
            elif stale:
                raise CertificatesUnavailable("Google's certificates could not be fetched a moment ago")
            return self._known

    def _fetch(self, now: float) -> None:
        try:
            answer = Request()(self._url, timeout=ANSWER_SECONDS)
            if answer.status != 200:  # noqa: PLR2004 - OK
                raise CertificatesUnavailable(f"{self._url} answered {answer.status}")
            known = json.loads(answer.data)
        except (TransportError, ValueError) as error:
            raise CertificatesUnavailable(f"Google's certificates can't be fetched: {error}") from error
        if not isinstance(known, dict) or not all(isinstance(one, str) for one in known.values()):
            raise CertificatesUnavailable(f"{self._url} holds no certificates by key id")
        self._known = known
        self._good_until = now + lifetime(answer.headers.get("Cache-Control", ""))


def lifetime(cache_control: str) -> float:
    """Seconds for which an answer may be kept."""
    found = _MAX_AGE.search(cache_control)
    said = float(found[1]) if found else SHORTEST_SECONDS
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, said))
