"""What `python -m bot doctor` is told when it asks each part about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.models.github import Quota, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """The first answer of a service, for which no credentials were shown.

    `genuine`: it looks like the service that it should be. `date` is its header Date, "" for none, and `at`
    our own time when it came (seconds since 1970). `version` as it says it, "" if it doesn't.
    """

    genuine: bool
    date: str = ""
    at: float = 0.0
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenApp:
    """Our GitHub App: what it asks for, and whose it is. `page`: where its settings are, "" if unknown."""

    slug: str
    owner: str
    permissions: Mapping[str, str]
    events: frozenset[str]
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInstallation:
    """One account on which our App is installed, and what that account has granted."""

    account: str
    permissions: Mapping[str, str]
    suspended: bool = False
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenToken:
    """Whose our personal token is. `scopes`: of a classic one; None for a fine-grained one: nobody tells."""

    login: str
    scopes: frozenset[str] | None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDelivery:
    """One entry of a webhook's delivery log.

    `id` is that of `X-GitHub-Delivery`, which redeliveries keep. `code`: the HTTP status that was answered;
    where nobody answered, GitHub puts 502 or 504 there. `status`: GitHub's words ("OK", "timed out", "failed
    to connect to host", "Invalid HTTP Response: 502").
    """

    id: str
    at: datetime
    event: str
    code: int
    status: str

    @property
    def failed(self) -> bool:
        """Whether it did not reach us: we answer 2xx, and GitHub follows no redirect."""
        return not 200 <= self.code < 300  # noqa: PLR2004 - the classes of HTTP statuses

    @property
    def answered(self) -> bool:
        """Whether anybody answered, if only a proxy."""
        return self.code not in (0, 502, 504) or str(self.code) in self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHook:
    """A webhook as GitHub has it. `events` is None for an App's, whose events are the App's own.

    `deliveries`: the newest of its log, newest first; None where we may not read it.
    """

    url: str
    content_type: str
    has_secret: bool
    insecure_ssl: bool = False
    active: bool = True
    events: frozenset[str] | None = None
    deliveries: tuple[SeenDelivery, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRepository:
    """A repository that is served by its name, as GitHub shows it to us.

    `may_push` is what GitHub says of whoever asks; None where it says nothing (an App).
    """

    repository: Repository
    default_branch: str
    archived: bool = False
    owner_is_user: bool = False
    may_push: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """What an address of ours answered. `location`: where a redirect leads, "" for none."""

    status: int
    text: str
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSchema:
    """The database itself. `version` is PostgreSQL's number (160003 for 16.3); sizes are in bytes.

    `found` is the schema's revision, None if there is none; `wanted` what this program needs.
    """

    version: int
    found: str | None
    wanted: str
    read_only: bool = False
    fsync: bool = True
    synchronous_commit: bool = True
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenWork:
    """What the database says of the bot's work. Ages are in seconds, None where there is nothing.

    `workers`: how many live, by the locks that they hold. `parked`: by reason, the newest first.
    `nudged` of the `followed` newest runs of the last week heard of a change by a nudge.
    `refused`: pull requests whose report failed several times in a row. `last_good`: the age of the moment up
    to which nothing that GitHub delivered is missing.
    """

    workers: int
    waiting: int = 0
    oldest_waiting: float | None = None
    newest_delivery: float | None = None
    last_good: float | None = None
    parked: int = 0
    parked_reasons: tuple[str, ...] = ()
    overdue_runs: int = 0
    refused: int = 0
    followed: int = 0
    nudged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenQueue:
    """A topic with its subscription on Pub/Sub.

    `differences`: what is not as it should be, by property: how it is, and how it should be.
    """

    topic: bool
    subscription: bool
    differences: Mapping[str, tuple[str, str]]
