"""The short-lived token of one installation of a GitHub App, shared by all threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from github.Auth import Auth

if TYPE_CHECKING:
    from collections.abc import Callable

RENEW_BEFORE = 300.0
"""Seconds before its end at which a token is replaced (GitHub's live for an hour)."""


@dataclass(frozen=True, slots=True)
class MintedToken:
    """An installation token as GitHub handed it out, and for how many seconds from then it is good."""

    token: str = field(repr=False)
    lifetime: float


class InstallationAuth(Auth):
    """Authenticates as an installation.

    However many threads ask, `mint` runs in one at a time and its token serves all.

    Args:
        mint: asks GitHub for a new token.
        clock: seconds from any fixed moment, never going back.
    """

    def __init__(self, mint: Callable[[], MintedToken], clock: Callable[[], float]) -> None:
        self._mint = mint
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    @property
    def token_type(self) -> str:
        """The scheme of the Authorization header."""
        return "token"

    @property
    def token(self) -> str:
        """A token that is good for a while yet."""
        with self._lock:
            now = self._clock()
            if self._token is None or now >= self._renew_at:
                minted = self._mint()
                self._renew_at = now + minted.lifetime - min(RENEW_BEFORE, minted.lifetime / 2)
                self._token = minted.token
            return self._token

    def discard(self, authorization: str) -> None:
        """Never use the token of this Authorization header again: GitHub refused it.

        A newer one is kept: another thread may have renewed it already.
        """
        with self._lock:
            if authorization == f"{self.token_type} {self._token}":
                self._token = None

    def expire(self) -> None:
        """Use a new token from now on: what the installation may see or do has changed."""
        with self._lock:
            self._token = None
