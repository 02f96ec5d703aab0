"""A GitHub in memory: fulfils PullRequestReader, People and PullRequestWriter, with controls for its world.

Repositories are told apart by id. `fault` and `lose_answers` script what goes wrong; `calls` says what was
asked.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Branch, ChangedFiles, Permission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.errors import PreflightError
    from bot.models import PullRequest, Repository, Status, Subject

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

LONGEST_DESCRIPTION = 140
LONGEST_COMMENT = 65_536
UNKNOWN = ChangedFiles((), complete=False)
REACTIONS = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})


@dataclass(frozen=True)
class Call:
    """One call of a port's method: its name, the repository's full name and the arguments after that."""

    method: str
    repository: str
    arguments: tuple[object, ...]


@dataclass
class Comment:
    """An issue comment."""

    id: int
    repository_id: int
    number: int
    author: str
    body: str
    reactions: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class _Fault:
    methods: frozenset[str]
    times: int
    error: PreflightError
    carried_out: bool


class FakeGitHub:
    """The ports over dictionaries, to be shared by threads. Everything public may be changed by a test."""

    def __init__(self, login: str = "preflight-bot") -> None:
        self.login = login
        self.calls: list[Call] = []
        self.pulls: dict[tuple[int, int], PullRequest] = {}
        self.changes: dict[tuple[int, int], ChangedFiles] = {}
        self.comparisons: dict[tuple[int, str, str], ChangedFiles] = {}
        self.roles: dict[tuple[int, str], Permission] = {}
        self.members: set[tuple[str, str]] = set()
        self.tips: dict[tuple[int, str], str] = {}
        self.files: dict[tuple[int, str, str], bytes] = {}
        self.shared_files: dict[tuple[str, str], bytes] = {}
        self.commits: set[tuple[int, str]] = set()
        self.comments: dict[int, Comment] = {}
        self.written: list[tuple[int, str, Status]] = []
        self._faults: list[_Fault] = []
        self._ids = count(1_000_001)
        self._lock = threading.RLock()

    # Controls

    def put_pull(self, pull: PullRequest, changed: Sequence[str] = ()) -> None:
        """Make a pull request what it is from now on."""
        with self._lock:
            key = (pull.repository.id, pull.number)
            self.pulls[key] = pull
            self.changes[key] = ChangedFiles(tuple(changed))
            self.commits.add((pull.repository.id, pull.head_sha))

    def change_pull(self, repository: Repository, number: int, **changed: object) -> None:
        """Replace fields of a pull request."""
        with self._lock:
            pull = replace(self.pulls[repository.id, number], **changed)  # type: ignore[arg-type]  # names are the test's
            self.put_pull(pull, self.changes[repository.id, number].paths)

    def put_role(self, repository: Repository, login: str, role: Permission) -> None:
        """Give a user a role."""
        with self._lock:
            self.roles[repository.id, login.lower()] = role

    def put_member(self, group: str, login: str) -> None:
        """Make a user a member of "ORGANISATION" or of "ORGANISATION/TEAM"."""
        with self._lock:
            self.members.add((group.lower(), login.lower()))

    def remove_member(self, group: str, login: str) -> None:
        """Make a user a member no more."""
        with self._lock:
            self.members.discard((group.lower(), login.lower()))

    def put_shared_file(self, owner: str, path: str, content: bytes) -> None:
        """Give an account's `.github` repository a file."""
        with self._lock:
            self.shared_files[owner.lower(), path] = content

    def put_comparison(
        self, repository: Repository, before: str, head_sha: str, changed: Sequence[str]
    ) -> None:
        """What a branch changes between these commits; nobody can tell it of others."""
        with self._lock:
            self.comparisons[repository.id, before, head_sha] = ChangedFiles(tuple(changed))

    def remove_tip(self, repository: Repository, branch: str) -> None:
        """Delete a branch; its commits stay."""
        with self._lock:
            del self.tips[repository.id, branch]

    def put_tip(
        self, repository: Repository, branch: str, sha: str, files: dict[str, bytes] | None = None
    ) -> None:
        """Point a branch at a commit that holds these files."""
        with self._lock:
            self.tips[repository.id, branch] = sha
            self.commits.add((repository.id, sha))
            for path, content in (files or {}).items():
                self.files[repository.id, sha, path] = content

    def put_comment(self, repository: Repository, number: int, author: str, body: str) -> int:
        """Comment as somebody; returns the comment's id."""
        with self._lock:
            comment = Comment(next(self._ids), repository.id, number, author, body)
            self.comments[comment.id] = comment
            return comment.id

    def remove_comment(self, comment_id: int) -> None:
        """Delete a comment as its author."""
        with self._lock:
            del self.comments[comment_id]

    def fault(self, error: PreflightError, *methods: str, times: int = 1) -> None:
        """Raise `error` from the next `times` calls (of these methods, else of any) and do nothing."""
        with self._lock:
            self._faults.append(_Fault(frozenset(methods), times, error, carried_out=False))

    def unavailable(self, *methods: str, times: int = 1) -> None:
        """Fail the next calls as an outage would."""
        self.fault(GitHubUnavailable("GitHub answered with 503"), *methods, times=times)

    def rate_limited(self, retry_after: float, *methods: str, times: int = 1) -> None:
        """Refuse the next calls as too many."""
        self.fault(GitHubRateLimited("GitHub asks us to slow down", retry_after), *methods, times=times)

    def lose_answers(self, *methods: str, times: int = 1) -> None:
        """Carry the next calls out, then fail as if the answer was lost."""
        lost = GitHubUnavailable("GitHub answered with 502")
        with self._lock:
            self._faults.append(_Fault(frozenset(methods), times, lost, carried_out=True))

    def heal(self) -> None:
        """End all faults."""
        with self._lock:
            self._faults.clear()

    # What happened

    def count(self, method: str = "") -> int:
        """How many calls there were, of one method or in all."""
        with self._lock:
            return sum(1 for call in self.calls if method in ("", call.method))

    def counts(self) -> dict[str, int]:
        """How many calls there were of each method."""
        with self._lock:
            return dict(Counter(call.method for call in self.calls))

    def statuses(self, repository: Repository, sha: str) -> dict[str, Status]:
        """What a commit shows: the newest status of each context."""
        with self._lock:
            here = (status for where, at, status in self.written if (where, at) == (repository.id, sha))
            return {status.context: status for status in here}

    def history(self, repository: Repository, sha: str, context: str) -> list[Status]:
        """Every status that a commit was given in a context, oldest first."""
        with self._lock:
            return [
                status
                for where, at, status in self.written
                if (where, at, status.context) == (repository.id, sha, context)
            ]

    def comments_on(self, repository: Repository, number: int, author: str = "") -> list[Comment]:
        """The comments, oldest first, of everybody or of one author."""
        with self._lock:
            return [
                comment
                for comment in self.comments.values()
                if (comment.repository_id, comment.number) == (repository.id, number)
                and author in ("", comment.author)
            ]

    def forget(self, repository: Repository) -> None:
        """Nothing is remembered here: only that it was asked for."""
        with self._lock:
            self.calls.append(Call("forget", repository.full_name, ()))

    # PullRequestReader

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now."""
        with self._call("pull_request", repository, number):
            pull = self._found(self.pulls, (repository.id, number))
            return replace(pull, comments=len(self.comments_on(repository, number)))

    def tip(self, repository: Repository, branch: str) -> str:
        """The SHA that the branch points at now."""
        with self._call("tip", repository, branch):
            return self._found(self.tips, (repository.id, branch))

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit."""
        with self._call("file", repository, path, sha):
            if (repository.id, sha) not in self.commits:
                raise GitHubNotFound(f"there is no commit {sha} in {repository.full_name}")
            inside = f"{path}/"
            here = (at[2] for at in self.files if at[:2] == (repository.id, sha))
            if any(known.startswith(inside) for known in here):
                raise GitHubRefused(f"{path} is a directory: a file is needed there")
            return self.files.get((repository.id, sha, path))

    def shared_file(self, repository: Repository, path: str) -> bytes | None:
        """The file in the owner's `.github` repository."""
        with self._call("shared_file", repository, path):
            return self.shared_files.get((repository.owner.lower(), path))

    def changed_files(self, subject: Subject) -> ChangedFiles:
        """The files that the pull request or branch changes; of a head that has moved nobody can tell."""
        repository = subject.repository
        with self._call("changed_files", repository, subject.number):
            if isinstance(subject, Branch):
                compared = (repository.id, subject.before, subject.head_sha)
                return self.comparisons.get(compared, UNKNOWN)
            changed = self._found(self.changes, (repository.id, subject.number))
            return (
                changed if subject.head_sha == self.pulls[repository.id, subject.number].head_sha else UNKNOWN
            )

    # People

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do."""
        with self._call("permission", repository, login):
            return self.roles.get((repository.id, login.lower()), Permission.NONE)

    def member(self, repository: Repository, login: str, group: str) -> bool:
        """Whether the user is a member of the organisation or team."""
        with self._call("member", repository, login, group):
            return (group.lower(), login.lower()) in self.members

    # PullRequestWriter

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status."""
        with self._call("set_status", repository, sha, status):
            if len(status.description) > LONGEST_DESCRIPTION:
                raise GitHubRefused(f"the description is longer than {LONGEST_DESCRIPTION} characters")
            if (repository.id, sha) not in self.commits:
                raise GitHubRefused(f"there is no commit {sha} in {repository.full_name}")
            self.written.append((repository.id, sha, status))

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our oldest comment whose body contains the marker, else None."""
        with self._call("find_comment", repository, number, marker):
            self._found(self.pulls, (repository.id, number))
            ours = self.comments_on(repository, number, self.login)
            return next((comment.id for comment in ours if marker in comment.body), None)

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id."""
        with self._call("create_comment", repository, number, body):
            self._found(self.pulls, (repository.id, number))
            self._check_body(body)
            return self.put_comment(repository, number, self.login, body)

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body."""
        with self._call("edit_comment", repository, comment_id, body):
            comment = self._found(self.comments, comment_id)
            self._check_body(body)
            comment.body = body

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment of ours, if it is there."""
        with self._call("delete_comment", repository, comment_id):
            self.comments.pop(comment_id, None)

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction to an issue comment."""
        with self._call("react", repository, comment_id, content):
            comment = self._found(self.comments, comment_id)
            if content not in REACTIONS:
                raise GitHubRefused(f"{content!r} is not a reaction")
            comment.reactions.add((self.login, content))

    @contextmanager
    def _call(self, method: str, repository: Repository, *arguments: object) -> Iterator[None]:
        """Log a call and let the first fault that is meant for it happen; one call at a time."""
        with self._lock:
            self.calls.append(Call(method, repository.full_name, arguments))
            fault = next((each for each in self._faults if not each.methods or method in each.methods), None)
            if fault is None:
                yield
                return
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
            if fault.carried_out:
                yield
            raise fault.error

    @staticmethod
    def _found(known: dict[_Key, _Value], key: _Key) -> _Value:
        try:
            return known[key]
        except KeyError:
            raise GitHubNotFound(f"there is nothing at {key}") from None

    @staticmethod
    def _check_body(body: str) -> None:
        if not body.strip() or len(body) > LONGEST_COMMENT:
            raise GitHubRefused(f"a comment has 1 to {LONGEST_COMMENT} characters, not {len(body)}")
