"""What was found, and how bad that is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(enum.Enum):
    """How bad it is. Only what is BROKEN keeps the bot from doing its work."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a check thinks: what it saw, and what to do next where it is not fine."""

    verdict: Verdict
    said: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnosis, of which part, by which check."""

    part: str
    name: str
    verdict: Verdict
    said: str
    mend: str = ""


def fine(said: str) -> Diagnosis:
    """All is well."""
    return Diagnosis(Verdict.OK, said)


def warning(said: str, mend: str) -> Diagnosis:
    """It works, but something is lost or soon will be."""
    return Diagnosis(Verdict.WARNING, said, mend)


def broken(said: str, mend: str) -> Diagnosis:
    """The bot can't do its work before this is mended."""
    return Diagnosis(Verdict.BROKEN, said, mend)


def skipped(said: str, mend: str = "") -> Diagnosis:
    """Not looked at, and why."""
    return Diagnosis(Verdict.SKIPPED, said, mend)


def or_fine(problems: Iterable[Diagnosis], said: str) -> tuple[Diagnosis, ...]:
    """The problems; without any, that it is fine."""
    return tuple(problems) or (fine(said),)
