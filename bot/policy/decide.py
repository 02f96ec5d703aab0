"""The one decision: an event and facts in, actions out.

Level-triggered: it looks at what the pull request is now, so that late, repeated and reordered
deliveries end in the same state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events.types import CommentEvent, Ignored, PullRequestEvent
from bot.models import CancelKind
from bot.policy import texts
from bot.policy.decide_command import decide_command
from bot.policy.decision import CancelRuns, Decision, DecisionKind
from bot.policy.pipelines import automatic_actions, configured, stale_runs

if TYPE_CHECKING:
    from bot.events.types import Event
    from bot.policy.facts import Facts


def decide(event: Event, facts: Facts) -> Decision:
    """What to do about the event. Raises MissingFact for what has to be looked up first."""
    match event:
        case Ignored():
            return Decision(DecisionKind.IGNORE, event.reason)
        case CommentEvent():
            return decide_command(event, facts)
        case PullRequestEvent():
            return _decide_pull_request(event, facts)


def _decide_pull_request(event: PullRequestEvent, facts: Facts) -> Decision:
    pull, history = facts.pull_request(), facts.history()
    if not pull.open:
        running = tuple(run.id for run in history.runs if not run.finished and run.cancel is None)
        return Decision(
            DecisionKind.IGNORE,
            "the pull request is closed",
            (CancelRuns(running, CancelKind.CLOSED, texts.CLOSED),) if running else (),
            pull,
            actor=event.sender,
            after=history.decision,
        )
    actions = stale_runs(pull, history)
    base = facts.base()
    if not configured(base):
        kind, reason = DecisionKind.IGNORE, "the repository has no preflight.yaml"
    else:
        kind, reason, more = automatic_actions(pull, base, facts)
        actions = (*actions, *more)
    return Decision(kind, reason, actions, pull, base, event.sender, history.decision)
