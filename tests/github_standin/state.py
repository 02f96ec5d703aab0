"""What exists on this GitHub: accounts, repositories, issues, pull requests, comments, statuses, Apps, hooks.

Kept in memory, except for the git repositories. Everything that reads or changes it holds `World.lock`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from .emit import nobody_listens
from .git import BareRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .checks import CheckSuite
    from .emit import Emit
    from .merge_queue import MergeGroup
    from .organizations import Membership, Team
    from .sign_in import Code, UserToken

AccountType = Literal["User", "Organization", "Bot"]
ROLES = ("none", "read", "triage", "write", "maintain", "admin")
COLLAPSED_ROLE = {"maintain": "write", "triage": "read"}
"""What the `permission` of the collaborator endpoint makes of the newer roles."""

FIRST_IDS = {
    "user": 1_001,
    "app": 10_001,
    "installation": 40_000_001,
    "hook": 500_000_001,
    "repository": 700_000_001,
    "issue": 2_500_000_001,
    "pull": 2_600_000_001,
    "label": 7_000_000_001,
    "team": 9_000_001,
    "comment": 3_000_000_001,
    "reaction": 300_000_001,
    "status": 40_000_000_001,
    "check_suite": 50_000_000_001,
    "check_run": 60_000_000_001,
    "delivery": 180_000_000_001,
}
"""As large as on GitHub, where several have outgrown 32 bits."""

DEFAULT_PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "members": "read",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


class Refused(Exception):
    """What someone asked for can't be done; the message says why."""


@dataclass(eq=False)
class Account:
    """A person, an organisation or an App's bot."""

    id: int
    login: str
    type: AccountType
    token: str
    created_at: float
    members: dict[int, Membership] = field(default_factory=dict)
    """Of an organisation, by the member's id."""
    teams: dict[str, Team] = field(default_factory=dict)
    """Of an organisation, by slug."""


@dataclass(eq=False)
class Label:
    """A label on an issue."""

    id: int
    name: str


@dataclass(eq=False)
class Reaction:
    """An emoji on a comment."""

    id: int
    account: Account
    content: str
    created_at: float


@dataclass(eq=False)
class Comment:
    """A comment on an issue or pull request."""

    id: int
    author: Account
    body: str
    created_at: float
    updated_at: float
    app: App | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(eq=False)
class Issue:
    """An issue; a pull request is one too."""

    id: int
    number: int
    repository: Repository
    title: str
    body: str | None
    author: Account
    created_at: float
    updated_at: float
    state: Literal["open", "closed"] = "open"
    closed_at: float | None = None
    closed_by: Account | None = None
    labels: list[Label] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass(eq=False)
class Pull(Issue):
    """A pull request. `base_sha` is the base's tip when it was opened, and stays that."""

    pull_id: int = 0
    head_repository: Repository | None = None
    head_owner: Account | None = None
    head_ref: str = ""
    head_sha: str = ""
    base_ref: str = ""
    base_sha: str = ""
    draft: bool = False
    maintainer_can_modify: bool = False
    auto_merge_by: Account | None = None
    merged_at: float | None = None
    merged_by: Account | None = None
    merge_commit_sha: str | None = None
    merged_into: str = ""
    """The base branch's tip before the merge."""
    mergeability: tuple[str, str] | None = None
    """The (head, base tip) for which somebody has asked: the first to ask is told that it is unknown yet."""

    @property
    def base_tip(self) -> str:
        """The base branch's tip now, or just before the merge."""
        return self.merged_into or self.repository.heads.get(self.base_ref, self.base_sha)


@dataclass(eq=False)
class Status:
    """A commit status as it was written."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: float
    received_at: float


@dataclass(eq=False)
class Hook:
    """A webhook of a repository or an App."""

    id: int
    url: str | None
    secret: str
    events: tuple[str, ...]
    created_at: float
    repository: Repository | None = None
    app: App | None = None

    def listens(self, event: str) -> bool:
        """Whether it asked for an event, or for all (`*`)."""
        return event in self.events or "*" in self.events


@dataclass(eq=False)
class Repository:
    """A repository; `heads` are the branches that the world knows of: what git has beyond is being pushed."""

    id: int
    owner: Account
    name: str
    private: bool
    default_branch: str
    git: BareRepository
    created_at: float
    updated_at: float
    pushed_at: float
    parent: Repository | None = None
    roles: dict[str, str] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    queue: list[MergeGroup] = field(default_factory=list)
    """Merge groups of all base branches, first come first."""
    issues: dict[int, Issue] = field(default_factory=dict)
    statuses: dict[str, list[Status]] = field(default_factory=lambda: defaultdict(list))
    suites: dict[tuple[str, int], CheckSuite] = field(default_factory=dict)
    """Check suites by head SHA and the App's id, oldest first."""
    required: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What must be green to merge into a branch: names of statuses and check runs."""
    hooks: list[Hook] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    @property
    def pulls(self) -> list[Pull]:
        """Its pull requests, oldest first."""
        return [issue for issue in self.issues.values() if isinstance(issue, Pull)]

    def role_of(self, account: Account | None) -> str:
        """The role of a person: owners are admins, members may read, and anybody what is public."""
        if account is self.owner:
            return "admin"
        membership = self.owner.members.get(account.id) if account else None
        if membership and membership.role == "admin":
            return "admin"
        role = self.roles.get(account.login, "none") if account else "none"
        return "read" if role == "none" and (membership or not self.private) else role

    def allows(self, account: Account | None, role: str) -> bool:
        """Whether a person has at least a role."""
        return ROLES.index(self.role_of(account)) >= ROLES.index(role)


@dataclass(eq=False)
class Installation:
    """An App installed on an account; `repositories` are full names' ids, None is all of the account's."""

    id: int
    app: App
    account: Account
    repositories: set[int] | None
    created_at: float
    suspended_at: float | None = None
    suspended_by: Account | None = None

    def covers(self, repository: Repository) -> bool:
        """Whether the installation sees a repository."""
        if repository.owner is not self.account:
            return False
        return self.repositories is None or repository.id in self.repositories


@dataclass(eq=False)
class App:
    """A GitHub App."""

    id: int
    slug: str
    owner: Account
    bot: Account
    private_key: str
    public_key: str
    permissions: dict[str, str]
    events: tuple[str, ...]
    created_at: float
    client_secret: str = ""
    callback_url: str = ""
    """Where people are sent back to after they signed in; "" when nobody can sign in with it."""
    hook: Hook | None = None
    installations: list[Installation] = field(default_factory=list)

    @property
    def client_id(self) -> str:
        """What it is called where people sign in."""
        return f"Iv1.{self.id:016x}"

    @property
    def page(self) -> str:
        """The path of its home page."""
        return f"/apps/{self.slug}"


@dataclass(eq=False)
class InstallationToken:
    """What an App minted for one of its installations."""

    token: str
    installation: Installation
    permissions: dict[str, str]
    repositories: set[int] | None
    expires_at: float
    revoked: bool = False

    def covers(self, repository: Repository) -> bool:
        """Whether the token is good for a repository."""
        if not self.installation.covers(repository):
            return False
        return self.repositories is None or repository.id in self.repositories


class World:
    """Everything there is, below one lock."""

    def __init__(self, directory: Path) -> None:
        self.lock = threading.RLock()
        self.directory = directory
        self.base_url = ""
        self.accounts: dict[str, Account] = {}
        self.repositories: dict[int, Repository] = {}
        self.renamed: dict[str, int] = {}
        self.apps: dict[int, App] = {}
        self.hooks: dict[int, Hook] = {}
        self.installation_tokens: dict[str, InstallationToken] = {}
        self.user_tokens: dict[str, UserToken] = {}
        """By the token."""
        self.codes: dict[str, Code] = {}
        """Of sign-ins that were agreed to, by the code."""
        self.default_hook: tuple[str, str] | None = None
        self.emit: Emit = nobody_listens
        """The webhooks listen."""
        self._ids = {kind: count(first) for kind, first in FIRST_IDS.items()}

    @property
    def api(self) -> str:
        """The REST API's base."""
        return f"{self.base_url}/api/v3"

    def new_id(self, kind: str) -> int:
        """The next id of a kind in FIRST_IDS."""
        return next(self._ids[kind])

    def account(self, login: str, kind: AccountType = "User") -> Account:
        """The account of that login, made when new (`x[bot]` as a bot); logins don't distinguish case."""
        known = self.accounts.get(login.lower())
        if known is None:
            kind = "Bot" if login.endswith("[bot]") else kind
            token = "ghp_" + secrets.token_hex(18) if kind == "User" else ""
            known = Account(self.new_id("user"), login, kind, token, now())
            self.accounts[login.lower()] = known
        return known

    def find_repository(self, full_name: str) -> Repository | None:
        """The repository that has this name now."""
        wanted = full_name.lower()
        return next(
            (found for found in self.repositories.values() if found.full_name.lower() == wanted), None
        )

    def make_repository(
        self,
        owner: Account,
        name: str,
        *,
        private: bool,
        default_branch: str,
        parent: Repository | None = None,
    ) -> Repository:
        """An empty repository, or a fork with its parent's branches."""
        if self.find_repository(f"{owner.login}/{name}"):
            raise Refused(f"{owner.login}/{name} exists already")
        repository_id = self.new_id("repository")
        path = self.directory / f"{repository_id}.git"
        made = (
            BareRepository.fork(path, parent.git) if parent else BareRepository.create(path, default_branch)
        )
        moment = now()
        repository = Repository(
            repository_id, owner, name, private, default_branch, made, moment, moment, moment, parent=parent
        )
        if parent:
            repository.heads, repository.tags = dict(parent.heads), dict(parent.tags)
        self.repositories[repository_id] = repository
        self.renamed.pop(repository.full_name.lower(), None)
        return repository

    def installations_of(self, repository: Repository) -> Iterator[Installation]:
        """Installations that see a repository."""
        for app in self.apps.values():
            yield from (found for found in app.installations if found.covers(repository))

    def pulls_from(self, repository: Repository, branch: str) -> list[Pull]:
        """Open pull requests whose head is a branch."""
        return [
            pull
            for base in self.repositories.values()
            for pull in base.pulls
            if pull.state == "open" and pull.head_repository is repository and pull.head_ref == branch
        ]


def now() -> float:
    """Seconds since 1970."""
    return time.time()


Json = dict[str, Any]
"""A JSON object."""
