"""Reads the environment, and collects every problem before it complains."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from bot.errors import SettingsError
from bot.policy.configuration.fields import FORMS
from bot.settings.known import KNOWN, PREFIX, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Reader:
    """Collects every problem before it complains."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems = [
            _unknown(name)
            for name, value in sorted(environment.items())
            if name.startswith(PREFIX) and name not in KNOWN and not _is_service(name, value)
        ]
        self.missing: list[str] = []

    def text(self, name: str) -> str:
        """The value, from the variable or the file that its _FILE twin names; stripped."""
        setting = KNOWN[name]
        value = self.environment.get(name, "").strip()
        file = self.environment.get(f"{name}_FILE", "").strip() if setting.secret else ""
        if value and file:
            self.problems.append(f"{name} and {name}_FILE are both set: keep one")
        if file and not value:
            value = self.file(f"{name}_FILE", file).strip()
        if value:
            return value
        if setting.default is None and name not in self.missing:
            self.missing.append(name)
        return setting.default or ""

    def file(self, name: str, path: str) -> str:
        """The content of the file that a setting names."""
        try:
            return Path(path).read_text()
        except (OSError, ValueError) as error:  # ValueError: no text, or no path at all
            self.problems.append(
                f"{name}: {path} can't be read ({getattr(error, 'strerror', None) or 'not text'})"
            )
            return ""

    def items(self, name: str) -> tuple[str, ...]:
        """A comma-separated list."""
        return tuple(item.strip() for item in self.text(name).split(",") if item.strip())

    def each(self, name: str, items: tuple[str, ...], pattern: str) -> tuple[str, ...]:
        """The items, each of which must have the form of that name."""
        wrong = [item for item in items if not re.fullmatch(pattern, item, re.ASCII)]
        self.problems += [f"{name}: {item!r} {FORMS[pattern]}" for item in wrong]
        return items

    def matching(self, name: str, pattern: str, expected: str) -> str:
        """A value of a certain form."""
        value = self.text(name)
        if not re.fullmatch(pattern, value):
            self.problems.append(f"{name} is {value!r}, but must be {expected}")
            return ""
        return value

    def count(self, name: str) -> int:
        """A number of at least 1."""
        return int(self.matching(name, r"[1-9][0-9]{0,6}", "a number from 1 on") or 1)

    def days(self, name: str, *, at_least: int = 1) -> timedelta:
        """A number of days, as "14d"."""
        value = int(
            self.matching(name, r"[1-9][0-9]{0,4}d", "a number of days, such as 14d")[:-1] or at_least
        )
        if value < at_least:
            self.problems.append(f"{name} must be at least {at_least}d")
        return timedelta(days=value)

    def pages(self, name: str) -> Literal["public", "github", "off"]:
        """Who sees the pages."""
        match self.text(name):
            case "public" | "github" | "off" as known:
                return known
            case other:
                self.problems.append(f"{name} is {other!r}, but must be public, github or off")
                return "public"

    def url(self, name: str, *, loopback_only: bool = False) -> str:
        """An http or https address without a password; plain http only to this machine if so asked."""
        value = self.text(name).rstrip("/")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            host = parts.hostname
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            self.problems.append(f"{name} is not an http:// or https:// address")
        elif parts.username or parts.password:
            self.problems.append(f"{name} must not hold a user or password")
        elif loopback_only and parts.scheme == "http" and host not in LOOPBACK:
            self.problems.append(
                f"{name} must be https:// (plain http:// would show the token to everybody between)"
            )
        return value

    def database_url(self) -> str:
        """An SQLAlchemy address of PostgreSQL through psycopg."""
        value = self.text("PREFLIGHT_DATABASE_URL")
        plain = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value)
        if value and not plain.startswith("postgresql+psycopg://"):
            self.problems.append("PREFLIGHT_DATABASE_URL must begin with postgresql+psycopg://")
        return plain

    def address(self, name: str) -> Address:
        """HOST:PORT."""
        host, _, port = self.text(name).rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port
            self.problems.append(f"{name} must be HOST:PORT")
            return Address("", 0)
        return Address(host.strip("[]"), int(port))

    def complaints(self) -> tuple[str, ...]:
        """What there is to complain about."""
        return (*(f"{name} is missing: {KNOWN[name].help}" for name in self.missing), *self.problems)

    def done(self) -> None:
        """Complain, if there is anything to complain about."""
        complaints = self.complaints()
        if complaints:
            raise SettingsError("\n".join(complaints))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, KNOWN, n=1)
    return f"{name} is no setting of Preflight" + (f": did you mean {near[0]}?" if near else "")


def _is_service(name: str, value: str) -> bool:
    return bool(SERVICE.search(name)) or ("_PORT" in name and value.startswith("tcp://"))
