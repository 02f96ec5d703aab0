"""What the bot proves itself with: a personal token, or a GitHub App's id and private key."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.errors import SettingsError

SMALLEST_KEY = 2048
"""Bits; GitHub makes keys of 2048."""

TOKEN = "PREFLIGHT_GITHUB_TOKEN"  # noqa: S105 - the name of a setting
APP_ID = "PREFLIGHT_GITHUB_APP_ID"
KEY = "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE"
DOWNLOAD = "generate and download a private key on the App's settings page (Private keys)"


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal access token, classic or fine-grained; SettingsError if it cannot be one."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.token:
            raise SettingsError(f"{TOKEN} is empty: make a token in GitHub's developer settings")
        if not (self.token.isascii() and self.token.isprintable()) or " " in self.token:
            raise SettingsError(f"{TOKEN} holds spaces, line breaks or other characters that no token has")


@dataclass(frozen=True, slots=True)
class AppKey:
    """A GitHub App: its id (or client id) and private key (PEM); SettingsError if these are unusable."""

    app_id: str
    private_key: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.app_id.isalnum() and not self.app_id.replace(".", "").isalnum():
            raise SettingsError(f"{APP_ID} must be the App's number or client id, not {self.app_id!r}")
        _check_private_key(self.private_key)


def _check_private_key(pem: str) -> None:
    if "-----BEGIN" not in pem:
        raise SettingsError(f"{KEY} holds no PEM (it has no line -----BEGIN ...): {DOWNLOAD}")
    for mark, kind in (("PUBLIC KEY-----", "a public key"), ("CERTIFICATE-----", "a certificate")):
        if mark in pem and "PRIVATE KEY-----" not in pem:
            raise SettingsError(f"{KEY} holds {kind}: {DOWNLOAD}")
    if "ENCRYPTED" in pem:
        raise SettingsError(f"{KEY} is encrypted with a passphrase: store it decrypted (openssl rsa -in KEY)")
    if "\\n" in pem:
        raise SettingsError(
            f"{KEY} holds the two characters \\n where line breaks belong: write real line breaks"
        )
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{KEY} is damaged or not a PEM private key: {DOWNLOAD}") from error
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError(f"{KEY} is not an RSA key, and GitHub Apps sign with RSA only: {DOWNLOAD}")
    if key.key_size < SMALLEST_KEY:
        raise SettingsError(f"{KEY} has {key.key_size} bits, fewer than {SMALLEST_KEY}: {DOWNLOAD}")
