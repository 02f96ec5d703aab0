"""Where GitHub's pull requests differ from what we heard of them: pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.policy.texts import DRAFT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bot.models import KnownPull, ListedPull


class Kind(enum.Enum):
    """What differs, in words for people."""

    NEW_HEAD = "we never heard of this head"
    CLOSED = "closed, and we think it open"
    REOPENED = "open, and we think it closed"
    OTHER_BASE = "it has another base branch"
    READY = "it is ready for review, and we wait for that"
    NEVER_RAN = "nothing ever ran at this head"


MISSED = frozenset({Kind.NEW_HEAD, Kind.CLOSED, Kind.REOPENED, Kind.OTHER_BASE, Kind.READY})
"""Each stands for an event that we did not hear of. That nothing ran may be as it should."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One pull request that is not as we think."""

    number: int
    kind: Kind
    head_sha: str
    base_ref: str


def differences(listed: Iterable[ListedPull], known: Mapping[int, KnownPull]) -> list[Difference]:
    """What differs, one thing for each pull request, by number.

    A closed one that we never heard of, or know to be closed, is none: nothing of it runs.
    """
    found = [
        Difference(pull.number, kind, pull.head_sha, pull.base_ref)
        for pull in listed
        if (kind := _kind(pull, known.get(pull.number))) is not None
    ]
    return sorted(found, key=lambda one: one.number)


def unsure(listed: Iterable[ListedPull], known: Mapping[int, KnownPull], since: datetime) -> list[ListedPull]:
    """Open ones that we never heard of and that are older than that moment.

    It takes no new head to change those: a comment does, and a label. Only their head's commit tells
    whether somebody pushed since then.
    """
    return [pull for pull in listed if pull.open and pull.number not in known and pull.created_at < since]


def _kind(pull: ListedPull, known: KnownPull | None) -> Kind | None:
    if not pull.open:
        return Kind.CLOSED if known is not None and known.open else None
    if known is None or pull.head_sha not in known.heads:
        return Kind.NEW_HEAD
    if not known.open:
        return Kind.REOPENED
    if known.base_ref not in ("", pull.base_ref):  # "" where a version before wrote the row
        return Kind.OTHER_BASE
    if not pull.draft and pull.head_sha == known.head_sha and DRAFT in known.waits:
        return Kind.READY
    return None if pull.head_sha in known.told else Kind.NEVER_RAN
