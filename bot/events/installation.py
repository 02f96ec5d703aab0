"""`installation`: the App was installed, changed or taken away. Nothing is started by that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MalformedPayload
from bot.events.payload import take
from bot.events.types import Told
from bot.models import Repository
from bot.policy.decision import Decision, DecisionKind, Forget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class InstallationEvent:
    """What we may see of some repositories changed."""

    action: str
    account: str
    repositories: tuple[Repository, ...]

    @property
    def repository(self) -> None:
        """It is about several."""
        return

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told()

    def subject(self, facts: Facts) -> None:
        """No pull request, no branch."""

    def decide(self, facts: Facts) -> Decision:
        """What we remember of our access to these repositories may be wrong now."""
        del facts
        reason = f"installation {self.action} for {self.account}: nothing starts by that"
        return Decision(DecisionKind.IGNORE, reason, tuple(Forget(one) for one in self.repositories))


def parse(payload: Mapping[str, object]) -> InstallationEvent:
    """Read the payload; GitHub lists the repositories in one of several places."""
    return InstallationEvent(
        action=take(payload, "action", str),
        account=take(payload, "installation.account.login", str),
        repositories=tuple(
            repository
            for key in ("repositories", "repositories_added", "repositories_removed")
            for repository in _repositories(payload, key)
        ),
    )


def _repositories(payload: Mapping[str, object], key: str) -> Sequence[Repository]:
    try:
        listed = take(payload, key, list)
    except MalformedPayload:
        return ()
    return [
        Repository(take(one, "id", int), take(one, "full_name", str), private=take(one, "private", bool))
        for one in listed
        if isinstance(one, dict)
    ]
