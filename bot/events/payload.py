"""Reading untrusted JSON: every access says what it expects and fails as MalformedPayload."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from bot.errors import MalformedPayload
from bot.models import Repository

T = TypeVar("T")


def take(payload: Mapping[str, object], path: str, kind: type[T]) -> T:
    """The value at a dotted path, which must be of that type (a bool is no int here)."""
    value: object = payload
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        found = type(value).__name__
        raise MalformedPayload(f"the payload's {path} should be a {kind.__name__}, but is {found}")
    return value


def take_time(payload: Mapping[str, object], path: str) -> datetime:
    """An RFC 3339 time at a dotted path."""
    text = take(payload, path, str)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedPayload(f"the payload's {path} is not a time: {text[:40]!r}") from error


def take_repository(payload: Mapping[str, object], path: str = "repository") -> Repository:
    """The repository that the payload is about."""
    full_name = take(payload, f"{path}.full_name", str)
    if full_name.count("/") != 1:
        raise MalformedPayload(f"the payload's {path}.full_name is not OWNER/NAME")
    return Repository(
        id=take(payload, f"{path}.id", int),
        full_name=full_name,
        private=take(payload, f"{path}.private", bool),
        clone_url=take(payload, f"{path}.clone_url", str),
        installation=_installation(payload),
    )


def _installation(payload: Mapping[str, object]) -> int | None:
    """The App's installation that the delivery is for; a repository's own webhook names none."""
    try:
        return take(payload, "installation.id", int)
    except MalformedPayload:
        return None
