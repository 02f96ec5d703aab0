"""What a list of runs is narrowed down to: read from an address, and written back into one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.claims import RunQuery
from bot.models import Outcome
from bot.pages.words import OUTCOMES
from bot.prose import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 200
UNFINISHED = "unfinished"
STATES = {UNFINISHED: "not finished"} | {outcome.value: OUTCOMES[outcome] for outcome in Outcome}
_PULL = re.compile(r"#?([0-9]{1,10})", re.ASCII)
_SEQ = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filters:
    """As somebody typed them; `problem` says in which way they can match no run, in words for that person."""

    repository: str = ""
    pull: str = ""
    pipeline: str = ""
    branch: str = ""
    state: str = ""
    author: str = ""
    after: int | None = None
    problem: str = ""

    @property
    def chosen(self) -> dict[str, str]:
        """Those that are set, by their names in an address."""
        names = ("repository", "pull", "pipeline", "branch", "state", "author")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def query(self, private: frozenset[int], most: int) -> RunQuery:
        """The same for the store."""
        number = _PULL.fullmatch(self.pull)
        return RunQuery(
            repository=self.repository,
            number=int(number[1]) if number else None,
            pipeline=self.pipeline,
            branch=self.branch,
            state=self.state,
            author=self.author.removeprefix("@"),
            after=self.after,
            most=most,
            private=private,
        )


def read_filters(given: Mapping[str, str]) -> Filters:
    """The filters that an address holds, whatever somebody wrote there."""
    texts = {name: one_line(given.get(name, ""))[:LONGEST] for name in Filters().__slots__}
    after = _SEQ.fullmatch(texts["after"])
    return Filters(
        repository=texts["repository"],
        pull=texts["pull"],
        pipeline=texts["pipeline"],
        branch=texts["branch"],
        state=texts["state"],
        author=texts["author"],
        after=int(after[0]) if after else None,
        problem=_problem(texts["pull"], texts["state"]),
    )


def _problem(pull: str, state: str) -> str:
    if pull and not _PULL.fullmatch(pull):
        return f"“{pull}” is not a pull request's number."
    if state and state not in STATES:
        return f"“{state}” is not a state of a run."
    return ""
