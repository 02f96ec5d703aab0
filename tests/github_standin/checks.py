"""Check runs, and the suite that an App's check runs of one commit form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .state import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state import App, Pull, Repository, World

CheckStatus = Literal["queued", "in_progress", "completed"]
MOST_OF_ONE_NAME = 1000
"""Check runs of one name in a suite; beyond them GitHub deletes the oldest."""
PASSING = ("success", "neutral", "skipped")
WORST_FIRST = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped")


@dataclass(frozen=True)
class Annotation:
    """A remark on lines of a file."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str | None = None
    raw_details: str | None = None
    start_column: int | None = None
    end_column: int | None = None


@dataclass(frozen=True)
class Action:
    """A button under a check run."""

    label: str
    description: str
    identifier: str


@dataclass(eq=False)
class CheckRun:
    """A check run as it is now; annotations are only ever added to."""

    id: int
    suite: CheckSuite
    name: str
    received_at: float
    external_id: str = ""
    details_url: str | None = None
    status: CheckStatus = "queued"
    conclusion: str | None = None
    started_at: float = 0.0
    completed_at: float | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Annotation] = field(default_factory=list)
    actions: tuple[Action, ...] = ()

    @property
    def state(self) -> str:
        """What it is in the words of statuses: a neutral or skipped one is no obstacle."""
        if self.status != "completed":
            return "pending"
        return "success" if self.conclusion in PASSING else "failure"


@dataclass(eq=False)
class CheckSuite:
    """The check runs that one App made of one commit, oldest first.

    `head_branch` is the branch of this repository that the commit was the tip of; a fork's are not looked at.
    `before` and `after` are those of the push that asked for it. `status` is what was last said: asking for
    everything anew resets it without touching a check run.
    """

    id: int
    repository: Repository
    app: App
    head_sha: str
    head_branch: str | None
    created_at: float
    updated_at: float
    before: str | None = None
    after: str | None = None
    status: CheckStatus = "queued"
    conclusion: str | None = None
    runs: list[CheckRun] = field(default_factory=list)

    @property
    def pulls(self) -> list[Pull]:
        """The open pull requests from its branch: none from a fork."""
        home, branch = self.repository, self.head_branch
        return [
            pull
            for pull in home.pulls
            if pull.state == "open" and pull.head_ref == branch and pull.head_repository is home
        ]

    @property
    def latest(self) -> list[CheckRun]:
        """The newest check run of each name, newest first."""
        newest = {run.name: run for run in self.runs}
        return sorted(newest.values(), key=lambda run: run.id, reverse=True)

    def roll_up(self) -> bool:
        """Say what the newest check runs are together; whether that completed the suite."""
        before, statuses = self.status, {run.status for run in self.latest}
        conclusions = {run.conclusion for run in self.latest}
        self.updated_at = now()
        if statuses == {"completed"}:
            self.status = "completed"
            self.conclusion = next(each for each in WORST_FIRST if each in conclusions)
        else:
            self.status, self.conclusion = "queued" if statuses == {"queued"} else "in_progress", None
        return self.status == "completed" != before


def suite_of(world: World, repository: Repository, app: App, sha: str) -> CheckSuite:
    """An App's check suite of a commit, made when new."""
    known = repository.suites.get((sha, app.id))
    if known is None:
        moment = now()
        branch = next((name for name, tip in repository.heads.items() if tip == sha), None)
        known = CheckSuite(world.new_id("check_suite"), repository, app, sha, branch, moment, moment)
        repository.suites[sha, app.id] = known
    return known


def suites_at(repository: Repository, sha: str) -> list[CheckSuite]:
    """All Apps' suites of a commit, oldest first."""
    return [suite for (at, _), suite in repository.suites.items() if at == sha]


def latest_runs(repository: Repository, sha: str) -> list[CheckRun]:
    """The newest check run of each App and name at a commit."""
    return [run for suite in suites_at(repository, sha) for run in suite.latest]


def find_run(repository: Repository, run_id: int) -> CheckRun | None:
    """A check run by id."""
    runs = (run for suite in repository.suites.values() for run in suite.runs)
    return next((run for run in runs if run.id == run_id), None)


def add_run(suite: CheckSuite, run: CheckRun) -> None:
    """Put a check run into its suite; too many of its name push the oldest out."""
    suite.runs.append(run)
    same = [each for each in suite.runs if each.name == run.name]
    for old in same[:-MOST_OF_ONE_NAME]:
        suite.runs.remove(old)


def unmet(repository: Repository, branch: str, sha: str) -> list[str]:
    """What keeps a commit from being merged into a branch, by what is required there.

    A name that both a status and a check run have requires both of them.
    """
    return [
        f'Required status check "{name}" is {_word(states)}.'
        for name in repository.required.get(branch, ())
        if (states := set(_states(repository, sha, name))) != {"success"}
    ]


def _states(repository: Repository, sha: str, name: str) -> Iterator[str]:
    statuses = repository.statuses.get(sha, [])
    yield from [each.state for each in statuses if each.context.lower() == name.lower()][-1:]
    yield from (run.state for run in latest_runs(repository, sha) if run.name == name)


def _word(states: set[str]) -> str:
    if not states:
        return "expected"
    return "failing" if {"failure", "error"} & states else "in progress"
