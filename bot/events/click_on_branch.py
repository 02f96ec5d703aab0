"""A click on a check run of a pushed branch or a merge group, where nobody can comment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.events.click import Asks
from bot.events.types import Told
from bot.models import Branch, CancelKind, external_id
from bot.policy import texts
from bot.policy.decision import Decision, DecisionKind, ResumeRun, StartRun
from bot.policy.runs import at_head, can_resume, cancel, is_bad, is_going
from bot.policy.trust import is_trusted

if TYPE_CHECKING:
    from bot.models import Repository, Run
    from bot.policy.decision import Action
    from bot.policy.facts import Facts

_GROUP = re.compile(r"gh-readonly-queue/(?P<base>.+)/pr-[0-9]+-(?P<before>[0-9a-f]{40,64})", re.ASCII)
"""How GitHub names the branch of a merge group."""


@dataclass(frozen=True, slots=True)
class BranchClickEvent:
    """A trusted user wants a run of the branch to go on, to start again or to stop."""

    branch: Branch
    run_id: str
    asks: Asks
    sender: str
    external_id: str = ""

    @property
    def action(self) -> str:
        """Our word for what it asks."""
        return self.asks.value

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
        """What becomes of the run that was clicked on."""
        history, base = facts.history(), facts.base()
        run = next((run for run in history.runs if run.id == self.run_id), None)
        if run is None or not at_head(run, self.branch) or (self.branch.merge_group and history.closed):
            return Decision(DecisionKind.IGNORE, "nothing of ours is tested there any more")
        if facts.tip(self.branch.name) != self.branch.head_sha:
            return Decision(DecisionKind.IGNORE, f"{self.branch.name} has moved on")
        if not is_trusted(self.sender, base, facts):
            return Decision(DecisionKind.DENY, f"{self.sender} is not trusted here")
        actions = self._actions(run, facts)
        kind = DecisionKind.RUN if actions else DecisionKind.IGNORE
        said = f"{self.sender} clicked on {run.context}: {self.asks.value}"
        return Decision(kind, said, actions, self.branch, base, self.sender, history.decision)

    def _actions(self, run: Run, facts: Facts) -> tuple[Action, ...]:
        if self.asks is Asks.CANCEL:
            going = [run] if is_going(run) else []
            return cancel(going, CancelKind.COMMAND, texts.cancelled_by(self.sender))
        base, verdict = facts.base(), facts.history().verdicts.get(run.context)
        pipeline = base.pipelines.get(run.pipeline)
        if self.asks is Asks.DRYRUN or pipeline is None or verdict is None or verdict.run is None:
            return ()
        if verdict.run.id != run.id or self.external_id not in ("", external_id(self.branch.number, run)):
            return ()  # what was clicked on has had its consequence
        if is_bad(verdict) and can_resume(run, pipeline, base, facts.now()):
            return (ResumeRun(run),)
        if run.finished and (is_bad(verdict) or self.asks is Asks.RERUN):
            return (StartRun(run.pipeline, pipeline, "command", run.inputs),)
        return ()


def branch_of(repository: Repository, name: str, sha: str) -> Branch:
    """The branch of that name as our events about it have it."""
    group = _GROUP.fullmatch(name)
    if group is None:
        return Branch(repository, name, sha, name)
    return Branch(repository, name, sha, group["base"], before=group["before"], merge_group=True)
