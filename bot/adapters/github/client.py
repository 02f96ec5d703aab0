"""GitHub as the bot's ports see it, through PyGithub."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.adapters.github import changes, checks, diff_lines, people, reading, writing
from bot.adapters.github.access import AppAccess, TokenAccess
from bot.adapters.github.answers import Forbidden, Moved
from bot.adapters.github.api_url import check_api_url
from bot.adapters.github.asking import Asking, understanding
from bot.adapters.github.credentials import AppKey, PersonalToken
from bot.adapters.github.endpoint import Endpoint
from bot.adapters.github.memory import Memory, Tip, changes_key
from bot.adapters.github.transport import Transport
from bot.errors import GitHubNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.adapters.github.access import Access, Identity
    from bot.adapters.github.diff_lines import Lines
    from bot.adapters.github.endpoint import OnQuota
    from bot.adapters.github.transport import OnCall
    from bot.breaker import Breakers
    from bot.models import (
        Annotation,
        ChangedFiles,
        Check,
        Permission,
        PullRequest,
        Quota,
        Repository,
        RepositoryToken,
        Status,
        Subject,
    )

log = logging.getLogger(__name__)


class GitHubClient:
    """Fulfils all of the GitHub ports but Viewers, for many threads.

    It never sleeps: where GitHub asks us to slow down it raises GitHubRateLimited. No write is sent twice,
    but one that was not carried out because the repository was renamed (a redirect) is sent to the new name.

    Args:
        api_url: of the REST API: https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server.
        credentials: a personal token, or a GitHub App's key.
        on_call: told of every request: method, kind of endpoint ("statuses"), status (0: no answer), seconds.
        on_quota: told, whenever GitHub says it, how many of the hour's requests are left and how many there
            are, of the credentials (of many installations) of which the smallest share is left.
        max_concurrent: requests at one time.
        connect_timeout, read_timeout: seconds.
        breakers: those of this process.
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
        on_quota: OnQuota | None = None,
        max_concurrent: int = 16,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        breakers: Breakers | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        api_url = check_api_url(api_url)
        self._description = f"{api_url}, {credentials!r}"
        self._transport = Transport(
            on_call=on_call,
            max_concurrent=max_concurrent,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            breakers=breakers,
        )
        endpoint = Endpoint(api_url, self._transport, clock, on_quota)
        self.access: Access = (
            AppAccess(endpoint, credentials)
            if isinstance(credentials, AppKey)
            else TokenAccess(endpoint, credentials)
        )
        self._is_app = isinstance(credentials, AppKey)
        self._clock = clock
        self._memory = Memory(clock)
        self.asking = Asking(self.access, self._memory.names)

    def __repr__(self) -> str:
        return f"GitHubClient({self._description})"

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def identity(self) -> Identity:
        """The bot's account; asked for once."""
        with understanding():
            return self.access.identity()

    def owner(self) -> str | None:
        """The login of the account that owns the App, None with a personal token; asked for once."""
        with understanding():
            return self.access.owner()

    def forget(self, repository: Repository) -> None:
        """Remember nothing of the repository, nor which installation covers it.

        For events about installations, and about repositories that were renamed, transferred or deleted.
        Nothing is asked.
        """
        self._memory.forget(repository)
        self.access.forget(repository)

    # PullRequestReader

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now. One request."""
        return self.asking.ask(repository, lambda there: reading.pull_request(there, number, repository.id))

    def repository(self, repository: Repository) -> Repository:
        """The repository of that id as it is now, by whatever name we know it. One request."""
        return self.asking.find(repository)

    def tip(self, repository: Repository, branch: str, *, within: float = 0.0) -> str:
        """The SHA that the branch points at, or did so many seconds ago. At most one request."""

        def ask() -> Tip:
            asked_at = self._clock()
            sha = self.asking.ask(repository, lambda there: there.get_git_ref(f"heads/{branch}").object.sha)
            return Tip(sha, asked_at)

        key, earliest = (repository.id, branch), self._clock() - within
        known = self._memory.tips.known(key)
        if known is not None and known.asked_at > earliest:
            return known.sha
        return self._memory.tips.anew(key, ask).sha

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit, None where there is none. At most one request.

        GitHubRefused for what is not a file, or is larger than 1 MB.
        """
        return self._memory.files.get(
            (repository.id, path, sha),
            lambda: self.asking.ask(repository, lambda there: reading.file(there, path, sha)),
        )

    def shared_file(self, repository: Repository, path: str) -> bytes | None:
        """The file in the `.github` repository of the repository's owner, at its default branch's tip.

        None where there is no such file or repository, or where we may not see it. At most one request.
        """

        def ask() -> bytes | None:
            try:
                return self.asking.ask(repository, lambda there: reading.shared_file(there, path))
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
            lambda: self.asking.ask(subject.repository, lambda there: changes.changed_files(there, subject)),
        )

    # People

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do; NONE for one who is no collaborator or unknown. At most one request."""
        return self._memory.permissions.get(
            (repository.id, login.lower()),
            lambda: self.asking.ask(repository, lambda there: people.permission(there, login)),
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
            lambda: self.asking.ask(repository, lambda there: people.member(there, login, group, hint)),
        )

    # PullRequestWriter

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status. One request."""
        writing.check_description(status)
        self.asking.ask(repository, lambda there: writing.set_status(there, sha, status))

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our oldest comment that contains the marker, else None. One request for each 100."""
        identity = self.identity()
        return self.asking.ask(
            repository, lambda there: writing.find_comment(there, number, marker, identity)
        )

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id. One request; look for the marker before trying again."""
        return self.asking.ask(repository, lambda there: there.get_issue(number).create_comment(body).id)

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body; GitHubNotFound if somebody deleted it. One request."""
        self.asking.ask(repository, lambda there: writing.comment(there, comment_id).edit(body))

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment of ours; one that is gone already is fine. One request."""
        with suppress(GitHubNotFound):
            self.asking.ask(repository, lambda there: writing.comment(there, comment_id).delete())

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction ("eyes") to an issue comment; doing it twice is harmless. One request."""
        self.asking.ask(repository, lambda there: writing.comment(there, comment_id).create_reaction(content))

    # CheckWriter

    def can_check(self) -> bool:
        """Whether our credentials are an App's."""
        return self._is_app

    def create_check(self, repository: Repository, sha: str, check: Check) -> int:
        """Create a check run and return its id. One request; look for it before trying again."""
        checks.check_limits(check)
        if not self._is_app:
            raise checks.no_app()
        return self.asking.ask(repository, lambda there: checks.create(there, sha, check))

    def update_check(
        self, repository: Repository, check_id: int, check: Check, annotations: Sequence[Annotation] = ()
    ) -> None:
        """Have it show this, and append at most 50 annotations. One request; GitHubNotFound if it is gone.

        If the answer is lost, `annotation_count` tells whether these were appended.
        """
        if len(annotations) > checks.MOST_ANNOTATIONS:
            raise ValueError(f"GitHub takes {checks.MOST_ANNOTATIONS} annotations a request")
        checks.check_limits(check, annotations)
        if not self._is_app:
            raise checks.no_app()
        self.asking.ask(repository, lambda there: checks.update(there, check_id, check, annotations))

    def find_check(self, repository: Repository, sha: str, check: Check) -> int | None:
        """The id of our newest check run of that name and external id at the commit, else None.

        One request for each 100 check runs of that name, and at first one for the App's number.
        """
        with understanding():
            app_id = self.access.app_id()
        if app_id is None:
            raise checks.no_app()
        return self.asking.ask(repository, lambda there: checks.find(there, sha, check, app_id))

    def annotation_count(self, repository: Repository, check_id: int) -> int:
        """How many annotations the check run has. One request."""
        return self.asking.ask(repository, lambda there: checks.annotation_count(there, check_id))

    def changed_lines(self, repository: Repository, number: int, sha: str) -> Lines:
        """The lines that the pull request's diff shows, by file, as line numbers in its head.

        Empty where GitHub's diff is about another head by now. At most one request for each 100 files, which
        costs nothing of the hour's if `changed_files` has just asked the same.
        """
        return self._memory.lines.get(
            (repository.id, number, sha),
            lambda: self.asking.ask(repository, lambda there: diff_lines.changed_lines(there, number, sha)),
        )

    # TokenMinter

    can_mint = can_check

    def mint(self, repository: Repository) -> RepositoryToken:
        """A new token that only reads the content of that repository. Two requests of the App's own."""
        with understanding():
            return self.access.mint(repository)

    # QuotaReader

    def account(self, repository: Repository) -> str:
        """A name for the credentials for that repository: the same in every process, and no secret."""
        return self.access.account(repository)

    def quota(self, repository: Repository) -> Quota | None:
        """What is left of the hour's requests with these credentials, None if no answer said it (yet)."""
        usage = self.access.usage(repository)
        return None if usage is None else usage.quota()

    def spent(self, repository: Repository) -> int:
        """The points of what these credentials read since the last call. Writes are not counted."""
        usage = self.access.usage(repository)
        return 0 if usage is None else usage.take()
