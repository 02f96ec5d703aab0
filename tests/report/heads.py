"""One head in memory: what it should show, what it shows on GitHub, and who dies on the way."""

# ruff: noqa: ARG002 - the ports hand over what one head in memory does not need

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.claims import ShownStatus
from bot.errors import GitHubNotFound, GitHubUnavailable
from bot.models import Past, ReportAs, ReportPolicy, StatusPolicy
from bot.report.budget import UNLIMITED
from bot.report.checks.check_runs import CheckReport
from bot.report.statuses.contexts import StatusReport
from tests.report.examples import HEAD, LINKS, NOON, REPOSITORY, at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.claims import ShownCheck
    from bot.models import Annotation, Check, Repository, Run, Status, Verdict
    from bot.report.budget import Budget
    from bot.report.left import Left

CHECKS = ReportPolicy(shown_as=ReportAs.CHECKS)
BOTH = ReportPolicy(shown_as=ReportAs.BOTH)
STEPS = ReportPolicy(statuses=StatusPolicy.STEP)


class Died(Exception):
    """The process was killed."""


@dataclass
class OnGitHub:
    """A check run as people see it."""

    id: int
    check: Check
    annotations: list[Annotation] = field(default_factory=list)


class Head:
    """A StatusStore, PastReader, CheckWriter and StatusWriter for one head.

    `effects` counts what was written anywhere; at the one numbered `dies_at` the process dies, before or
    after it. `lose` has the next so many writes to GitHub carried out and their answers lost.
    """

    def __init__(
        self, *says: Verdict, policy: ReportPolicy | None = None, budget: Budget = UNLIMITED
    ) -> None:
        self.wanted: dict[int, list[Verdict]] = {12: list(says)}
        self.policy: dict[int, ReportPolicy] = {} if policy is None else {12: policy}
        self.usual_seconds: dict[str, float] = {}
        self.lines: dict[str, list[range]] = {}
        self.app = True
        self.now: datetime = NOON
        self.statuses: dict[str, ShownStatus] = {}
        self.known: dict[str, ShownCheck] = {}
        self.sent: list[Status] = []
        self.checks: dict[int, OnGitHub] = {}
        self.calls: list[str] = []
        self.effects = 0
        self.dies_at: int | None = None
        self.dies_after = False
        self.lose = 0
        self.status_report = StatusReport(self, self, LINKS, self.clock, past=self, budget=budget)
        self.check_report = CheckReport(self, self, LINKS, self.clock, past=self, budget=budget)

    # What a test does

    def clock(self) -> datetime:
        """The time that the test says it is."""
        return self.now

    def say(self, *says: Verdict, number: int = 12) -> None:
        """This is what a pull request wants shown from now on."""
        self.wanted[number] = list(says)

    def report_statuses(self, *, later: float = 0, progress: bool = True) -> float | None:
        """So many seconds later, send the statuses."""
        self.now = at(later) if later else self.now
        return _again(self.status_report.report(REPOSITORY, HEAD, progress=progress))

    def report_checks(self, *, later: float = 0, progress: bool = True) -> float | None:
        """So many seconds later, send the check runs."""
        self.now = at(later) if later else self.now
        return _again(self.check_report.report(REPOSITORY, HEAD, progress=progress))

    def status(self, context: str = "preflight/unit") -> tuple[str, str]:
        """What people see there now."""
        newest = next(status for status in reversed(self.sent) if status.context == context)
        return newest.state.value, newest.description

    def contexts(self) -> list[str]:
        """Those that show something, in the order of their first status."""
        return list(dict.fromkeys(status.context for status in self.sent))

    def newest(self, name: str = "preflight/unit") -> OnGitHub:
        """The check run of that name that people see."""
        return max((one for one in self.checks.values() if one.check.name == name), key=lambda one: one.id)

    def count(self, method: str) -> int:
        """How often it was called."""
        return self.calls.count(method)

    # StatusStore

    def verdicts(self, repository: Repository, sha: str) -> Mapping[int, Sequence[Verdict]]:
        """What each pull request wants shown."""
        return {number: list(says) for number, says in self.wanted.items()}

    def shown(self, repository: Repository, sha: str) -> Mapping[str, ShownStatus]:
        """What the contexts show."""
        return dict(self.statuses)

    def set_shown(self, repository: Repository, sha: str, status: Status) -> None:
        """A context was made to show this."""
        known = self.statuses.get(status.context)
        self.statuses[status.context] = ShownStatus(status, self.now, known.times + 1 if known else 1)

    def policies(self, repository: Repository, sha: str) -> Mapping[int, ReportPolicy]:
        """How they are reported on."""
        return dict(self.policy)

    def shown_checks(self, repository: Repository, sha: str) -> Mapping[str, ShownCheck]:
        """What the check runs show."""
        return dict(self.known)

    def set_shown_check(self, repository: Repository, sha: str, check: ShownCheck) -> None:
        """A check run was made to show this, or is about to be."""
        with self._effect("set_shown_check"):
            self.known[check.name] = check

    # PastReader

    def usual(self, runs: Sequence[Run]) -> Mapping[str, float]:
        """How long such runs take."""
        return {
            run.id: self.usual_seconds[run.pipeline] for run in runs if run.pipeline in self.usual_seconds
        }

    def past(self, runs: Sequence[Run]) -> Mapping[str, Past]:
        """Nothing came before."""
        return {run.id: Past() for run in runs}

    # GitHub

    def can_check(self) -> bool:
        """Whether we are an App."""
        return self.app

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status."""
        assert len(status.description) <= 140
        self.calls.append("set_status")
        self.sent.append(status)

    def create_check(self, repository: Repository, sha: str, check: Check) -> int:
        """Create a check run and return its id."""
        with self._effect("create_check"):
            created = OnGitHub(1000 + len(self.checks), check)
            self.checks[created.id] = created
        self._answer()
        return created.id

    def update_check(
        self, repository: Repository, check_id: int, check: Check, annotations: Sequence[Annotation] = ()
    ) -> None:
        """Have it show this, and append annotations."""
        assert len(annotations) <= 50
        if check_id not in self.checks:
            raise GitHubNotFound(f"there is no check run {check_id}")
        with self._effect("update_check"):
            shown = self.checks[check_id]
            assert shown.check.external_id == check.external_id
            shown.check = check
            shown.annotations += annotations
        self._answer()

    def find_check(self, repository: Repository, sha: str, check: Check) -> int | None:
        """The newest of that name and external id."""
        self.calls.append("find_check")
        key = (check.name, check.external_id)
        found = [id_ for id_, one in self.checks.items() if (one.check.name, one.check.external_id) == key]
        return max(found, default=None)

    def annotation_count(self, repository: Repository, check_id: int) -> int:
        """How many annotations the check run has."""
        self.calls.append("annotation_count")
        return len(self.checks[check_id].annotations)

    def changed_lines(self, repository: Repository, number: int, sha: str) -> Mapping[str, Sequence[range]]:
        """The lines that the diff shows."""
        assert number > 0
        self.calls.append("changed_lines")
        return self.lines

    def _answer(self) -> None:
        if self.lose:
            self.lose -= 1
            raise GitHubUnavailable("GitHub answered with 502")

    def _effect(self, name: str) -> _Effect:
        self.effects += 1
        self.calls.append(name)
        return _Effect(dies=self.effects == self.dies_at, after=self.dies_after)


@dataclass
class _Effect:
    """Something that happens, unless the process dies just before."""

    dies: bool
    after: bool

    def __enter__(self) -> None:
        if self.dies and not self.after:
            raise Died

    def __exit__(self, *_error: object) -> None:
        if self.dies and self.after:
            raise Died


def _again(left: Left) -> float | None:
    """Seconds until the head wants another look, 0 if there is more to send, None if all is shown."""
    assert not left.refused
    return 0.0 if left.more else min((*left.waits, *left.refreshes), default=None)


def policies(*, shown_as: ReportAs, step: bool = False) -> ReportPolicy:
    """A repository's wish."""
    return replace(STEPS if step else ReportPolicy(), shown_as=shown_as)
