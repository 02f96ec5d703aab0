"""Which lines of which files a pull request's diff shows: GitHub shows annotations beside these only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.adapters.github.answers import Unprocessable
from bot.adapters.github.changes import heads_of, pages_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from github.Repository import Repository as GitHubRepository

    Lines = Mapping[str, Sequence[range]]
    """Line numbers in the head, by file."""

HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d{1,9})(?:,(\d{1,9}))? @@", re.ASCII | re.MULTILINE)
"""A hunk's header. The lines of the files themselves stand behind a space, a plus or a minus."""


def changed_lines(there: GitHubRepository, number: int, sha: str) -> Lines:
    """The lines with their context. One request for each 100 files.

    Each file proves for itself that it is of that head: the list may be another head's (see `changes`), or
    partly so if somebody pushed between two pages. Removed files have no lines.
    """
    try:
        files = [file for page in pages_of(there, number) for file in page]
    except Unprocessable:  # the diff takes GitHub too long
        return {}
    of_the_head = (file for file in files if heads_of(file) == [sha])
    lines = {file["filename"]: hunks(file.get("patch") or "") for file in of_the_head}
    return {name: ranges for name, ranges in lines.items() if ranges}


def hunks(patch: str) -> tuple[range, ...]:
    """The lines of the new file that a patch shows, one range for each hunk that has any."""
    found = ((int(start), int(count or 1)) for start, count in HUNK.findall(patch))
    return tuple(range(start, start + count) for start, count in found if count)
