"""Runs as lists show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.pages.about import pipeline_name, took
from bot.pages.when import ago
from bot.pages.words import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.claims import ListedRun
    from bot.models import Run
    from bot.pages.text import Cleaner
    from bot.pages.words import Standing


@dataclass(frozen=True, slots=True)
class Row:
    """One run. `number` is its pull request's, 0 for a branch, which `branch` then names."""

    id: str
    pipeline: str
    dryrun: bool
    standing: Standing
    owner: str
    repository: str
    number: int
    branch: str
    private: bool
    sha: str
    author: str
    created_at: datetime
    ago: str
    took: str


@dataclass(frozen=True, slots=True)
class Head:
    """The runs at one head, newest first."""

    sha: str
    rows: Sequence[Row]


def row(run: Run, now: datetime, clean: Cleaner) -> Row:
    """A run in a list."""
    return Row(
        id=run.id,
        pipeline=clean.line(pipeline_name(run), 100),
        dryrun=run.dryrun,
        standing=standing(run),
        owner=run.repository.owner,
        repository=run.repository.name,
        number=max(run.number, 0),
        branch=run.branch,
        private=run.repository.private,
        sha=run.head_sha[:7],
        author=clean.line(run.author, 60),
        created_at=run.created_at,
        ago=ago(run.created_at, now),
        took=took(run, now),
    )


def by_head(runs: Iterable[Run], now: datetime, clean: Cleaner) -> list[Head]:
    """The runs of a pull request, newest first, grouped by head in the order of their newest runs."""
    heads: dict[str, list[Row]] = {}
    for run in runs:
        heads.setdefault(run.head_sha, []).append(row(run, now, clean))
    return [Head(sha, rows) for sha, rows in heads.items()]


def standing_now(runs: Sequence[Run], now: datetime, clean: Cleaner) -> list[Row]:
    """What each context says of the newest head: its newest run there. Dry runs say nothing."""
    real = [run for run in runs if not run.dryrun]
    latest: dict[str, Run] = {}
    for run in real:
        if run.head_sha == real[0].head_sha:
            latest.setdefault(run.context, run)
    return [row(run, now, clean) for _, run in sorted(latest.items())]


def tally(rows: Iterable[Row]) -> str:
    """How many stand how: "1 failed, 2 passed"."""
    words: dict[str, int] = {}
    for one in rows:
        words[one.standing.word] = words.get(one.standing.word, 0) + 1
    return ", ".join(f"{number:,} {word}" for word, number in sorted(words.items()))


def visible(listed: Sequence[ListedRun], readable: frozenset[int]) -> list[ListedRun]:
    """Those that the viewer may see: what the store was asked for, made sure of."""
    return [one for one in listed if not one.run.repository.private or one.run.repository.id in readable]
