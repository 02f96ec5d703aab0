"""Patterns of paths, as in `.gitignore`, and of branches.

In both, `*` and `?` stay within a part between slashes, `**` as a part of its own stands for any number of
parts, and `[a-z]` is one of these characters (`[!a-z]` one of the others). A backslash takes the next
character literally. Behind a `!`, a pattern takes away what those before it in its list matched. Where a
pattern can't match, `parse` raises ValueError and says what to write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.policy.configuration.parts import Part, compile_part

ANY = "**"
NO_BRANCH = re.compile(r"[\s~^:\\]|\.\.|@\{|\.lock$|\.$|^-")  # see git check-ref-format

Parts = tuple[Part | None, ...]
"""The parts of a pattern; None stands for `**`."""


@dataclass(frozen=True, slots=True)
class PathGlob:
    """A pattern of files, as a line of `.gitignore` would be one.

    It matches a file if its parts match the first names of the path, or if `floating`, names that begin
    anywhere in it. If `inside`, something must come behind them: it names directories.
    """

    parts: Parts
    floating: bool = False
    inside: bool = False
    negative: bool = False

    @classmethod
    def parse(cls, pattern: str) -> PathGlob:
        """Read a pattern; ValueError if no file could match it."""
        text = _trimmed(pattern).removeprefix("!")
        if pattern.startswith("#"):
            raise _never(pattern, f"write \\{text} for a name that begins with #")
        parts = _parse(pattern, text.removeprefix("/").removesuffix("/"))
        floating = text.strip("/") == text.removesuffix("/") and len(parts) == 1
        inside = text.endswith("/")
        if parts[-1] is None:  # all that lies inside, or with a slash behind it the directories there
            parts, inside, floating = (*parts[:-1], *((compile_part("*"),) if inside else ())), True, False
        if parts and parts[0] is None:
            parts, floating = parts[1:], True
        return cls(parts, floating, inside, pattern.startswith("!"))


@dataclass(frozen=True, slots=True)
class BranchGlob:
    """A pattern of branches; it matches whole names."""

    parts: Parts
    negative: bool = False

    @classmethod
    def parse(cls, pattern: str) -> BranchGlob:
        """Read a pattern; ValueError if no branch could match it."""
        text = pattern.removeprefix("!")
        if text.startswith("refs/heads/"):
            raise _never(pattern, f"write {text.removeprefix('refs/heads/')!r}")
        if NO_BRANCH.search(text):
            raise _never(pattern, "git has no branch of such a name")
        parts = _parse(pattern, text)
        return cls(parts if parts[-1] is not None else (*parts, compile_part("*")), pattern.startswith("!"))

    def matches(self, branch: str) -> bool:
        """Whether the branch's whole name matches."""
        names = branch.split("/")
        reached = {0}  # so many names can be what the parts so far match
        for part in self.parts:
            if part is None:
                reached = set(range(min(reached), len(names) + 1))
            else:
                reached = {at + 1 for at in reached if at < len(names) and part.matches(names[at])}
            if not reached:
                return False
        return len(names) in reached


# The same patterns are met in every decision of a repository.
path_glob = lru_cache(maxsize=4096)(PathGlob.parse)
branch_glob = lru_cache(maxsize=1024)(BranchGlob.parse)


def _trimmed(pattern: str) -> str:
    """Without blanks at its end, unless a backslash says that they are meant."""
    text = pattern.rstrip(" ")
    escaped = (len(text) - len(text.rstrip("\\"))) % 2
    return text + " " if escaped and len(text) < len(pattern) else text


def _parse(pattern: str, inner: str) -> Parts:
    if any(not char.isprintable() for char in pattern):
        raise _never(pattern, "it holds a character that can't be seen")
    if not inner.strip("/"):
        raise _never(pattern, "write ** for everything")
    names = inner.split("/")
    if ".." in names:
        raise _never(pattern, ".. would lead out of the repository")
    if names[0] == ".":
        raise _never(pattern, "leave the ./ out")
    if "" in names or "." in names:
        raise _never(pattern, "there is nothing between two of its slashes")
    parts: list[Part | None] = []
    for name in names:
        if len(name) > 1 and not name.strip("*"):
            parts += [None] if parts[-1:] != [None] else []
            continue
        try:
            parts.append(compile_part(name))
        except ValueError as error:
            raise _never(pattern, str(error)) from None
    return tuple(parts)


def _never(pattern: str, why: str) -> ValueError:
    return ValueError(f"{pattern!r} can't match: {why}")
