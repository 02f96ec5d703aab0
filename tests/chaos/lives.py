"""What pull requests live through: who does what, in which order. All of it follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.dice import dice
from tests.chaos.pipelines import BRANCHES

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

DEVELOPER, LEAD, STRANGER = "developer", "lead", "stranger"
TRUSTED = frozenset({DEVELOPER, LEAD})
PEOPLE = {DEVELOPER: "write", LEAD: "admin"}
FILES = ("src/app.py", "docs/guide.md", "README.md")
LABELS = ("e2e", "later")
LIVES_PER_HOME = 20
"""GitHub lets an installation write 500 comments an hour: so many lives in one account stay below that."""
LEAST_HOMES = 4
"""Each has another configuration; and few lives at once in each stay below GitHub's limits for a minute."""

HEAD = "{head}"
"""Stands in a comment for the head's SHA at that moment."""
_PAUSES = (0.0, 0.0, 0.2, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Open:
    """The pull request is opened."""

    draft: bool
    base: str
    touches: tuple[str, ...]


@dataclass(frozen=True)
class Push:
    """One more commit, which changes these files."""

    touches: tuple[str, ...]


@dataclass(frozen=True)
class Say:
    """A comment. `command` is the first word where it gives one, `names` what that names.

    `replied`: whether there must be words for an answer, beside the reaction.
    """

    by: str
    body: str
    command: str = ""
    names: tuple[str, ...] = ()
    replied: bool = False


@dataclass(frozen=True)
class Label:
    """A label is added, or taken away."""

    name: str
    on: bool


@dataclass(frozen=True)
class Base:
    """The pull request is to be merged into another branch."""

    branch: str


@dataclass(frozen=True)
class Draft:
    """It becomes a draft, or is ready for review."""

    on: bool


@dataclass(frozen=True)
class Close:
    """It is closed."""


@dataclass(frozen=True)
class Reopen:
    """It is open again."""


What = Open | Push | Say | Label | Base | Draft | Close | Reopen


@dataclass(frozen=True)
class Act:
    """Something that happens after a pause in seconds; if `calm`, not before nothing runs for it any more."""

    what: What
    pause: float = 0.0
    calm: bool = False


@dataclass(frozen=True)
class Life:
    """One pull request. `home` is the number of its repository; a stranger's head lies in a fork."""

    number: int
    home: int
    author: str
    acts: tuple[Act, ...]

    @property
    def trusted(self) -> bool:
        """Whether its author may have code run."""
        return self.author in TRUSTED


def plan(count: int, seed: int, most_acts: int = 9) -> tuple[Life, ...]:
    """So many lives."""
    homes = max(min(LEAST_HOMES, count), -(-count // LIVES_PER_HOME))
    return tuple(_live(number, number % homes, dice(seed, number), most_acts) for number in range(count))


class _Planned:
    """A pull request as it will be after the acts so far, so that only what is possible follows."""

    def __init__(self, author: str, base: str, *, draft: bool) -> None:
        self.author = author
        self.open = True
        self.draft = draft
        self.base = base
        self.labels: set[str] = set()


def _live(number: int, home: int, thrown: random.Random, most_acts: int) -> Life:
    author = STRANGER if thrown.random() < 0.2 else DEVELOPER
    draft = thrown.random() < 0.15
    base = thrown.choices(BRANCHES, (4, 1))[0]
    acts = [Act(Open(draft, base, _touches(thrown)), thrown.choice(_PAUSES))]
    planned = _Planned(author, base, draft=draft)
    for _ in range(thrown.randint(2, most_acts)):
        what = _next(planned, thrown)
        acts.append(Act(what, thrown.choice(_PAUSES), calm=thrown.random() < 0.2))
    return Life(number, home, author, tuple(acts))


def _next(pull: _Planned, thrown: random.Random) -> What:
    """What happens next, which changes what is possible after it."""
    if not pull.open:
        pull.open = thrown.random() < 0.8
        return Reopen() if pull.open else _said(pull, thrown)
    kinds = {"push": 5, "say": 9, "label": 2, "base": 1, "draft": 1 + 3 * pull.draft, "close": 1.5}
    if pull.author == STRANGER:
        kinds["say"] += 4
    kind = thrown.choices(list(kinds), list(kinds.values()))[0]
    return _said(pull, thrown) if kind == "say" else _changed(pull, kind, thrown)


def _changed(pull: _Planned, kind: str, thrown: random.Random) -> What:
    """A change of the pull request itself."""
    what: What = Push(_touches(thrown))
    if kind == "label":
        name = thrown.choice(LABELS)
        pull.labels ^= {name}
        what = Label(name, name in pull.labels)
    elif kind == "base":
        pull.base = next(branch for branch in BRANCHES if branch != pull.base)
        what = Base(pull.base)
    elif kind == "draft":
        pull.draft = not pull.draft
        what = Draft(pull.draft)
    elif kind == "close":
        pull.open = False
        what = Close()
    return what


def _touches(thrown: random.Random) -> tuple[str, ...]:
    return tuple(sorted(thrown.sample(FILES, thrown.randint(1, 2))))


def _said(pull: _Planned, thrown: random.Random) -> Say:
    by = thrown.choice((pull.author, LEAD))
    kinds = {"test": 4, "name": 4, "retest": 4, "cancel": 2, "chatter": 2, "help": 0.5, "typo": 0.5}
    if pull.author == STRANGER:
        kinds["approve"] = 6
    kind = thrown.choices(list(kinds), list(kinds.values()))[0]
    return _SAYINGS[kind](by, thrown)


def _name(by: str, thrown: random.Random) -> Say:
    name = thrown.choices(("unit", "docs", "nightly"), (3, 2, 1))[0]
    return Say(by, f"/test {name}", "test", (name,))


def _cancel(by: str, thrown: random.Random) -> Say:
    names: Sequence[str] = ("unit",) if thrown.random() < 0.4 else ()
    return Say(by, " ".join(("/cancel", *names)), "cancel", tuple(names))


def _chatter(by: str, thrown: random.Random) -> Say:
    return Say(
        by, thrown.choice(("Looks good to me.", "> /test\n\nWhat does that do?", "`/cancel` stops it."))
    )


_SAYINGS: Mapping[str, Callable[[str, random.Random], Say]] = {
    "test": lambda by, _: Say(by, "/test", "test"),
    "name": _name,
    "retest": lambda by, _: Say(by, "/retest", "retest"),
    "cancel": _cancel,
    "chatter": _chatter,
    "help": lambda by, _: Say(by, "/help", "help", replied=True),
    "typo": lambda by, _: Say(by, "/tset", "typo", replied=True),
    "approve": lambda _, __: Say(LEAD, f"/ok-to-test {HEAD}", "ok-to-test"),
}
