"""Who owns files, by GitHub's CODEOWNERS rules: for each file the last line that matches it counts."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from bot.policy.changes import Changes
from bot.policy.configuration.globs import path_glob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_CHARACTERS = 3_000_000  # GitHub does not read more either
MAX_LINES = 5_000
MAX_OWNERS = 20
OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})?", re.ASCII)
WORDS = re.compile(r"(?:[^\s\\]|\\.)+")
REFUSED = ("!", "\\#")  # GitHub takes neither, and no [...]


def owners(content: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The users and teams ("@acme/ci") that own these files; who owns most of them first, at most 20.

    Owners that are given by their e-mail address are left out, and so are lines that GitHub would not read.
    """
    if len(content) > MAX_CHARACTERS:
        return ()
    changes = Changes(paths)
    left = changes.all
    owned: Counter[str] = Counter()
    for pattern, names in reversed(list(_rules(content))[:MAX_LINES]):
        if not left:
            break
        files = _matching(pattern, changes) & left
        left &= ~files
        for name in names if files else ():
            owned[name] += files.bit_count()
    unique = {name.lower(): name for name, _ in reversed(owned.most_common())}
    return tuple(reversed(unique.values()))[:MAX_OWNERS]


def _rules(content: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The pattern and owners of each line; a line without owners takes them away."""
    for line in content.splitlines():
        pattern, *names = WORDS.findall(line) or ("#",)
        if pattern.startswith("#") or pattern.startswith(REFUSED) or "[" in pattern:
            continue
        comment = next((at for at, name in enumerate(names) if name.startswith("#")), len(names))
        yield pattern, tuple(name for name in names[:comment] if OWNER.fullmatch(name))


def _matching(pattern: str, changes: Changes) -> int:
    try:
        files = changes.matching([path_glob(pattern)])
        if pattern.endswith("/*"):  # here, other than in .gitignore, this means the files right there
            files &= ~changes.matching([path_glob(f"{pattern}/")])
    except ValueError:
        return 0
    return files
