"""Sealed cookies: what a browser keeps for us, and can neither read nor change."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.ports import Clock

LONGEST_SESSION = timedelta(hours=8)
"""What GitHub gives a user's token, too."""


@dataclass(frozen=True, slots=True)
class Session:
    """A viewer who signed in: GitHub's token for them, and until when it is good."""

    login: str
    token: str
    ends_at: datetime


class Seal:
    """Seals what goes into cookies. The first key seals; all of them open, while one replaces another.

    Args:
        keys: secrets of any form and length, of which keys are made.
        clock: tells what is out of date.
    """

    def __init__(self, keys: Sequence[str], clock: Clock) -> None:
        self._fernet = MultiFernet([Fernet(_key_of(secret)) for secret in keys])
        self._clock = clock

    def session(self, login: str, token: str, seconds: float) -> tuple[str, datetime]:
        """A sealed session, and when it ends: with the token, after 8 hours at most."""
        ends_at = self._clock() + min(timedelta(seconds=seconds), LONGEST_SESSION)
        return self.put({"login": login, "token": token, "ends_at": ends_at.timestamp()}), ends_at

    def open_session(self, text: str) -> Session | None:
        """The session, None if it ended or was not sealed by us."""
        held = self.get(text)
        login, token, ends_at = held.get("login"), held.get("token"), held.get("ends_at")
        if not (isinstance(login, str) and isinstance(token, str) and isinstance(ends_at, int | float)):
            return None
        session = Session(login, token, datetime.fromtimestamp(ends_at, UTC))
        return session if session.ends_at > self._clock() else None

    def put(self, held: Mapping[str, object]) -> str:
        """Sealed text that fits into a cookie."""
        return self._fernet.encrypt(json.dumps(held).encode()).decode()

    def get(self, text: str) -> Mapping[str, object]:
        """What was sealed, nothing if it was not sealed by us."""
        try:
            held = json.loads(self._fernet.decrypt(text.encode(errors="replace")))
        except (InvalidToken, ValueError):
            return {}
        return held if isinstance(held, dict) else {}


def _key_of(secret: str) -> bytes:
    made = HKDF(SHA256(), length=32, salt=None, info=b"preflight: cookies").derive(secret.encode())
    return base64.urlsafe_b64encode(made)
