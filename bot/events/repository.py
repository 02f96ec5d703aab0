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
        """Learn its name, who may see it, and who gives us access.

        Only what closes is believed at once. A delivery may be an old one that somebody sends again under
        another id, which is not signed: GitHub itself says what the repository is called and who may see it.
        """
        now: Repository | None = self.repository
        if self.action != "privatized" or not self.repository.private:
            now = facts.repository_now()
        if now is None:
            reason = f"GitHub does not show us {self.repository.full_name}: it stays as we know it"
            return Decision(DecisionKind.IGNORE, reason, (Forget(self.repository),))
        kind = "private" if now.private else "public"
        reason = f"the repository is {now.full_name} now, which is {kind}"
        return Decision(DecisionKind.IGNORE, reason, (Rename(now), Forget(self.repository)))


def parse(payload: Mapping[str, object]) -> Ignored | RepositoryEvent:
    """Read the payload."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    if action not in ("renamed", "transferred", "privatized", "publicized"):
        return Ignored(f"repository {action} means nothing to us", action, repository)
    return RepositoryEvent(action, repository)
