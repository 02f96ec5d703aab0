"""Reading JSON of which anything may be missing, or be of another type than it should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast


def mapping_at(told: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object at that key, empty if there is none."""
    value = told.get(key)
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def text_at(told: Mapping[str, object], path: str) -> str | None:
    """The text at a dotted path, None if there is none."""
    value = _at(told, path)
    return value if isinstance(value, str) else None


def number_at(told: Mapping[str, object], path: str) -> int | None:
    """The whole number at a dotted path, None if there is none."""
    value = _at(told, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def overlaid(below: Mapping[str, object], above: Mapping[str, object]) -> Mapping[str, object]:
    """Both, key by key; where both speak, what is above counts."""
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        nested = isinstance(under, Mapping) and isinstance(value, Mapping)
        both[key] = overlaid(mapping_at(both, key), mapping_at(above, key)) if nested else value
    return both


def _at(told: Mapping[str, object], path: str) -> object:
    *parents, last = path.split(".")
    for parent in parents:
        told = mapping_at(told, parent)
    return told.get(last)
