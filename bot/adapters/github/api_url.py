"""The address of GitHub's REST API, checked before a credential is ever sent to it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from bot.errors import SettingsError

NAME = "PREFLIGHT_GITHUB_API_URL"


def check_api_url(url: str) -> str:
    """The URL without a slash at its end; SettingsError if it cannot, or should not, be used."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # reading it checks it
    except ValueError as error:
        raise SettingsError(f"{NAME} is not a URL: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise SettingsError(f"{NAME} must not hold credentials: remove what stands before the @")
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
        raise SettingsError(f"{NAME} must be a URL such as https://api.github.com, not {url!r}")
    if " " in url or parts.query or parts.fragment:
        raise SettingsError(f"{NAME} must be a plain address such as https://api.github.com, not {url!r}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise SettingsError(
            f"{NAME} must begin with https://: over http:// anyone on the way to {host} could read "
            "our credentials (only a loopback address such as 127.0.0.1 may do without)"
        )
    if host in ("github.com", "www.github.com"):
        raise SettingsError(f"{NAME} is https://api.github.com for github.com, not {url!r}")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
