"""The secrets of one checkout's stack: made up once, kept in a folder that only their owner can read."""

from __future__ import annotations

import base64
import os
import secrets
from typing import TYPE_CHECKING

from deploy.local.airflow_settings import AirflowSecrets

if TYPE_CHECKING:
    from pathlib import Path


class Credentials:
    """Named secrets below a folder, each made when it's asked for the first time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def token(self, name: str) -> str:
        """A secret that is safe in URLs, environments and command lines, and long enough for HMAC-SHA512."""
        return self._kept(name, secrets.token_urlsafe(64))

    def password(self, name: str) -> str:
        """A secret that a person can copy by hand."""
        return self._kept(name, "-".join(secrets.token_hex(2) for _ in range(4)))

    def fernet_key(self, name: str) -> str:
        """A key for Fernet, which Airflow encrypts connections with."""
        return self._kept(name, base64.urlsafe_b64encode(os.urandom(32)).decode())

    def keep(self, name: str, secret: str) -> Path:
        """Keep a secret that somebody else made, in place of what had the name; return its file."""
        (self._folder / name).unlink(missing_ok=True)
        self._kept(name, secret)
        return self._folder / name

    def airflow(self) -> AirflowSecrets:
        """All that an Airflow needs."""
        return AirflowSecrets(
            jwt=self.token("airflow-jwt"),
            api=self.token("airflow-api"),
            fernet=self.fernet_key("airflow-fernet"),
            admin_password=self.password("airflow-admin-password"),
            bot_password=self.token("airflow-bot-password"),
        )

    def _kept(self, name: str, fresh: str) -> str:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / name
        if not path.exists():
            partial = path.with_suffix(
                f".{os.getpid()}"
            )  # complete or not there, also for two who make it at once
            partial.touch(mode=0o600)
            partial.write_text(fresh)
            partial.rename(path)
        return path.read_text().strip()
