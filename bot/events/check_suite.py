"""`check_suite`: somebody wants all of our check runs at a commit to run again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.events.payload import take, take_repository
from bot.events.types import Ignored, Told
from bot.policy.decision import Decision, DecisionKind, Rerun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Repository
    from bot.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class SuiteEvent:
    """Everything at a commit is to run again, in each open pull request that has it as its head."""

    repository: Repository
    head_sha: str
    sender: str

    @property
    def action(self) -> str:
        """GitHub's word."""
        return "rerequested"

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told()

    def subject(self, facts: Facts) -> None:
        """None: the pull requests are asked one by one, each in its own lane."""

    def decide(self, facts: Facts) -> Decision:
        """Ask each pull request. The payload's own list of them lacks those from forks."""
        numbers = facts.open_pulls_at(self.head_sha)
        actions = tuple(Rerun(self.repository, number, self.head_sha) for number in numbers)
        if not actions:
            return Decision(DecisionKind.IGNORE, f"no open pull request has the head {self.head_sha[:7]}")
        said = f"{self.sender} asked for all of {self.head_sha[:7]} again"
        return Decision(DecisionKind.RUN, said, actions, actor=self.sender)


def parse(payload: Mapping[str, object]) -> Ignored | SuiteEvent:
    """Read the payload."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    if action != "rerequested":
        return Ignored(f"a check suite that was {action} starts nothing", action, repository)
    return SuiteEvent(
        repository, take(payload, "check_suite.head_sha", str), take(payload, "sender.login", str)
    )
