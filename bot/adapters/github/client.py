"""GitHub as the bot's ports see it, through PyGithub."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from github.Commit import Commit
from github.GithubException import BadAttributeException, GithubException
from github.GithubObject import NotSet
from github.IssueComment import IssueComment
from github.Repository import Repository as GitHubRepository

from bot.adapters.github import changes, people, reading
from bot.adapters.github.access import AppAccess, TokenAccess
from bot.adapters.github.answers import Forbidden, Moved
from bot.adapters.github.api_url import check_api_url
from bot.adapters.github.credentials import AppKey, PersonalToken
from bot.adapters.github.memory import Memory, changes_key
from bot.adapters.github.transport import Transport
from bot.errors import GitHubNotFound, GitHubRefused, GitHubUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.adapters.github.access import Access, Identity
    from bot.adapters.github.transport import OnCall
    from bot.models import ChangedFiles, Permission, PullRequest, Repository, Status, Subject

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

LONGEST_DESCRIPTION = 140
"""Characters of a status, above which GitHub answers 422."""


class GitHubClient:
    """Fulfils PullRequestReader, People and PullRequestWriter; to be shared by any number of threads.

    It never sleeps: where GitHub asks us to slow down it raises GitHubRateLimited. No write is sent twice,
    but one that was not carried out because the repository was renamed (a redirect) is sent to the new name.

    Args:
        api_url: of the REST API: https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server.
        credentials: a personal token, or a GitHub App's key.
        on_call: told of every request: method, kind of endpoint ("statuses"), status (0: no answer), seconds.
        max_concurrent: requests at one time.
        connect_timeout: seconds.
        read_timeout: seconds.
        clock: seconds from any fixed moment, for how long things are remembered.

    Raises:
        SettingsError: an address that credentials must not be sent to.
    """

    def __init__(
        self,
        api_url: str,
        credentials: PersonalToken | AppKey,
        *,
        on_call: OnCall | None = None,
        max_concurrent: int = 16,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        api_url = check_api_url(api_url)
        self._description = f"{api_url}, {credentials!r}"
        self._transport = Transport(
            on_call=on_call,
            max_concurrent=max_concurrent,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        self._access: Access = (
            AppAccess(api_url, credentials, self._transport, clock)
            if isinstance(credentials, AppKey)
            else TokenAccess(api_url, credentials, self._transport, clock)
        )
        self._memory = Memory(clock)

    def __repr__(self) -> str:
        return f"GitHubClient({self._description})"

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def identity(self) -> Identity:
        """The bot's account; asked for once."""
        with _understanding():
            return self._access.identity()

    def owner(self) -> str | None:
        """The login of the account that owns the App, None with a personal token; asked for once."""
        with _understanding():
            return self._access.owner()

    def forget(self, repository: Repository) -> None:
        """Remember nothing of the repository, nor which installation covers it.

        For events about installations, and about repositories that were renamed, transferred or deleted.
        Nothing is asked.
        """
        self._memory.forget(repository)
        self._access.forget(repository)

    # PullRequestReader

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now. One request."""
        return self._ask(repository, lambda there: reading.pull_request(there, number, repository.id))

    def tip(self, repository: Repository, branch: str) -> str:
        """The SHA that the branch points at now. One request."""
        return self._ask(repository, lambda there: there.get_git_ref(f"heads/{branch}").object.sha)

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit, None where there is none. At most one request.

        GitHubRefused for what is not a file, or is larger than 1 MB.
        """
        return self._memory.files.get(
            (repository.id, path, sha),
            lambda: self._ask(repository, lambda there: reading.file(there, path, sha)),
        )

    def shared_file(self, repository: Repository, path: str) -> bytes | None:
        """The file in the `.github` repository of the repository's owner, at its default branch's tip.

        None where there is no such file or repository, or where we may not see it. At most one request.
        """

        def ask() -> bytes | None:
            try:
                return self._ask(repository, lambda there: reading.shared_file(there, path))
            except (GitHubNotFound, Forbidden, Moved):  # Moved: it was renamed, so it is ".github" no more
                return None

        return self._memory.shared_files.get((repository.owner.lower(), path), ask)

    def changed_files(self, subject: Subject) -> ChangedFiles:
        """The files that the pull request (or the branch since `before`) changes, renames with both names.

        At most one request for each 100 of a pull request, and one more where GitHub's list does not prove
        that it is about this head (right after a push, or a page without a file that is still there). One
        for a branch.
        """
        return self._memory.changes.get(
            changes_key(subject),
            lambda: self._ask(subject.repository, lambda there: changes.changed_files(there, subject)),
        )

    # People

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do; NONE for one who is no collaborator or unknown. At most one request."""
        return self._memory.permissions.get(
            (repository.id, login.lower()),
            lambda: self._ask(repository, lambda there: people.permission(there, login)),
        )

    def member(self, repository: Repository, login: str, group: str) -> bool:
        """Whether the user is an active member of "ORGANISATION" or of the team "ORGANISATION/TEAM".

        Asked with what the repository is seen with. False where there is no such group, or where we may not
        see its members, which is logged once. At most two requests.
        """

        def hint(level: int, text: str) -> None:
            once = (repository.owner.lower(), group.lower(), level)
            self._memory.hints.get(once, lambda: log.log(level, "%s", text))

        return self._memory.members.get(
            (repository.id, login.lower(), group.lower()),
            lambda: self._ask(repository, lambda there: people.member(there, login, group, hint)),
        )

    # PullRequestWriter

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status. One request."""
        if len(status.description) > LONGEST_DESCRIPTION:
            raise GitHubRefused(
                f"the status of {status.context} has a description of {len(status.description)} characters: "
                f"GitHub takes {LONGEST_DESCRIPTION}"
            )
        self._ask(
            repository,
            # With its SHA given, PyGithub need not fetch the commit first.
            lambda there: Commit(
                there.requester, attributes={"url": f"{there.url}/commits/{sha}", "sha": sha}
            ).create_status(
                status.state.value, status.target_url or NotSet, status.description, status.context
            ),
        )

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our oldest comment that contains the marker, else None. One request for each 100."""
        identity = self.identity()
        return self._ask(
            repository,
            lambda there: next(
                (
                    comment.id
                    for comment in there.get_issue(number).get_comments()
                    if identity.wrote(comment.user) and marker in (comment.body or "")
                ),
                None,
            ),
        )

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id. One request; look for the marker before trying again."""
        return self._ask(repository, lambda there: there.get_issue(number).create_comment(body).id)

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body; GitHubNotFound if somebody deleted it. One request."""
        self._ask(repository, lambda there: _comment(there, comment_id).edit(body))

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment of ours; one that is gone already is fine. One request."""
        with suppress(GitHubNotFound):
            self._ask(repository, lambda there: _comment(there, comment_id).delete())

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction ("eyes") to an issue comment; doing it twice is harmless. One request."""
        self._ask(repository, lambda there: _comment(there, comment_id).create_reaction(content))

    def _ask(self, repository: Repository, question: Callable[[GitHubRepository], Answer]) -> Answer:
        """Ask about a repository, once more by its new name if GitHub says that it has one."""
        name = self._memory.names.known((repository.id, repository.full_name)) or repository.full_name
        with _understanding():
            try:
                return question(self._at(repository, name))
            except Moved:
                name = self._find_name(repository, name)
                return question(self._at(repository, name))

    def _at(self, repository: Repository, name: str) -> GitHubRepository:
        return GitHubRepository(self._access.requester(repository, name), url=f"/repos/{quote(name)}")

    def _find_name(self, repository: Repository, old: str) -> str:
        """The name that the repository's id has now, remembered."""
        requester = self._access.requester(repository, old)
        _, found = requester.requestJsonAndCheck("GET", f"/repositories/{repository.id}")
        name = str(found["full_name"])
        self._memory.names.keep((repository.id, repository.full_name), name)
        return name


def _comment(there: GitHubRepository, comment_id: int) -> IssueComment:
    return IssueComment(there.requester, url=f"{there.url}/issues/comments/{comment_id}")


@contextmanager
def _understanding() -> Iterator[None]:
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
