"""A GitHub in memory: fulfils all of the GitHub ports but Viewers, with controls for its world.

Repositories are told apart by id. `fault` and `lose_answers` script what goes wrong; `calls` says what was
asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound, GitHubRefused
from bot.models import Branch, ChangedFiles, Permission
from tests.fakes.github_calls import Call
from tests.fakes.github_checks import FakeChecks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import PullRequest, Repository, Status, Subject

LONGEST_DESCRIPTION = 140
LONGEST_COMMENT = 65_536
UNKNOWN = ChangedFiles((), complete=False)
REACTIONS = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})


@dataclass
class Comment:
    """An issue comment."""

    id: int
    repository_id: int
    number: int
    author: str
    body: str
    reactions: set[tuple[str, str]] = field(default_factory=set)


class FakeGitHub(FakeChecks):
    """The ports over dictionaries, to be shared by threads. Everything public may be changed by a test."""

    def __init__(self, login: str = "preflight-bot") -> None:
        super().__init__()
        self.login = login
        self.pulls: dict[tuple[int, int], PullRequest] = {}
        self.repositories: dict[int, Repository] = {}
        self.changes: dict[tuple[int, int], ChangedFiles] = {}
        self.comparisons: dict[tuple[int, str, str], ChangedFiles] = {}
        self.roles: dict[tuple[int, str], Permission] = {}
        self.members: set[tuple[str, str]] = set()
        self.tips: dict[tuple[int, str], str] = {}
        self.files: dict[tuple[int, str, str], bytes] = {}
        self.shared_files: dict[tuple[str, str], bytes] = {}
        self.comments: dict[int, Comment] = {}
        self.written: list[tuple[int, str, Status]] = []

    # Controls

    def put_pull(self, pull: PullRequest, changed: Sequence[str] = ()) -> None:
        """Make a pull request what it is from now on."""
        with self.lock:
            key = (pull.repository.id, pull.number)
            self.pulls[key] = pull
            self.changes[key] = ChangedFiles(tuple(changed))
            self.commits.add((pull.repository.id, pull.head_sha))

    def change_pull(self, repository: Repository, number: int, **changed: object) -> None:
        """Replace fields of a pull request."""
        with self.lock:
            pull = replace(self.pulls[repository.id, number], **changed)  # type: ignore[arg-type]  # names are the test's
            self.put_pull(pull, self.changes[repository.id, number].paths)

    def put_role(self, repository: Repository, login: str, role: Permission) -> None:
        """Give a user a role."""
        with self.lock:
            self.roles[repository.id, login.lower()] = role

    def put_member(self, group: str, login: str) -> None:
        """Make a user a member of "ORGANISATION" or of "ORGANISATION/TEAM"."""
        with self.lock:
            self.members.add((group.lower(), login.lower()))

    def remove_member(self, group: str, login: str) -> None:
        """Make a user a member no more."""
        with self.lock:
            self.members.discard((group.lower(), login.lower()))

    def put_shared_file(self, owner: str, path: str, content: bytes) -> None:
        """Give an account's `.github` repository a file."""
        with self.lock:
            self.shared_files[owner.lower(), path] = content

    def put_comparison(
        self, repository: Repository, before: str, head_sha: str, changed: Sequence[str]
    ) -> None:
        """What a branch changes between these commits; nobody can tell it of others."""
        with self.lock:
            self.comparisons[repository.id, before, head_sha] = ChangedFiles(tuple(changed))

    def remove_tip(self, repository: Repository, branch: str) -> None:
        """Delete a branch; its commits stay."""
        with self.lock:
            del self.tips[repository.id, branch]

    def put_tip(
        self, repository: Repository, branch: str, sha: str, files: dict[str, bytes] | None = None
    ) -> None:
        """Point a branch at a commit that holds these files."""
        with self.lock:
            self.tips[repository.id, branch] = sha
            self.commits.add((repository.id, sha))
            for path, content in (files or {}).items():
                self.files[repository.id, sha, path] = content

    def put_comment(self, repository: Repository, number: int, author: str, body: str) -> int:
        """Comment as somebody; returns the comment's id."""
        with self.lock:
            comment = Comment(next(self.ids), repository.id, number, author, body)
            self.comments[comment.id] = comment
            return comment.id

    def remove_comment(self, comment_id: int) -> None:
        """Delete a comment as its author."""
        with self.lock:
            del self.comments[comment_id]

    # What happened

    def statuses(self, repository: Repository, sha: str) -> dict[str, Status]:
        """What a commit shows: the newest status of each context."""
        with self.lock:
            here = (status for where, at, status in self.written if (where, at) == (repository.id, sha))
            return {status.context: status for status in here}

    def history(self, repository: Repository, sha: str, context: str) -> list[Status]:
        """Every status that a commit was given in a context, oldest first."""
        with self.lock:
            return [
                status
                for where, at, status in self.written
                if (where, at, status.context) == (repository.id, sha, context)
            ]

    def comments_on(self, repository: Repository, number: int, author: str = "") -> list[Comment]:
        """The comments, oldest first, of everybody or of one author."""
        with self.lock:
            return [
                comment
                for comment in self.comments.values()
                if (comment.repository_id, comment.number) == (repository.id, number)
                and author in ("", comment.author)
            ]

    def forget(self, repository: Repository) -> None:
        """Nothing is remembered here: only that it was asked for."""
        with self.lock:
            self.calls.append(Call("forget", repository.full_name, ()))

    # PullRequestReader

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now."""
        with self.call("pull_request", repository, number):
            pull = self.found(self.pulls, (repository.id, number))
            return replace(pull, comments=len(self.comments_on(repository, number)))

    def repository(self, repository: Repository) -> Repository:
        """The repository of that id, as it was asked for where nobody gave it another name or other eyes."""
        with self.call("repository", repository):
            return self.repositories.get(repository.id, repository)

    def tip(self, repository: Repository, branch: str, *, within: float = 0.0) -> str:  # noqa: ARG002 - now is within
        """The SHA that the branch points at now."""
        with self.call("tip", repository, branch):
            return self.found(self.tips, (repository.id, branch))

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit."""
        with self.call("file", repository, path, sha):
            if (repository.id, sha) not in self.commits:
                raise GitHubNotFound(f"there is no commit {sha} in {repository.full_name}")
            inside = f"{path}/"
            here = (at[2] for at in self.files if at[:2] == (repository.id, sha))
            if any(known.startswith(inside) for known in here):
                raise GitHubRefused(f"{path} is a directory: a file is needed there")
            return self.files.get((repository.id, sha, path))

    def shared_file(self, repository: Repository, path: str) -> bytes | None:
        """The file in the owner's `.github` repository."""
        with self.call("shared_file", repository, path):
            return self.shared_files.get((repository.owner.lower(), path))

    def changed_files(self, subject: Subject) -> ChangedFiles:
        """The files that the pull request or branch changes; of a head that has moved nobody can tell."""
        repository = subject.repository
        with self.call("changed_files", repository, subject.number):
            if isinstance(subject, Branch):
                compared = (repository.id, subject.before, subject.head_sha)
                return self.comparisons.get(compared, UNKNOWN)
            changed = self.found(self.changes, (repository.id, subject.number))
            return (
                changed if subject.head_sha == self.pulls[repository.id, subject.number].head_sha else UNKNOWN
            )

    # People

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do."""
        with self.call("permission", repository, login):
            return self.roles.get((repository.id, login.lower()), Permission.NONE)

    def member(self, repository: Repository, login: str, group: str) -> bool:
        """Whether the user is a member of the organisation or team."""
        with self.call("member", repository, login, group):
            return (group.lower(), login.lower()) in self.members

    # PullRequestWriter

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status."""
        with self.call("set_status", repository, sha, status):
            if len(status.description) > LONGEST_DESCRIPTION:
                raise GitHubRefused(f"the description is longer than {LONGEST_DESCRIPTION} characters")
            if (repository.id, sha) not in self.commits:
                raise GitHubRefused(f"there is no commit {sha} in {repository.full_name}")
            self.written.append((repository.id, sha, status))

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our oldest comment whose body ends with the marker, else None."""
        with self.call("find_comment", repository, number, marker):
            self.found(self.pulls, (repository.id, number))
            ours = self.comments_on(repository, number, self.login)
            return next((comment.id for comment in ours if comment.body.rstrip().endswith(marker)), None)

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id."""
        with self.call("create_comment", repository, number, body):
            self.found(self.pulls, (repository.id, number))
            self._check_body(body)
            return self.put_comment(repository, number, self.login, body)

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body."""
        with self.call("edit_comment", repository, comment_id, body):
            comment = self.found(self.comments, comment_id)
            self._check_body(body)
            comment.body = body

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment of ours, if it is there."""
        with self.call("delete_comment", repository, comment_id):
            self.comments.pop(comment_id, None)

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction to an issue comment."""
        with self.call("react", repository, comment_id, content):
            comment = self.found(self.comments, comment_id)
            if content not in REACTIONS:
                raise GitHubRefused(f"{content!r} is not a reaction")
            comment.reactions.add((self.login, content))

    @staticmethod
    def _check_body(body: str) -> None:
        if not body.strip() or len(body) > LONGEST_COMMENT:
            raise GitHubRefused(f"a comment has 1 to {LONGEST_COMMENT} characters, not {len(body)}")
