"""What a decision may have to know. A fact that is not there yet is asked for by raising MissingFact.

So `decide` stays a pure function: whoever drives it looks up the fact that is missing and asks again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.errors import PreflightError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import ChangedFiles, History, Permission, PullRequest
    from bot.policy.configuration import Configuration, ConfigurationError


class MissingFact(PreflightError):
    """The decision needs a fact: `name` is the method of Facts that asked, `about` its argument."""

    def __init__(self, name: str, about: str = "") -> None:
        super().__init__(f"the decision needs to know: {name} {about}".rstrip())
        self.name = name
        self.about = about


@dataclass(frozen=True, slots=True)
class Base:
    """The base branch, resolved once for the whole decision, and the configuration found there.

    `configuration` is None where the repository has none: then the bot is silent.
    """

    sha: str
    configuration: Configuration | ConfigurationError | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known so far; each method returns its fact or raises MissingFact."""

    known: Mapping[tuple[str, str], object] = field(default_factory=lambda: MappingProxyType({}))

    def learn(self, missing: MissingFact, value: object) -> Facts:
        """These facts and one more."""
        return Facts(MappingProxyType({**self.known, (missing.name, missing.about): value}))

    def pull_request(self) -> PullRequest:
        """The pull request as GitHub has it now."""
        return self._know("pull_request")  # type: ignore[return-value]

    def permission(self, login: str) -> Permission:
        """What the user may do in the base repository."""
        return self._know("permission", login)  # type: ignore[return-value]

    def base(self) -> Base:
        """The base branch's tip and configuration."""
        return self._know("base")  # type: ignore[return-value]

    def changed_files(self) -> ChangedFiles:
        """What the pull request changes."""
        return self._know("changed_files")  # type: ignore[return-value]

    def history(self) -> History:
        """What we remember of the pull request."""
        return self._know("history")  # type: ignore[return-value]

    def bot_login(self) -> str:
        """Our own login."""
        return self._know("bot_login")  # type: ignore[return-value]

    def _know(self, name: str, about: str = "") -> object:
        try:
            return self.known[name, about]
        except KeyError:
            raise MissingFact(name, about) from None
