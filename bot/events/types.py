"""What an event is: a small reading of a payload, that knows what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.policy.decision import Decision, DecisionKind

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Repository, Subject
    from bot.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class Told:
    """What a delivery tells beside what it asks for; None or empty where it does not.

    `number` is the pull request's. `pushed` is a head and who put it there. `at`: GitHub's own state must
    not be older to be believed. `replaced` is the commit that a branch does not point at any more.
    `afresh`: what we remember of the repository must not be believed. `only_a_look`: it asks for nothing but
    a look at what is now, so that a later one that `settles` all does so for this one, too. `can_wait` until
    there is plenty of room below GitHub's limits.
    """

    number: int | None = None
    pushed: tuple[str, str] | None = None
    at: datetime | None = None
    replaced: str = ""
    afresh: bool = False
    only_a_look: bool = False
    settles: bool = False
    can_wait: bool = False


class Event(Protocol):
    """One event, as far as it means something to us."""

    @property
    def action(self) -> str:
        """GitHub's word for what happened, "" where there is none."""
        ...

    @property
    def repository(self) -> Repository | None:
        """Where it happened; None where the event is about several repositories or none."""
        ...

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        ...

    def subject(self, facts: Facts) -> Subject | None:
        """What it is about: the pull request as it is now, or a branch; None if neither."""
        ...

    def decide(self, facts: Facts) -> Decision:
        """What to do about it. Raises MissingFact for what has to be looked up first.

        Level-triggered: it looks at what is now, so that late, repeated and reordered deliveries end in the
        same state.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, and why."""

    reason: str
    action: str = ""
    repository: Repository | None = None

    @property
    def told(self) -> Told:
        """Nothing."""
        return Told()

    def subject(self, facts: Facts) -> None:
        """Nothing."""

    def decide(self, facts: Facts) -> Decision:
        """Nothing, whatever the facts are."""
        del facts
        return Decision(DecisionKind.IGNORE, self.reason)
