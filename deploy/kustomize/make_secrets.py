"""Make up the secrets of an installation on Kubernetes, as files for `kubectl create secret --from-file`.

    python3 deploy/kustomize/make_secrets.py secrets

Needs Python's standard library only. What is there already is kept, so one secret is replaced by deleting
its file (and what is derived from it: the program says so) and running this again.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POSTGRES, AIRFLOW, PREFLIGHT = "postgres-secrets", "airflow-secrets", "preflight-secrets"
FROM_GITHUB = "github-private-key.pem"
"""The one that nobody can make up."""


class Folder:
    """Secrets below a folder: one folder for each Secret of Kubernetes, in it one file for each key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: list[str] = []

    def get(self, secret: str, key: str, make: Callable[[], str]) -> str:
        """Return the secret; what `make` makes up is kept where there is none yet."""
        path = self.path / secret / key
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(make())
            self.made.append(f"{secret}/{key}")
        return path.read_text()


def password() -> str:
    """Make up what is safe in a URL and in a shell."""
    return secrets.token_hex(32)


def fernet_key() -> str:
    """Make up a key for Fernet: 32 bytes, URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def make_all(folder: Folder, host: str) -> None:
    """Make up what is missing. `host` is PostgreSQL's, HOST:PORT."""
    folder.get(POSTGRES, "postgres-password", password)
    airflow = folder.get(POSTGRES, "airflow-password", password)
    preflight = folder.get(POSTGRES, "preflight-password", password)
    folder.get(AIRFLOW, "connection", lambda: f"postgresql+psycopg://airflow:{airflow}@{host}/airflow")
    folder.get(AIRFLOW, "fernet-key", fernet_key)
    folder.get(AIRFLOW, "api-secret-key", password)
    folder.get(AIRFLOW, "jwt-secret", lambda: secrets.token_hex(64))  # HMAC-SHA512 wants as many bytes
    bot = folder.get(PREFLIGHT, "airflow-password", password)
    users = {"admin": password(), "preflight": bot}
    folder.get(AIRFLOW, "passwords.json", lambda: json.dumps(users))
    folder.get(
        PREFLIGHT, "database-url", lambda: f"postgresql+psycopg://preflight:{preflight}@{host}/preflight"
    )
    folder.get(PREFLIGHT, "webhook-secrets", password)
    folder.get(PREFLIGHT, "nudge-secret", password)
    folder.get(PREFLIGHT, "session-keys", password)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files, and say what to do with them; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the files are kept; not in a repository")
    parser.add_argument(
        "--postgres", default="postgres:5432", metavar="HOST:PORT", help="a PostgreSQL of your own"
    )
    asked = parser.parse_args(arguments)
    folder = Folder(asked.folder)
    make_all(folder, asked.postgres)
    print(*(f"made {name}" for name in folder.made) if folder.made else ["all are there already"], sep="\n")
    if not (asked.folder / PREFLIGHT / FROM_GITHUB).exists():
        print(f"Missing: {asked.folder / PREFLIGHT / FROM_GITHUB}, the GitHub App's private key.")
    print("Then:")
    for secret in (POSTGRES, AIRFLOW, PREFLIGHT):
        print(f"  kubectl -n preflight create secret generic {secret} --from-file={asked.folder / secret}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
