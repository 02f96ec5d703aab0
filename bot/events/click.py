"""Somebody clicked on a check run: what that asks for, said as the command that asks for the same."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.commands.decide import decide
from bot.commands.session import Asker
from bot.commands.types import Command, ParsedComment
from bot.events.pull_request import PullAction, PullRequestEvent
from bot.events.types import Told
from bot.models import CLICK, PREFIX, CancelKind, context_of, external_id, written
from bot.policy import texts
from bot.policy.decision import Answer, CancelRuns, Decision, DecisionKind

if TYPE_CHECKING:
    from bot.models import PullRequest, Repository, Run
    from bot.policy.decision import Action
    from bot.policy.facts import Facts


class Asks(enum.Enum):
    """What a click asks for; the value of a button's is its identifier on GitHub."""

    RERUN = "rerun"  # GitHub's own "Re-run", whatever the result was
    RETRY = "retry"
    CANCEL = "cancel"
    DRYRUN = "dryrun"

    @property
    def command(self) -> str:
        """The command that asks for the same."""
        return {Asks.RERUN: "test", Asks.RETRY: "retest"}.get(self, self.value)


@dataclass(frozen=True, slots=True)
class ClickEvent:
    """A click on a check run of a pull request, or (`name` empty) on all of them.

    `name` is the check run's, `run_id` the run that it showed, empty where it showed none; `external_id` is
    what we called it then. Who clicks is checked as one who comments.
    """

    repository: Repository
    number: int
    head_sha: str
    name: str
    run_id: str
    asks: Asks
    sender: str
    external_id: str = ""

    @property
    def action(self) -> str:
        """Our word for what it asks."""
        return self.asks.value

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told(self.number)

    def subject(self, facts: Facts) -> PullRequest:
        """The pull request as it is now."""
        return facts.pull_request()

    def decide(self, facts: Facts) -> Decision:
        """What the command of the same meaning comes to."""
        pull = facts.pull_request()
        if pull.open and pull.head_sha != self.head_sha:
            reason = texts.click_on_old_head(self.head_sha, pull.head_sha)
            answer = Answer(CLICK, texts.to_who_clicked(self.sender, reason))
            return Decision(DecisionKind.IGNORE, reason, (answer,), pull, facts.base(), self.sender)
        run = next((run for run in facts.history().runs if run.id == self.run_id), None)
        if run is not None and self.asks in (Asks.RERUN, Asks.RETRY) and self._is_late(run, facts):
            reason = texts.click_on_old_run(run.context)
            answer = Answer(CLICK, texts.to_who_clicked(self.sender, reason))
            return Decision(DecisionKind.IGNORE, reason, (answer,), pull, facts.base(), self.sender)
        pipeline = run.pipeline if run is not None else self.name.removeprefix(PREFIX)
        if self.asks is Asks.CANCEL and run is not None:
            return self._cancel(run, facts)
        if self.name and run is None and pipeline not in facts.base().pipelines:
            return self._about_no_pipeline(facts)
        command = Command(
            self.asks.command,
            line=0,
            pipelines=(pipeline,) if self.name else (),
            everything=not self.name,
            dryrun=self.asks is Asks.DRYRUN,
            inputs=_inputs(run) if self.asks in (Asks.RERUN, Asks.DRYRUN) else {},
        )
        return decide(ParsedComment((command,)), Asker(self.sender, CLICK), facts)

    def _is_late(self, run: Run, facts: Facts) -> bool:
        """Whether what was clicked on has had its consequence: so that a delivery sent again has no second.

        The id of a delivery is not signed: somebody who saw one could send it under another.
        """
        verdict = facts.history().verdicts.get(run.context)
        newer = verdict is not None and verdict.run is not None and verdict.run.id != run.id
        return newer or self.external_id not in ("", external_id(self.number, run))

    def _cancel(self, run: Run, facts: Facts) -> Decision:
        """Stop the very run that was clicked on, by whoever may cancel; others of its pipeline go on."""
        command = Command(Asks.CANCEL.command, line=0, pipelines=(run.pipeline,))
        decision = decide(ParsedComment((command,)), Asker(self.sender, CLICK), facts)
        return replace(decision, actions=tuple(self._only(run, action) for action in decision.actions))

    def _only(self, run: Run, action: Action) -> Action:
        if isinstance(action, CancelRuns) and action.kind is CancelKind.COMMAND:
            return replace(action, runs=tuple(one for one in action.runs if one.id == run.id))
        return action

    def _about_no_pipeline(self, facts: Facts) -> Decision:
        """What else we show, such as a broken configuration, is looked at again."""
        look = PullRequestEvent(
            self.repository, self.number, PullAction.RECHECK, self.head_sha, self.sender, None
        )
        return look.decide(facts)


def _inputs(run: Run | None) -> dict[str, str]:
    """The inputs of the run that was shown, as a command would give them."""
    if run is None or run.context == context_of(run.pipeline):
        return {}
    return {key: written(value) for key, value in run.inputs.items()}
