"""How the client asks about a repository: under its present name, and every failure as one of our errors."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote

from github.GithubException import BadAttributeException, GithubException
from github.Repository import Repository as GitHubRepository

from bot.adapters.github.answers import Moved
from bot.errors import GitHubRefused, GitHubUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bot.adapters.github.access import Access
    from bot.adapters.github.cache import SharedCache
    from bot.models import Repository

Answer = TypeVar("Answer")


class Asking:
    """Asks with the credentials for a repository.

    Args:
        access: chooses them.
        names: keeps the names that renamed repositories have now, by their id and the name that we knew.
    """

    def __init__(self, access: Access, names: SharedCache[tuple[int, str], str]) -> None:
        self._access = access
        self._names = names

    def ask(self, repository: Repository, question: Callable[[GitHubRepository], Answer]) -> Answer:
        """The answer to a question about a repository, put again to its new name if it has one by now."""
        name = self._names.known((repository.id, repository.full_name)) or repository.full_name
        with understanding():
            try:
                return question(self._at(repository, name))
            except Moved:
                name = self._find_name(repository, name)
                return question(self._at(repository, name))

    def find(self, repository: Repository) -> Repository:
        """The repository of that id as it is now."""
        with understanding():
            found = self._by_id(repository, repository.full_name)
            return replace(
                repository,
                full_name=str(found["full_name"]),
                private=found["private"] is not False,
                clone_url=str(found["clone_url"]),
            )

    def _at(self, repository: Repository, name: str) -> GitHubRepository:
        return GitHubRepository(self._access.requester(repository, name), url=f"/repos/{quote(name)}")

    def _find_name(self, repository: Repository, old: str) -> str:
        """The name that the repository's id has now, remembered."""
        name = str(self._by_id(repository, old)["full_name"])
        self._names.keep((repository.id, repository.full_name), name)
        return name

    def _by_id(self, repository: Repository, name: str) -> Mapping[str, object]:
        """What GitHub says of the repository of that id. Its path has no name, so that none can mislead."""
        requester = self._access.requester(repository, name)
        _, found = requester.requestJsonAndCheck("GET", f"/repositories/{repository.id}")
        return cast("Mapping[str, object]", found)


@contextmanager
def understanding() -> Iterator[None]:
    """Turn what PyGithub (and our own reading) raises over an answer that makes no sense into our error."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise GitHubRefused(f"GitHub can have nothing by this name: {error.object!r}") from error
    except (
        GithubException,
        BadAttributeException,
        AssertionError,  # PyGithub's way to check types and the addresses in answers
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise GitHubUnavailable(f"GitHub sent an answer that makes no sense to us: {error!r}") from error
