"""Handle one delivery: payload -> event -> decision -> stored change. Nothing is sent from here."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bot import events
from bot.errors import GitHubNotFound, Temporary
from bot.events.types import CommentEvent, Ignored, PullRequestEvent
from bot.metrics import UNSERVED
from bot.models import Cancellation, Change, Reply, Run, Status, Verdict
from bot.policy.decision import Answer, CancelRuns, Notify, ShowStatus, StartRun
from bot.runs.conf import build_conf

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.claims import DeliveryClaim
    from bot.intake.lookup import Lookup
    from bot.models import PullRequest, Repository
    from bot.policy.decision import Decision
    from bot.ports import Clock, Ledger, PullRequestReader

PATIENCE = 6  # tries before we believe GitHub's API over its webhook

log = logging.getLogger(__name__)


class GitHubLags(Temporary):
    """GitHub's API has not caught up with the webhook that announced a change."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a delivery."""

    ignored: bool
    reason: str


class DeliveryHandler:
    """Turns a delivery into a stored change; safe to repeat, since what it stores is what should be."""

    def __init__(
        self,
        *,
        github: PullRequestReader,
        lookup: Lookup,
        ledger: Ledger,
        served: Callable[[Repository], bool],
        run_page: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self.github = github
        self.lookup = lookup
        self.ledger = ledger
        self.served = served
        self.run_page = run_page
        self.clock = clock

    def handle(self, claim: DeliveryClaim) -> Handled:
        """Decide and store. Raises Temporary where a later try may pass, other errors where not."""
        event = events.parse(claim.delivery)
        if isinstance(event, Ignored):
            return Handled(ignored=True, reason=event.reason)
        if not self.served(event.repository):
            UNSERVED.inc()
            return Handled(ignored=True, reason=f"{event.repository.full_name} is not served")
        pull = self._current(event, claim.tries) if isinstance(event, PullRequestEvent) else None
        decision = self._decide(event, pull, claim.tries)
        log.info(
            "%s#%s: %s: %s", event.repository.full_name, event.number, decision.kind.value, decision.reason
        )
        if decision.pull is None or (not decision.actions and decision.pull.open):
            return Handled(ignored=True, reason=decision.reason)
        change = self._change(claim.delivery.id, decision, decision.pull)
        if not self.ledger.apply(change):
            return Handled(ignored=True, reason="this comment was answered before")
        return Handled(ignored=False, reason=decision.reason)

    def _current(self, event: PullRequestEvent, tries: int) -> PullRequest:
        """The pull request as GitHub has it now, which must not be older than what we were told."""
        if event.action.is_push:
            self.ledger.record_push(event.repository, event.number, event.head_sha, event.sender)
        try:
            pull = self.github.pull_request(event.repository, event.number)
        except GitHubNotFound as error:
            if tries > PATIENCE:
                raise
            raise GitHubLags(f"GitHub does not show #{event.number} yet: {error}") from error
        if pull.updated_at < event.updated_at and tries <= PATIENCE:
            raise GitHubLags(f"GitHub's API still shows an older #{event.number} than its webhook")
        return pull

    def _decide(
        self, event: PullRequestEvent | CommentEvent, pull: PullRequest | None, tries: int
    ) -> Decision:
        try:
            return self.lookup.decide(event, pull)
        except GitHubNotFound as error:
            if tries > PATIENCE:
                raise
            raise GitHubLags(f"GitHub does not show everything yet: {error}") from error

    def _change(self, delivery_id: str, decision: Decision, pull: PullRequest) -> Change:
        verdicts: list[Verdict] = []
        cancellations: list[Cancellation] = []
        reply: Reply | None = None
        notice: str | None = None
        for action in decision.actions:
            match action:
                case StartRun():
                    run = self._run(action, delivery_id, decision, pull)
                    verdicts.append(Verdict(action.context, run.pipeline, run=run))
                case ShowStatus():
                    status = Status(action.context, action.state, action.description)
                    verdicts.append(Verdict(action.context, action.pipeline, status=status))
                case CancelRuns():
                    cancellations.append(Cancellation(action.run_ids, action.kind, action.reason))
                case Answer():
                    reply = Reply(action.comment_id, action.reply)
                case Notify():
                    notice = action.text
        return Change(
            pull=pull,
            delivery_id=delivery_id,
            actor=decision.actor,
            reason=decision.reason,
            verdicts=tuple(verdicts),
            cancellations=tuple(cancellations),
            reply=reply,
            notice=notice,
            after=decision.after,
        )

    def _run(self, action: StartRun, delivery_id: str, decision: Decision, pull: PullRequest) -> Run:
        if decision.base is None:
            raise ValueError("a run can't be started without a resolved base")
        run_id = secrets.token_hex(16)
        conf = build_conf(
            run_id=run_id,
            run_page=self.run_page(run_id),
            pull=pull,
            pipeline=action.name,
            params=action.pipeline.params,
            base_sha=decision.base.sha,
            delivery_id=delivery_id,
            actor=decision.actor,
            trigger=action.trigger,
        )
        return Run(
            id=run_id,
            repository=pull.repository,
            number=pull.number,
            pipeline=action.name,
            dag_id=action.pipeline.dag,
            head_sha=pull.head_sha,
            base_ref=pull.base_ref,
            attempt=0,
            actor=decision.actor,
            created_at=self.clock(),
            conf=conf,
        )


def serves(patterns: tuple[str, ...], owner: Callable[[], str | None]) -> Callable[[Repository], bool]:
    """Whether a repository is served: by the operator's patterns, else if the App's owner owns it."""

    def served(repository: Repository) -> bool:
        name = repository.full_name.lower()
        if patterns:
            return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
        account = owner()
        return account is not None and repository.owner.lower() == account.lower()

    return served
