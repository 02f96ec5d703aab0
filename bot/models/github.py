"""What GitHub tells: deliveries, repositories, pull requests, branches, permissions, statuses."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery whose signature was verified.

    `id` is the `X-GitHub-Delivery` header (not covered by the signature); `lane` orders deliveries:
    those of one lane are handled one at a time, in the order of arrival. `signature` is the
    `X-Hub-Signature-256` that came with it, "" once it is stored where only we write.
    """

    id: str
    event: str
    body: bytes
    lane: str
    signature: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub knows it. `id` survives a renaming, `full_name` ("owner/name") does not.

    `installation` is the one of our GitHub App through which we heard of it, None where nobody said.
    """

    id: int
    full_name: str
    private: bool = False
    clone_url: str = ""
    installation: int | None = field(default=None, compare=False)

    @property
    def owner(self) -> str:
        """The account that holds the repository."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.full_name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class RepositoryToken:
    """A token that reads the content of one repository, and nothing else, until `expires_at`."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as GitHub has it now (not as a delivery remembered it).

    `head_repository` is None when the fork was deleted. `comments` is GitHub's count of issue comments.
    """

    repository: Repository
    number: int
    open: bool
    draft: bool
    title: str
    author: str
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_ref: str
    updated_at: datetime
    labels: tuple[str, ...] = ()
    comments: int = 0

    @property
    def fork(self) -> bool:
        """Whether the head lies in another repository than the base."""
        return self.head_repository is None or (
            self.head_repository.lower() != self.repository.full_name.lower()
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that is tested by itself, at one commit: pushed to, or made by a merge queue.

    `base_ref` is the branch that a merge group goes into; a pushed branch is its own. `before` is the commit
    that its changes are counted from, empty where that is not known. `open` is False for a merge group that
    GitHub took apart.
    """

    repository: Repository
    name: str
    head_sha: str
    base_ref: str
    before: str = ""
    merge_group: bool = False
    open: bool = True

    @property
    def number(self) -> int:
        """A number below zero that stands for the branch where a pull request's number would stand."""
        return -int.from_bytes(hashlib.sha256(self.name.encode(errors="surrogatepass")).digest()[:7]) - 1

    @property
    def head_repository(self) -> str:
        """Where the head lies: a branch of the repository itself."""
        return self.repository.full_name


Subject = PullRequest | Branch
"""What pipelines are run on."""


class Permission(enum.Enum):
    """What a user may do in a repository: GitHub's `role_name`, custom roles mapped to their base role."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    @property
    def can_write(self) -> bool:
        """Whether the user may push to the repository."""
        return self in (Permission.WRITE, Permission.MAINTAIN, Permission.ADMIN)

    @property
    def can_override(self) -> bool:
        """Whether the user may turn a context to success."""
        return self in (Permission.MAINTAIN, Permission.ADMIN)


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """The paths that a pull request or branch touches, renames with both names.

    `complete` is False where GitHub cut its list (at 3,000 files, or 300 of a comparison); then every filter
    matches.
    """

    paths: tuple[str, ...]
    complete: bool = True


class StatusState(enum.Enum):
    """The states of a commit status, from the REST API."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Status:
    """One commit status: at most 140 characters of description (GitHub answers 422 beyond)."""

    context: str
    state: StatusState
    description: str
    target_url: str = ""


class Conclusion(enum.Enum):
    """How a check run ended, in GitHub's words."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"


class AnnotationLevel(enum.Enum):
    """How bad the thing is that an annotation points at, in GitHub's words."""

    FAILURE = "failure"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on lines of a file of the repository (`path` relative to it), shown beside the change."""

    path: str
    start_line: int
    end_line: int
    level: AnnotationLevel
    message: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class CheckButton:
    """A button under a check run: label and identifier of up to 20 characters, description of up to 40."""

    label: str
    identifier: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check run shows, but its annotations, which GitHub appends and never takes back.

    `conclusion` is None until it is completed; then `started` tells "in progress" from "queued".
    `external_id` is how we know it again (`external_id()`). `title`, `summary` and `text` are its output,
    Markdown but the title.
    """

    name: str
    external_id: str
    conclusion: Conclusion | None
    started: bool
    title: str
    summary: str
    text: str = ""
    details_url: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    buttons: tuple[CheckButton, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of GitHub's hourly limit on requests, as its last answer said."""

    limit: int
    remaining: int
    resets_in: float
