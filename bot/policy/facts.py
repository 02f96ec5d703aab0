"""What a decision may have to know. A fact that is not there yet is asked for by raising MissingFact.

So deciding stays a pure function: whoever drives it looks up the fact that is missing and asks again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from bot.errors import PreflightError
from bot.policy.configuration import Configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.models import ChangedFiles, History, Permission, PullRequest, Repository
    from bot.policy.configuration import ConfigurationError, Pipeline
    from bot.policy.operator import Operator


class MissingFact(PreflightError):
    """The decision needs a fact: `name` is the method of Facts that asked, `about` its arguments."""

    def __init__(self, name: str, *about: str) -> None:
        super().__init__(f"the decision needs to know: {' '.join((name, *about))}")
        self.name = name
        self.about = about


@dataclass(frozen=True, slots=True)
class Base:
    """The base branch, resolved once for the whole decision, and the configuration found there.

    `configuration` is None where neither the repository nor its owner has one: then the bot is silent.
    `source` says where it was found, for people.
    """

    sha: str
    configuration: Configuration | ConfigurationError | None
    source: str = ""

    @property
    def usable(self) -> Configuration | None:
        """The configuration, None also where it can't be used."""
        return self.configuration if isinstance(self.configuration, Configuration) else None

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """The pipelines, none where the configuration can't be used."""
        return self.usable.pipelines if self.usable is not None else {}


class FactSource(Protocol):
    """Who can answer what decisions ask: from outside, as the worker does, or from a file, as `simulate`."""

    def operator(self) -> Operator:
        """What the operator allows."""
        ...

    def now(self) -> datetime:
        """The time of the decision."""
        ...

    def bot_login(self) -> str:
        """Our own login."""
        ...

    def repository_now(self) -> Repository | None:
        """The repository as GitHub has it now, None if it does not show it to us."""
        ...

    def pull_request(self) -> PullRequest:
        """The pull request as GitHub has it now."""
        ...

    def tip(self, branch: str) -> str | None:
        """The SHA that the branch points at now, None if there is no such branch."""
        ...

    def base(self) -> Base:
        """The base branch's tip and configuration; for a pushed branch, the commit that was pushed."""
        ...

    def proposed(self) -> Configuration | ConfigurationError | None:
        """The pull request's own version of the configuration, None if it does not change the file."""
        ...

    def changed_files(self) -> ChangedFiles:
        """What the pull request or branch changes."""
        ...

    def codeowners(self) -> str:
        """The base branch's CODEOWNERS file, empty if there is none."""
        ...

    def permission(self, login: str) -> Permission:
        """What the user may do in the base repository."""
        ...

    def member(self, login: str, group: str) -> bool:
        """Whether the user is a member of "ORGANISATION" or "ORGANISATION/TEAM"."""
        ...

    def history(self) -> History:
        """What we remember of the pull request or branch."""
        ...

    def open_pulls_at(self, sha: str) -> Sequence[int]:
        """The numbers of the open pull requests that have this head."""
        ...

    def broken_pulls(self) -> Sequence[tuple[Repository, int]]:
        """The open pull requests that show a configuration which the pushed branch may have mended."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known so far; each method returns its fact or raises MissingFact."""

    known: Mapping[tuple[str, ...], object] = field(default_factory=lambda: MappingProxyType({}))

    def learn(self, missing: MissingFact, value: object) -> Facts:
        """These facts and one more."""
        return Facts(MappingProxyType({**self.known, (missing.name, *missing.about): value}))

    def operator(self) -> Operator:
        """What the operator allows."""
        return self._know("operator")  # type: ignore[return-value]

    def now(self) -> datetime:
        """The time of the decision."""
        return self._know("now")  # type: ignore[return-value]

    def bot_login(self) -> str:
        """Our own login."""
        return self._know("bot_login")  # type: ignore[return-value]

    def repository_now(self) -> Repository | None:
        """The repository as GitHub has it now, None if it does not show it to us."""
        return self._know("repository_now")  # type: ignore[return-value]

    def pull_request(self) -> PullRequest:
        """The pull request as GitHub has it now."""
        return self._know("pull_request")  # type: ignore[return-value]

    def tip(self, branch: str) -> str | None:
        """The SHA that the branch points at now, None if there is no such branch."""
        return self._know("tip", branch)  # type: ignore[return-value]

    def base(self) -> Base:
        """The base branch's tip and configuration; for a pushed branch, the commit that was pushed."""
        return self._know("base")  # type: ignore[return-value]

    def proposed(self) -> Configuration | ConfigurationError | None:
        """The pull request's own version of the configuration, None if it does not change the file."""
        return self._know("proposed")  # type: ignore[return-value]

    def changed_files(self) -> ChangedFiles:
        """What the pull request or branch changes."""
        return self._know("changed_files")  # type: ignore[return-value]

    def codeowners(self) -> str:
        """The base branch's CODEOWNERS file, empty if there is none."""
        return self._know("codeowners")  # type: ignore[return-value]

    def permission(self, login: str) -> Permission:
        """What the user may do in the base repository."""
        return self._know("permission", login)  # type: ignore[return-value]

    def member(self, login: str, group: str) -> bool:
        """Whether the user is a member of "ORGANISATION" or "ORGANISATION/TEAM"."""
        return self._know("member", login, group)  # type: ignore[return-value]

    def history(self) -> History:
        """What we remember of the pull request or branch."""
        return self._know("history")  # type: ignore[return-value]

    def open_pulls_at(self, sha: str) -> Sequence[int]:
        """The numbers of the open pull requests that have this head."""
        return self._know("open_pulls_at", sha)  # type: ignore[return-value]

    def broken_pulls(self) -> Sequence[tuple[Repository, int]]:
        """The open pull requests that show a configuration which the pushed branch may have mended."""
        return self._know("broken_pulls")  # type: ignore[return-value]

    def _know(self, name: str, *about: str) -> object:
        try:
            return self.known[name, *about]
        except KeyError:
            raise MissingFact(name, *about) from None


def find(missing: MissingFact, source: FactSource) -> object:
    """The missing fact, from who can tell."""
    answer: Callable[..., object] = getattr(source, missing.name)
    return answer(*missing.about)
