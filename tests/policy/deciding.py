"""Decide as the worker does: every fact that is asked for is told, and what was asked is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.events.types import CommentEvent, PullAction, PullRequestEvent
from bot.models import ChangedFiles, History, Permission, Run
from bot.policy.configuration import ConfigurationError, parse
from bot.policy.decide import decide
from bot.policy.decision import Action, Answer, CancelRuns, Decision, ShowStatus, StartRun
from bot.policy.facts import Base, Facts, MissingFact
from tests.examples import NOON, REPOSITORY, TIP, pull

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.events.types import Event
    from bot.models import PullRequest

UNIT = "pipelines: {unit: {dag: checks}}"
BOT = "preflight-bot"
WRITERS = {"alice": Permission.WRITE, "rita": Permission.MAINTAIN}


@dataclass
class Known:
    """What is true when an event is decided; Alice and Rita may write, nobody else."""

    pull: PullRequest = field(default_factory=pull)
    yaml: str | None = UNIT
    roles: Mapping[str, Permission] = field(default_factory=lambda: WRITERS)
    changed: ChangedFiles = field(default_factory=lambda: ChangedFiles(("src/app.py",)))
    runs: tuple[Run, ...] = ()
    pushers: Mapping[str, str] = field(default_factory=dict)
    config_broken: bool = False
    asked: list[str] = field(default_factory=list)

    def decide(self, event: Event) -> Decision:
        """The decision, once every fact that it needs was told."""
        facts = Facts()
        while True:
            try:
                return decide(event, facts)
            except MissingFact as missing:
                self.asked.append(f"{missing.name} {missing.about}".strip())
                facts = facts.learn(missing, self._tell(missing))

    def _tell(self, missing: MissingFact) -> object:
        match missing.name:
            case "pull_request":
                return self.pull
            case "permission":
                return self.roles.get(missing.about, Permission.NONE)
            case "base":
                return self._base()
            case "changed_files":
                return self.changed
            case "history":
                return History(self.runs, self.pushers, self.config_broken)
            case "bot_login":
                return BOT
        raise AssertionError(missing)

    def _base(self) -> Base:
        if self.yaml is None:
            return Base(TIP, None)
        try:
            return Base(TIP, parse(self.yaml.encode()))
        except ConfigurationError as error:
            return Base(TIP, error)


def opened(
    action: PullAction = PullAction.OPENED, *, sender: str = "alice", head: str = ""
) -> PullRequestEvent:
    """Something happened to the pull request."""
    return PullRequestEvent(REPOSITORY, 12, action, head or pull().head_sha, sender, NOON)


def comment(body: str, author: str = "alice", comment_id: int = 5001) -> CommentEvent:
    """Somebody wrote a comment on it."""
    return CommentEvent(REPOSITORY, 12, comment_id, author, body)


def started(decision: Decision) -> list[str]:
    """The pipelines that run from now on."""
    return [action.name for action in decision.actions if isinstance(action, StartRun)]


def cancelled(decision: Decision) -> dict[str, str]:
    """The runs that are stopped, each with the reason shown."""
    found = [action for action in decision.actions if isinstance(action, CancelRuns)]
    return {run_id: action.reason for action in reversed(found) for run_id in action.run_ids}


def shown(decision: Decision) -> dict[str, tuple[str, str]]:
    """The fixed statuses by context."""
    return {
        action.context: (action.state.value, action.description)
        for action in decision.actions
        if isinstance(action, ShowStatus)
    }


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
