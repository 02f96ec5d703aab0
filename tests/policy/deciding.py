"""Decide as the worker does: every fact that is asked for is told, and what was asked is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.events.branch import BranchEvent
from bot.events.issue_comment import CommentEvent
from bot.events.pull_request import PullAction, PullRequestEvent
from bot.models import ChangedFiles, History, Permission, Run, Verdict
from bot.policy.configuration import ConfigurationError, parse
from bot.policy.decision import Action, Answer, CancelRuns, Decision, Notify, ResumeRun, ShowStatus, StartRun
from bot.policy.facts import Base, Facts, MissingFact
from bot.policy.operator import Operator
from tests.examples import NOON, REPOSITORY, TIP, pull

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.events.types import Event
    from bot.models import Branch, PullRequest, Repository
    from bot.policy.configuration import Configuration

UNIT = "pipelines: {unit: {dag: checks}}"
BOT = "preflight-bot"
WRITERS = {"alice": Permission.WRITE, "rita": Permission.MAINTAIN}


@dataclass
class Known:
    """What is true when an event is decided; Alice and Rita may write, nobody else.

    Contexts say what the newest runs of the present head say, unless `verdicts` say otherwise.
    """

    pull: PullRequest = field(default_factory=pull)
    branch: Branch | None = None
    repository: Repository | None = REPOSITORY
    yaml: str | None = UNIT
    proposed: str | None = None
    roles: Mapping[str, Permission] = field(default_factory=lambda: WRITERS)
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    operator: Operator = field(default_factory=Operator)
    changed: ChangedFiles = field(default_factory=lambda: ChangedFiles(("src/app.py",)))
    codeowners: str = ""
    runs: tuple[Run, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    pushers: Mapping[str, str] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    head_seen_at: datetime | None = None
    notice: str = ""
    closed: bool = False
    tip: str | None = TIP
    broken: Sequence[tuple[Repository, int]] = ()
    pulls_at: Mapping[str, Sequence[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def decide(self, event: Event) -> Decision:
        """The decision, once every fact that it needs was told."""
        facts = Facts()
        while True:
            try:
                return event.decide(facts)
            except MissingFact as missing:
                self.asked.append(" ".join((missing.name, *missing.about)))
                facts = facts.learn(missing, self._tell(missing))

    def _tell(self, missing: MissingFact) -> object:
        told: Mapping[str, object] = {
            "pull_request": self.pull,
            "repository_now": self.repository,
            "base": Base(TIP, _read(self.yaml)),
            "proposed": _read(self.proposed),
            "changed_files": self.changed,
            "codeowners": self.codeowners,
            "history": self._history(),
            "bot_login": BOT,
            "operator": self.operator,
            "now": NOON,
            "tip": self.tip,
            "broken_pulls": self.broken,
        }
        match missing.name:
            case "open_pulls_at":
                return self.pulls_at.get(missing.about[0], ())
            case "permission":
                return self.roles.get(missing.about[0], Permission.NONE)
            case "member":
                login, group = missing.about
                return login in self.members.get(group, ())
        return told[missing.name]

    def _history(self) -> History:
        head = (self.branch or self.pull).head_sha
        newest = {
            run.context: Verdict(run.context, run.pipeline, run=run)
            for run in self.runs
            if run.head_sha == head and not run.dryrun
        }
        return History(
            runs=self.runs,
            pushers=self.pushers,
            verdicts=newest | {one.context: one for one in self.verdicts},
            head_seen_at=self.head_seen_at,
            notice=self.notice,
            approved=self.approved,
            closed=self.closed,
        )


def _read(yaml: str | None) -> Configuration | ConfigurationError | None:
    if yaml is None:
        return None
    try:
        return parse(yaml.encode())
    except ConfigurationError as error:
        return error


def opened(
    action: PullAction = PullAction.OPENED, *, sender: str = "alice", head: str = ""
) -> PullRequestEvent:
    """Something happened to the pull request."""
    return PullRequestEvent(REPOSITORY, 12, action, head or pull().head_sha, sender, NOON)


def comment(body: str, author: str = "alice", comment_id: int = 5001) -> CommentEvent:
    """Somebody wrote a comment on it."""
    return CommentEvent(REPOSITORY, 12, comment_id, author, body)


def queued(group: Branch) -> BranchEvent:
    """A merge queue wants its group tested, or took it apart."""
    action = "checks_requested" if group.open else "destroyed"
    return BranchEvent(group, "merge_group", action, "github-merge-queue[bot]")


def started(decision: Decision) -> list[str]:
    """The pipelines that run from now on."""
    return [a.name for a in decision.actions if isinstance(a, StartRun) and not a.dryrun]


def dry_run(decision: Decision) -> list[str]:
    """The pipelines of which it is shown what they would do."""
    return [action.name for action in decision.actions if isinstance(action, StartRun) and action.dryrun]


def resumed(decision: Decision) -> list[str]:
    """The pipelines whose runs go on where they failed."""
    return [action.run.pipeline for action in decision.actions if isinstance(action, ResumeRun)]


def cancelled(decision: Decision) -> dict[str, str]:
    """The runs that are stopped, each with the reason shown."""
    found = [action for action in decision.actions if isinstance(action, CancelRuns)]
    return {run.id: action.reason for action in reversed(found) for run in action.runs}


def shown(decision: Decision) -> dict[str, tuple[str, str]]:
    """The fixed statuses by context."""
    return {
        action.context: (action.state.value, action.description)
        for action in decision.actions
        if isinstance(action, ShowStatus)
    }


def notice(decision: Decision) -> str | None:
    """What stands above the comment's table from now on, None if that does not change."""
    notices = [action.text for action in decision.actions if isinstance(action, Notify)]
    return notices[-1] if notices else None


def answer(decision: Decision) -> str | None:
    """What the comment is answered with, None if it gets no answer."""
    answers = [action.reply for action in decision.actions if isinstance(action, Answer)]
    assert len(answers) < 2, "one comment, one answer"
    return answers[0] if answers else None


def kinds(decision: Decision) -> list[type[Action]]:
    """The actions in their order."""
    return [type(action) for action in decision.actions]


def stopped(run: Run, **fields: object) -> Run:
    """The run, changed."""
    return replace(run, **fields)  # type: ignore[arg-type]  # the names are the test's
