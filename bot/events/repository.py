"""`repository`: renamed, transferred, made private or public. Its id stays, and so do its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.events.payload import take, take_repository
from bot.events.types import Ignored, Told
from bot.policy.decision import Decision, DecisionKind, Forget, Rename

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Repository
    from bot.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class RepositoryEvent:
    """A repository has a new name or owner, or is for other eyes from now on."""

    action: str
    repository: Repository

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told()

    def subject(self, facts: Facts) -> None:
        """No pull request, no branch."""

    def decide(self, facts: Facts) -> Decision:
        """Learn its name, who may see it, and who gives us access."""
        del facts
        kind = "private" if self.repository.private else "public"
        reason = f"the repository is {self.repository.full_name} now, which is {kind}"
        actions = (Rename(self.repository), Forget(self.repository))
        return Decision(DecisionKind.IGNORE, reason, actions)


def parse(payload: Mapping[str, object]) -> Ignored | RepositoryEvent:
    """Read the payload."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    if action not in ("renamed", "transferred", "privatized", "publicized"):
        return Ignored(f"repository {action} means nothing to us", action, repository)
    return RepositoryEvent(action, repository)
