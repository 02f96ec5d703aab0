"""`pull_request`: opened, reopened, synchronize, edited, labeled, drafts and closed ones."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MalformedPayload
from bot.events.payload import take, take_repository, take_time
from bot.events.types import Ignored, Told
from bot.models import CancelKind
from bot.policy import texts
from bot.policy.automatic import automatic, drafted
from bot.policy.decision import Decision, DecisionKind
from bot.policy.runs import cancel, is_going, stale_runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.models import PullRequest, Repository
    from bot.policy.facts import Base, Facts


class PullAction(enum.Enum):
    """What happened to a pull request, as GitHub's `action` says it."""

    OPENED = "opened"
    REOPENED = "reopened"
    SYNCHRONIZE = "synchronize"
    READY = "ready_for_review"
    DRAFTED = "converted_to_draft"
    EDITED = "edited"
    LABELED = "labeled"
    UNLABELED = "unlabeled"
    CLOSED = "closed"
    RECHECK = "recheck"  # our own word: look again, something around it changed
    PROPOSAL = "proposal"  # likewise: look again, what it proposes was not looked at

    @property
    def is_push(self) -> bool:
        """Whether the sender is who put the head there."""
        return self in (PullAction.OPENED, PullAction.SYNCHRONIZE)

    @property
    def is_label(self) -> bool:
        """Whether it matters only where a pipeline asks for labels."""
        return self in (PullAction.LABELED, PullAction.UNLABELED)


OUR_WORDS = frozenset({PullAction.RECHECK, PullAction.PROPOSAL})


@dataclass(frozen=True, slots=True)
class PullRequestEvent:
    """A pull request changed. The head is the one of that moment; GitHub may have a newer one by now."""

    repository: Repository
    number: int
    what: PullAction
    head_sha: str
    sender: str
    updated_at: datetime | None

    @property
    def action(self) -> str:
        """GitHub's word."""
        return self.what.value

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told(
            self.number,
            (self.head_sha, self.sender) if self.what.is_push else None,
            self.updated_at,
            afresh=self.what is PullAction.RECHECK,
            only_a_look=self.what not in (PullAction.EDITED, PullAction.DRAFTED, PullAction.RECHECK),
            settles=not (self.what.is_label or self.what in OUR_WORDS),
            can_wait=self.what is PullAction.PROPOSAL,
        )

    def subject(self, facts: Facts) -> PullRequest:
        """The pull request as it is now."""
        return facts.pull_request()

    def decide(self, facts: Facts) -> Decision:
        """What the pull request needs as it is now."""
        pull, history = facts.pull_request(), facts.history()
        if not pull.open:
            stopped = cancel(filter(is_going, history.runs), CancelKind.CLOSED, texts.CLOSED)
            reason = "the pull request is closed"
            return Decision(DecisionKind.IGNORE, reason, stopped, pull, None, self.sender, history.decision)
        base = facts.base()
        if self.what.is_label and not _asks_for_labels(base):
            return Decision(DecisionKind.IGNORE, "no pipeline asks for labels", subject=pull, base=base)
        outlook = automatic(pull, base, facts, "pull_request", rebased=self.what is PullAction.EDITED)
        stopped = drafted(pull, base, facts) if self.what is PullAction.DRAFTED else ()
        actions = (*stale_runs(pull, history), *stopped, *outlook.all_actions(pull, facts))
        return Decision(outlook.kind, outlook.reason, actions, pull, base, self.sender, history.decision)


def _asks_for_labels(base: Base) -> bool:
    return any(pipeline.labels for pipeline in base.pipelines.values())


def parse(payload: Mapping[str, object]) -> Ignored | PullRequestEvent:
    """Read the payload; actions that start or stop nothing are ignored."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    known = {one.value for one in PullAction} - {one.value for one in OUR_WORDS}
    if action not in known:
        return Ignored(f"pull_request {action} starts and stops nothing", action, repository)
    what = PullAction(action)
    if what is PullAction.EDITED and not _has_new_base(payload):
        return Ignored("only a new base means something", action, repository)
    return PullRequestEvent(
        repository=repository,
        number=take(payload, "pull_request.number", int),
        what=what,
        head_sha=take(payload, "pull_request.head.sha", str),
        sender=take(payload, "sender.login", str),
        updated_at=take_time(payload, "pull_request.updated_at"),
    )


def _has_new_base(payload: Mapping[str, object]) -> bool:
    try:
        take(payload, "changes.base", dict)
    except MalformedPayload:
        return False
    return True
