"""What decisions, reports and pages need from GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class PullRequestReader(Protocol):
    """What a decision may have to look up on GitHub.

    Each method raises GitHubUnavailable or GitHubRateLimited where a retry may help, GitHubRefused and
    GitHubNotFound where it will not.
    """

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def repository(self, repository: Repository) -> Repository:
        """The repository of that id as it is now: its name, and whether it is private."""
        ...

    def tip(self, repository: Repository, branch: str, *, within: float = 0.0) -> str:
        """The SHA that the branch points at now, or did at some moment `within` the last so many seconds."""
        ...

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit, None where there is none."""
        ...

    def shared_file(self, repository: Repository, path: str) -> bytes | None:
        """The file in the `.github` repository of the repository's owner, at its default branch's tip.

        None where there is no such file or repository, or where we may not see it.
        """
        ...

    def changed_files(self, subject: Subject) -> ChangedFiles:
        """The files that the pull request (or the branch since `before`) changes, renames with both names."""
        ...


class People(Protocol):
    """Who may do what. Raises as PullRequestReader does."""

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do; NONE for a user who is no collaborator or does not exist."""
        ...

    def member(self, repository: Repository, login: str, group: str) -> bool:
        """Whether the user is an active member of "ORGANISATION" or of the team "ORGANISATION/TEAM".

        `repository` says with whose access we ask. False where there is no such group, or where we may not
        see its members.
        """
        ...


class PullRequestWriter(Protocol):
    """What the reporter sends. Raises as PullRequestReader does. None of these retries a write itself."""

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status."""
        ...

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our own comment (by the bot's user id) whose body ends with the marker, else None."""
        ...

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id."""
        ...

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body; GitHubNotFound if somebody deleted it."""
        ...

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment of ours; one that is gone already is fine."""
        ...

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction ("eyes") to an issue comment; doing it twice is harmless."""
        ...


class CheckWriter(Protocol):
    """Check runs, which only a GitHub App may write. Raises as PullRequestReader does; retries nothing."""

    def can_check(self) -> bool:
        """Whether our credentials are an App's. Asks nothing."""
        ...

    def create_check(self, repository: Repository, sha: str, check: Check) -> int:
        """Create a check run and return its id."""
        ...

    def update_check(
        self, repository: Repository, check_id: int, check: Check, annotations: Sequence[Annotation] = ()
    ) -> None:
        """Have it show this, and append annotations: at most 50. GitHubNotFound if it is gone."""
        ...

    def find_check(self, repository: Repository, sha: str, check: Check) -> int | None:
        """The id of our newest check run of that name and external id at the commit, else None."""
        ...

    def annotation_count(self, repository: Repository, check_id: int) -> int:
        """How many annotations the check run has."""
        ...

    def changed_lines(self, repository: Repository, number: int, sha: str) -> Mapping[str, Sequence[range]]:
        """The lines that the pull request's diff shows, by file, as line numbers in its head.

        Empty where GitHub's diff is about another head by now. Remembered for a head; files without a
        textual diff, and those beyond the first 3,000, are left out.
        """
        ...


class TokenMinter(Protocol):
    """Tokens for steps, which only a GitHub App can make. Raises as PullRequestReader does."""

    def can_mint(self) -> bool:
        """Whether our credentials are an App's. Asks nothing."""
        ...

    def mint(self, repository: Repository) -> RepositoryToken:
        """A new token that reads the content of that repository, and can do nothing else."""
        ...


class QuotaReader(Protocol):
    """How much GitHub lets us ask. Asks nothing itself."""

    def account(self, repository: Repository) -> str:
        """A name for the credentials for that repository, the same in every process: whose limits count."""
        ...

    def quota(self, repository: Repository) -> Quota | None:
        """What is left of the hour's requests with the credentials for that repository, None if unknown."""
        ...

    def spent(self, repository: Repository) -> int:
        """The points of requests sent with those credentials since the last call: 1 a read, 5 a write.

        Writes that a budget was asked about beforehand are not among them.
        """
        ...


class Viewers(Protocol):
    """Who looks at our pages, by GitHub's word. Raises as PullRequestReader does."""

    def sign_in_url(self, state: str, redirect_uri: str) -> str:
        """Where GitHub asks people whether they want to sign in here."""
        ...

    def token_for(self, code: str, redirect_uri: str) -> tuple[str, float]:
        """The user's token that a sign-in's code stands for, and the seconds it is good for."""
        ...

    def login(self, token: str) -> str:
        """Whose token it is; GitHubRefused if it is no longer good."""
        ...

    def can_read(self, token: str, repository: Repository) -> bool:
        """Whether that user may read the repository. Remembered for some minutes."""
        ...
