"""What happened to a pull request, as GitHub and Airflow tell it: all that the oracle knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.lives import Base, Close, Draft, Label, Open, Push, Reopen, Say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.chaos.lives import Life, What
    from tests.chaos.pipelines import Configuration


@dataclass(frozen=True)
class Done:
    """An act as it was carried out, after `at` seconds; `head` is the head then (of a push: its own)."""

    what: What
    at: float
    head: str
    comment_id: int = 0

    def __str__(self) -> str:
        comment = f"  comment {self.comment_id}" if self.comment_id else ""
        return f"{self.at:6.1f} s  {_said(self.what)}  {self.head[:7]}{comment}"


@dataclass(frozen=True)
class DagRun:
    """A DAG run that Airflow has for the pull request.

    `run_id` is the bot's own name of it, in its conf. `cause` is the comment that asked for it, 0 if nobody
    did. `stopped`: somebody had it stopped. `tries` is the highest try of a step.
    """

    name: str
    run_id: str
    pipeline: str
    head: str
    base: str
    state: str
    stopped: bool = False
    cause: int = 0
    tries: int = 1

    @property
    def attempt(self) -> int:
        """How many of that pipeline and head were there before."""
        return int(self.name.rpartition("~")[2])

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ("success", "failed")

    def __str__(self) -> str:
        why = f"comment {self.cause}" if self.cause else "by itself"
        stopped = ", stopped" if self.stopped else ""
        ended = f"{self.state}{stopped}, tries {self.tries}"
        return f"{self.name} into {self.base}: {ended}, {why} ({self.run_id[:6]})"


@dataclass(frozen=True)
class Comment:
    """A comment on it."""

    id: int
    author: str
    body: str
    reactions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pull:
    """What it is in the end."""

    open: bool
    draft: bool
    head: str
    base: str
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mark:
    """What a context shows: a state as statuses have it, and in which words."""

    state: str
    words: str = ""


Marks = dict[str, Mark]
"""By context."""


@dataclass(frozen=True)
class Check:
    """A check run, whether or not a newer one of its name hides it."""

    name: str
    external_id: str
    over: bool = True


@dataclass(frozen=True)
class History:
    """One pull request's life.

    `statuses` and `checks` are what each of its heads shows, by SHA; `every_check` are all check runs there
    ever were, the oldest first. `bot` is the login of the bot.
    """

    where: str
    life: Life
    configuration: Configuration
    bot: str
    marker: str
    done: tuple[Done, ...]
    pull: Pull
    comments: tuple[Comment, ...] = ()
    runs: tuple[DagRun, ...] = ()
    statuses: Mapping[str, Marks] = field(default_factory=dict)
    checks: Mapping[str, Marks] = field(default_factory=dict)
    every_check: Mapping[str, Sequence[Check]] = field(default_factory=dict)

    @property
    def heads(self) -> list[str]:
        """All heads it had, the last one last."""
        return list(dict.fromkeys(done.head for done in self.done))

    @property
    def files(self) -> set[str]:
        """What it changes."""
        return self.files_at(self.heads[-1])

    def files_at(self, head: str) -> set[str]:
        """What it changed when that was its head."""
        until = self.heads[: self.heads.index(head) + 1]
        return {
            file
            for done in self.done
            if isinstance(done.what, Open | Push) and done.head in until
            for file in done.what.touches
        }

    def said(self, command: str = "") -> Iterator[tuple[Done, Say]]:
        """The comments of people, those that gave a command of that name."""
        for done in self.done:
            if isinstance(done.what, Say) and command in ("", done.what.command):
                yield done, done.what

    def after(self, done: Done) -> tuple[Done, ...]:
        """What happened later."""
        return self.done[self.done.index(done) + 1 :]

    def is_open_at(self, done: Done) -> bool:
        """Whether it was open then."""
        states = [type(one.what) for one in self.done[: self.done.index(done)]]
        return [state for state in states if state in (Open, Close, Reopen)][-1] is not Close

    def was_open_since(self, done: Done) -> bool:
        """Whether it was open then and was never closed since."""
        return self.is_open_at(done) and not any(isinstance(one.what, Close) for one in self.after(done))

    def told(self) -> str:
        """All of it, for people."""
        shown = [
            f"  {sha[:7]} {context}: {mark.state} ({mark.words})"
            for marks in (self.statuses, self.checks)
            for sha, said in marks.items()
            for context, mark in said.items()
        ]
        said = [
            f"  comment {one.id} by {one.author} {one.reactions}: {' '.join(one.body.split())[:200]}"
            for one in self.comments
        ]
        lived = [f"  {each}" for each in (*self.done, *self.runs)]
        return "\n".join([f"{self.where}, {self._now()}", *lived, *shown, *said])

    def _now(self) -> str:
        pull = self.pull
        state = f"{'open' if pull.open else 'closed'}{', draft' if pull.draft else ''}"
        labels = ", ".join(sorted(pull.labels)) or "no label"
        return (
            f"by {self.life.author} (life {self.life.number}): {state}, {pull.head[:7]} into {pull.base}, "
            f"{labels}, {', '.join(sorted(self.files))}"
        )


def _said(what: What) -> str:
    said = type(what).__name__.lower()
    match what:
        case Say():
            said = f"{what.by}: {' '.join(what.body.split())}"
        case Label():
            said = f"{'labelled' if what.on else 'unlabelled'} {what.name}"
        case Base():
            said = f"into {what.branch}"
        case Draft():
            said = "draft" if what.on else "ready"
        case Open():
            said = f"opened{' as a draft' if what.draft else ''} {', '.join(what.touches)} into {what.base}"
        case Push():
            said = f"pushed {', '.join(what.touches)}"
    return said
