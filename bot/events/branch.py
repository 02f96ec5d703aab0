"""What a branch that is tested by itself needs: a pushed one, or a merge queue's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.events.types import Told
from bot.models import CancelKind
from bot.policy import texts
from bot.policy.automatic import automatic
from bot.policy.decision import Decision, DecisionKind
from bot.policy.runs import at_head, cancel, is_going, stale_runs

if TYPE_CHECKING:
    from bot.models import Branch, Repository
    from bot.policy.decision import Action
    from bot.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class BranchEvent:
    """A branch is to be tested at one commit, or (not `branch.open`) no longer.

    `event` is GitHub's name of what happened, which pipelines listen to.
    """

    branch: Branch
    event: str
    action: str
    sender: str

    @property
    def repository(self) -> Repository:
        """Where the branch is."""
        return self.branch.repository

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told()

    def subject(self, facts: Facts) -> Branch:
        """The branch at that commit."""
        del facts
        return self.branch

    def decide(self, facts: Facts) -> Decision:
        """What the branch needs. Only who can write pushes here or fills a merge queue: all is trusted."""
        return decide_branch(self.branch, self.event, self.sender, facts)


def decide_branch(
    branch: Branch, event: str, sender: str, facts: Facts, before: tuple[Action, ...] = ()
) -> Decision:
    """What the branch needs now; `before` is what is done in any case."""
    history = facts.history()
    if not branch.open or (branch.merge_group and history.closed):
        here = [run for run in history.runs if is_going(run) and at_head(run, branch)]
        stopped = cancel(here, CancelKind.CLOSED, texts.DESTROYED)
        return Decision(
            DecisionKind.IGNORE, texts.DESTROYED, (*before, *stopped), branch, None, sender, history.decision
        )
    base = facts.base()
    outlook = automatic(branch, base, facts, event)
    actions = (*before, *stale_runs(branch, history), *outlook.all_actions(branch, facts))
    return Decision(outlook.kind, outlook.reason, actions, branch, base, sender, history.decision)
