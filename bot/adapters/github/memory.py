"""What the client remembers of GitHub's answers, how much of it and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cachetools import TLRUCache, TTLCache

from bot.adapters.github.cache import SharedCache
from bot.adapters.github.changes import UNKNOWN
from bot.models import Branch

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.adapters.github.diff_lines import Lines
    from bot.models import ChangedFiles, Permission, Repository, Subject

YES_IS_GOOD_FOR = 300.0
NO_IS_GOOD_FOR = 60.0
"""Seconds for which it is believed what somebody may do. A no keeps somebody waiting, so it is asked again
sooner; so is whether a file is absent, because right after a push GitHub may not see it yet."""

NAME_IS_GOOD_FOR = 3600.0
"""Seconds for which a repository's new name is remembered."""

FILE_IS_GOOD_FOR = 24 * 3600.0
"""Seconds that a file is kept for; at a given commit it never changes."""

SHARED_FILE_IS_GOOD_FOR = 60.0
"""Seconds for which a file of a `.github` repository, or its absence, is believed: its branch moves on."""

CHANGES_ARE_GOOD_FOR = 300.0
"""Seconds for which the files that a head changes are believed; its base may move on."""

LINES_ARE_GOOD_FOR = 3600.0
"""Seconds for which the lines that a head changes are believed: they only choose what is shown where."""

UNKNOWN_IS_GOOD_FOR = 10.0
"""Seconds after which it is asked again what nobody could tell: enough for one decision to ask once."""

TIP_IS_KEPT_FOR = 60.0
"""Seconds for which a branch's tip is kept, for those who want it no newer than that."""

HINT_IS_GOOD_FOR = 24 * 3600.0
"""Seconds after which a hint is given again."""

BYTES_KEPT = 16 * 1024 * 1024
"""Of each cache of files, and of lists of them."""


class Tip(NamedTuple):
    """Where a branch pointed at a moment of the clock, or later."""

    sha: str
    asked_at: float


class Memory:
    """The caches. Each is keyed by what was asked.

    First comes the repository's id, or the owner's login for what all repositories of an owner share.

    Args:
        clock: seconds from any fixed moment.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.names: SharedCache[tuple[int, str], str] = SharedCache(TTLCache(10_000, NAME_IS_GOOD_FOR, clock))
        self.permissions: SharedCache[tuple[int, str], Permission] = SharedCache(
            TLRUCache(10_000, _permission_good_until, clock)
        )
        self.members: SharedCache[tuple[int, str, str], bool] = SharedCache(
            TLRUCache(10_000, _member_good_until, clock)
        )
        self.files: SharedCache[tuple[int, str, str], bytes | None] = SharedCache(
            TLRUCache(BYTES_KEPT, _file_good_until, clock, getsizeof=_file_size)
        )
        self.changes: SharedCache[tuple[int, int, str, str, str], ChangedFiles] = SharedCache(
            TLRUCache(BYTES_KEPT, _changes_good_until, clock, getsizeof=_changes_size)
        )
        self.lines: SharedCache[tuple[int, int, str], Lines] = SharedCache(
            TLRUCache(BYTES_KEPT, _lines_good_until, clock, getsizeof=_lines_size)
        )
        self.shared_files: SharedCache[tuple[str, str], bytes | None] = SharedCache(
            TTLCache(BYTES_KEPT, SHARED_FILE_IS_GOOD_FOR, clock, getsizeof=_file_size)
        )
        self.tips: SharedCache[tuple[int, str], Tip] = SharedCache(TTLCache(10_000, TIP_IS_KEPT_FOR, clock))
        self.hints: SharedCache[tuple[str, str, int], None] = SharedCache(
            TTLCache(1_000, HINT_IS_GOOD_FOR, clock)
        )

    def forget(self, repository: Repository) -> None:
        """Ask everything about the repository anew, and its owner's shared files."""
        for of_repository in (
            self.names,
            self.permissions,
            self.members,
            self.files,
            self.changes,
            self.lines,
            self.tips,
        ):
            of_repository.forget(lambda key: key[0] == repository.id)
        for of_owner in (self.shared_files, self.hints):
            of_owner.forget(lambda key: key[0] == repository.owner.lower())


def changes_key(subject: Subject) -> tuple[int, int, str, str, str]:
    """What the list of changed files depends on."""
    before = subject.before if isinstance(subject, Branch) else ""
    return subject.repository.id, subject.number, subject.head_sha, subject.base_ref, before


def _permission_good_until(_key: object, permission: Permission, now: float) -> float:
    return now + (YES_IS_GOOD_FOR if permission.can_write else NO_IS_GOOD_FOR)


def _member_good_until(_key: object, member: bool, now: float) -> float:  # noqa: FBT001 - what is kept
    return now + (YES_IS_GOOD_FOR if member else NO_IS_GOOD_FOR)


def _file_good_until(_key: object, content: bytes | None, now: float) -> float:
    return now + (NO_IS_GOOD_FOR if content is None else FILE_IS_GOOD_FOR)


def _changes_good_until(_key: object, changed: ChangedFiles, now: float) -> float:
    return now + (UNKNOWN_IS_GOOD_FOR if changed == UNKNOWN else CHANGES_ARE_GOOD_FOR)


def _lines_good_until(_key: object, lines: Lines, now: float) -> float:
    return now + (LINES_ARE_GOOD_FOR if lines else UNKNOWN_IS_GOOD_FOR)


def _file_size(content: bytes | None) -> int:
    return 512 + len(content or b"")


def _changes_size(changed: ChangedFiles) -> int:
    return 512 + sum(64 + len(path) for path in changed.paths)


def _lines_size(lines: Lines) -> int:
    return 512 + sum(256 + len(path) + 128 * len(ranges) for path, ranges in lines.items())
