"""Paths below the root: what may be one, and what is no path of ours."""

from __future__ import annotations

LONGEST = 1024
"""Characters of a path, as object stores have it."""


class NotBelowRoot(ValueError):
    """A path that leads out of the root, or that could be taken for one that does."""


def checked(path: str) -> str:
    """The path, which is relative and stays below the root; NotBelowRoot for any other."""
    parts = path.split("/")
    if len(path) > LONGEST or not path.isprintable() or any(part in ("", ".", "..") for part in parts):
        raise NotBelowRoot(f"{path[:LONGEST]!r} is no path below the root")
    return path
