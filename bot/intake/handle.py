"""Handle one delivery: payload -> event -> decision -> stored change. Nothing is sent from here."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import events
from bot.errors import HeldBack
from bot.events.proposal import proposal
from bot.events.recheck import recheck
from bot.events.rerun import rerun
from bot.events.types import Ignored
from bot.intake.lookup import Lookup
from bot.intake.one_look import MOST_BEHIND, settled_by_another, settled_by_this
from bot.metrics import UNSERVED
from bot.models import (
    CLICK,
    Branch,
    Cancellation,
    Change,
    Reply,
    Run,
    Status,
    Verdict,
    click_id,
)
from bot.policy.decision import (
    Answer,
    Approve,
    CancelRuns,
    Forget,
    Notify,
    Recheck,
    Rename,
    Rerun,
    ResumeRun,
    ShowStatus,
    StartRun,
    describe,
)
from bot.policy.rules import report_policy_of, rules_of, values_of
from bot.runs.conf import build_conf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.claims import DeliveryClaim
    from bot.events.types import Event
    from bot.intake.lookup import Sources
    from bot.models import Delivery, ReportPolicy, Repository, Subject
    from bot.policy.decision import Action, Decision

SECONDS_BETWEEN = 0.5  # two looks at what was left out while there was little room; each waits for plenty
PATIENCE = 6  # tries before we believe GitHub's API over its webhook
LAGS = "GitHub lags: "  # so begins the reason of one that is tried again since it does

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a delivery."""

    ignored: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a decision can do beside changing what is stored about its subject. Each may be repeated."""

    put: Callable[[Delivery], object]
    behind: Callable[[Delivery, int], Sequence[Delivery]]
    settle: Callable[[Sequence[str], str], None]
    held_ahead: Callable[[Delivery], float]
    put_by_and_by: Callable[[Sequence[Delivery], float], object]
    forget: Callable[[Repository], None]


class DeliveryHandler:
    """Turns a delivery into a stored change; safe to repeat, since what it stores is what should be."""

    def __init__(
        self,
        *,
        sources: Sources,
        effects: Effects,
        run_page: Callable[[str], str],
    ) -> None:
        self.sources = sources
        self.effects = effects
        self.run_page = run_page

    def handle(self, claim: DeliveryClaim) -> Handled:
        """Decide and store. Raises Temporary where a later try may pass, other errors where not."""
        event = events.parse(claim.delivery)
        if isinstance(event, Ignored):
            return Handled(ignored=True, reason=event.reason)
        repository = event.repository
        if repository is not None and self.sources.operator().serve(repository) is None:
            UNSERVED.inc()
            return Handled(ignored=True, reason=f"{repository.full_name} is not served")
        told = event.told
        if repository is not None and told.number is not None and told.pushed is not None:
            self.sources.ledger.record_push(repository, told.number, *told.pushed)
        looks = told.only_a_look or told.settles
        behind = self.effects.behind(claim.delivery, MOST_BEHIND) if looks else ()
        if settled_by_another(event, behind):
            return Handled(ignored=True, reason="a later delivery about the pull request settles it, too")
        if looks and (seconds := self.effects.held_ahead(claim.delivery)) > 0:
            raise HeldBack(seconds)
        decision = self._decided(event, claim)
        handled = self._store(claim.delivery, decision)
        if settled := settled_by_this(event, decision.subject, behind):
            self.effects.settle(settled, "an earlier delivery about the pull request has settled it, too")
        return handled

    def _decided(self, event: Event, claim: DeliveryClaim) -> Decision:
        """The decision on the event, once there is room to look up what it depends on."""
        repository, told, plenty = event.repository, event.told, True
        if repository is not None:
            plenty = self.sources.check_room(repository, can_wait=told.can_wait) or not told.settles
            if told.afresh:
                self.effects.forget(repository)
        # Other failures are tries, too. The first answer after an outage may be as old as any first one.
        patient = claim.tries <= PATIENCE or not claim.reason.startswith(LAGS)
        lookup = Lookup(self.sources, event, patient=patient, age=claim.age, plenty=plenty)
        decision = lookup.decide()
        log.info("%s: %s: %s", _where(event, decision), decision.kind.value, decision.reason)
        for action in decision.actions:
            self._affect(action, claim.delivery, decision)
        if lookup.postponed and repository is not None and told.number is not None:
            because = claim.delivery.id
            later = proposal(repository, told.number, sender=decision.actor, because=because)
            self.effects.put_by_and_by([later], SECONDS_BETWEEN)
        return decision

    def _affect(self, action: Action, delivery: Delivery, decision: Decision) -> None:
        match action:
            case Rename():
                self.sources.ledger.rename(action.repository)
            case Forget():
                self.effects.forget(action.repository)
            case Recheck():
                self.effects.put(
                    recheck(action.repository, action.number, sender=decision.actor, because=delivery.id)
                )
            case Rerun():
                where = (action.repository, action.number, action.sha)
                self.effects.put(rerun(*where, sender=decision.actor, because=delivery.id))

    def _store(self, delivery: Delivery, decision: Decision) -> Handled:
        subject = decision.subject
        stored = [one for one in decision.actions if not isinstance(one, Rename | Forget | Recheck | Rerun)]
        if subject is None or (not stored and subject.open):
            return Handled(ignored=True, reason=decision.reason)
        if not self.sources.ledger.apply(self._change(delivery.id, decision, subject, stored)):
            return Handled(ignored=True, reason="this comment was answered before")
        return Handled(ignored=False, reason=decision.reason)

    def _change(
        self, delivery_id: str, decision: Decision, subject: Subject, actions: Sequence[Action]
    ) -> Change:
        verdicts: list[Verdict] = []
        dry_runs: list[Run] = []
        for action in actions:
            match action:
                case StartRun():
                    run = self._run(action, delivery_id, decision, subject)
                    if run.dryrun:
                        dry_runs.append(run)
                    else:
                        verdicts.append(Verdict(run.context, run.pipeline, run=run))
                case ShowStatus():
                    status = Status(action.context, action.state, action.description)
                    verdicts.append(
                        Verdict(action.context, action.pipeline, status=status, override=action.override)
                    )
        replies = [
            Reply(one.comment_id or click_id(delivery_id), one.reply)
            for one in actions
            if isinstance(one, Answer)
        ]
        notices = [one.text for one in actions if isinstance(one, Notify)]
        approved = [one.sha for one in actions if isinstance(one, Approve)]
        return Change(
            subject=subject,
            delivery_id=delivery_id,
            actor=decision.actor,
            kind=decision.kind.value,
            reason=decision.reason,
            what=describe(actions),
            verdicts=tuple(verdicts),
            dry_runs=tuple(dry_runs),
            resumed=tuple(one.run.id for one in actions if isinstance(one, ResumeRun)),
            cancellations=tuple(
                Cancellation(tuple(run.id for run in one.runs), one.kind, one.reason)
                for one in actions
                if isinstance(one, CancelRuns)
            ),
            approved=approved[0] if approved else None,
            reply=replies[0] if replies else None,
            notice=notices[-1] if notices else None,
            report=_report_policy(decision),
            after=decision.after,
        )

    def _run(self, action: StartRun, delivery_id: str, decision: Decision, subject: Subject) -> Run:
        base = decision.base
        if base is None or base.usable is None:
            raise ValueError("a run can't be started without a configuration")
        run_id = secrets.token_hex(16)
        conf = build_conf(
            run_id=run_id,
            run_page=self.run_page(run_id),
            subject=subject,
            pipeline=action.name,
            values=values_of(action.pipeline, action.inputs),
            base_sha=base.sha,
            delivery_id=delivery_id,
            actor=decision.actor,
            trigger=action.trigger,
            trusted=action.trusted,
            dryrun=action.dryrun,
        )
        return Run(
            id=run_id,
            repository=subject.repository,
            number=subject.number,
            pipeline=action.name,
            dag_id=action.pipeline.dag,
            head_sha=subject.head_sha,
            base_ref=subject.base_ref,
            attempt=0,
            actor=decision.actor,
            created_at=self.sources.clock(),
            conf=conf,
            branch=subject.name if isinstance(subject, Branch) else "",
            dryrun=action.dryrun,
            comment_id=click_id(delivery_id) if action.comment_id == CLICK else action.comment_id,
            inputs=action.inputs,
            rules=rules_of(
                action.name,
                action.pipeline,
                base.usable,
                self.sources.operator(),
                subject.repository,
                dryrun=action.dryrun,
            ),
        )


def _report_policy(decision: Decision) -> ReportPolicy | None:
    usable = decision.base.usable if decision.base is not None else None
    return None if usable is None else report_policy_of(usable)


def _where(event: Event, decision: Decision) -> str:
    subject = decision.subject
    if subject is None:
        return "no repository" if event.repository is None else event.repository.full_name
    name = subject.name if isinstance(subject, Branch) else f"#{subject.number}"
    return f"{subject.repository.full_name} {name}"
