"""GitHub's delivery logs, its lists of pull requests and our store in memory, for making good."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound
from bot.models import Attempt, DeliveryLogPart, KnownDelivery, KnownPull

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from bot.errors import PreflightError
    from bot.models import Delivery, DeliveryLogRef, ListedPull, Quota, Repository, ShownPull, Status

KEPT = timedelta(days=3)


class FakeDeliveryLog:
    """Fulfils DeliveryLog. `answer` says with which status we answer to a delivery.

    `faults` are raised by the next calls, `unreadable` by those about the logs of these names. `lag` is how
    late attempts come into the log. `refusals` are what the next redeliveries meet, None for nothing.
    """

    def __init__(self, clock: Callable[[], datetime], *, app: bool = True) -> None:
        self.clock = clock
        self.app = app
        self.entries: dict[str, list[Attempt]] = {}
        self.begins: dict[str, datetime] = {}
        self.answer: Callable[[str], int] = lambda _guid: 202
        self.asked: list[str] = []
        self.reads = 0
        self.faults: list[PreflightError] = []
        self.refusals: list[BaseException | None] = []
        self.unreadable: dict[str, PreflightError] = {}
        self.lag = timedelta(0)
        self.left: Quota | None = None
        self._ids = count(1)

    def deliver(
        self, guid: str, event: str = "push", *, log: str = "app", redelivery: bool = False
    ) -> Attempt:
        """GitHub tries to deliver."""
        status = self.answer(guid)
        attempt = Attempt(next(self._ids), guid, self.clock(), status, event, redelivery=redelivery)
        self.entries.setdefault(log, []).append(attempt)
        return attempt

    def attempts(self, guid: str) -> list[Attempt]:
        """All attempts to deliver it, oldest first."""
        return [each for entries in self.entries.values() for each in entries if each.guid == guid]

    def age(self, time: timedelta) -> None:
        """As if all of it had been delivered earlier by so much."""
        for entries in self.entries.values():
            entries[:] = [replace(each, delivered_at=each.delivered_at - time) for each in entries]

    def is_apps(self) -> bool:
        """Whether there is one log for all repositories."""
        return self.app

    def account(self) -> str:
        """Whose limits count."""
        return "app" if self.app else "token"

    def quota(self) -> Quota | None:
        """What a test says is left."""
        return self.left

    def read(self, log: DeliveryLogRef, since: datetime, *, failed: bool = True) -> DeliveryLogPart:
        """What was delivered since then; with `failed`, successes beyond the first hundred are left out."""
        self._check(log)
        self.reads += 1
        now = self.clock()
        shown = [
            each
            for each in reversed(self.entries.get(log.name, []))
            if each.delivered_at >= since and now - KEPT < each.delivered_at <= now - self.lag
        ]
        shown = [each for place, each in enumerate(shown) if not failed or place < 100 or not each.ok]
        return DeliveryLogPart(tuple(shown), self.begins.get(log.name))

    def redeliver(self, log: DeliveryLogRef, attempt: Attempt) -> None:
        """One more attempt, at once."""
        self._check(log)
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        kept = [each.id for each in self.attempts(attempt.guid) if each.delivered_at > self.clock() - KEPT]
        if attempt.id not in kept:
            raise GitHubNotFound("GitHub has no such delivery")
        self.asked.append(attempt.guid)
        self.deliver(attempt.guid, attempt.event, log=log.name, redelivery=True)

    def _check(self, log: DeliveryLogRef) -> None:
        if self.faults:
            raise self.faults.pop(0)
        if log.name in self.unreadable:
            raise self.unreadable[log.name]


class FakePullLists:
    """Fulfils PullLister."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.pulls: dict[int, list[ListedPull]] = {}
        self.shown: dict[str, dict[str, Status]] = {}
        self.comments: set[int] = set()
        self.commits: dict[str, datetime] = {}
        self.faults: list[PreflightError] = []
        self.asked: list[tuple[str, str]] = []

    def repository(self, full_name: str) -> Repository:
        """The repository of that name."""
        self._ask("repository", full_name)
        if full_name not in self.repositories:
            raise GitHubNotFound(f"GitHub has nothing at {full_name}")
        return self.repositories[full_name]

    def pulls_since(self, repository: Repository, since: datetime) -> Sequence[ListedPull]:
        """All that changed since then."""
        self._ask("pulls_since", repository.full_name)
        found = [each for each in self.pulls.get(repository.id, []) if each.updated_at >= since]
        return sorted(found, key=lambda each: each.updated_at, reverse=True)

    def committed_at(self, repository: Repository, sha: str) -> datetime | None:
        """When it was made."""
        self._ask("committed_at", repository.full_name)
        return self.commits.get(sha)

    def open_pulls(self, repository: Repository) -> Sequence[ListedPull]:
        """All that are open."""
        self._ask("open_pulls", repository.full_name)
        return [each for each in self.pulls.get(repository.id, []) if each.open]

    def statuses(self, repository: Repository, sha: str) -> Mapping[str, Status]:
        """The latest of each context."""
        self._ask("statuses", repository.full_name)
        return self.shown.get(sha, {})

    def has_comment(self, repository: Repository, comment_id: int) -> bool:
        """Whether it is there."""
        self._ask("has_comment", repository.full_name)
        return comment_id in self.comments

    def _ask(self, what: str, full_name: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.asked.append((what, full_name))


@dataclass
class FakeRecoveryStore:
    """Fulfils RecoveryStore and HandStore; everything public may be changed by a test."""

    alone: bool = True
    marks: dict[str, datetime] = field(default_factory=dict)
    inbox: dict[str, KnownDelivery] = field(default_factory=dict)
    heard_of: dict[Repository, datetime] = field(default_factory=dict)
    known_pulls: dict[int, dict[int, KnownPull]] = field(default_factory=dict)
    later: list[Delivery] = field(default_factory=list)
    now_shown: dict[int, ShownPull] = field(default_factory=dict)
    lost: list[tuple[object, ...]] = field(default_factory=list)
    faults: list[PreflightError] = field(default_factory=list)

    def take(self, guid: str, at: datetime, event: str = "push", state: str = "done") -> None:
        """The webhook took a delivery."""
        self.inbox.setdefault(guid, KnownDelivery(guid, event, state, "", at))

    def is_alone(self) -> bool:
        """What a test says."""
        if self.faults:
            raise self.faults.pop(0)
        return self.alone

    def mark(self, name: str) -> datetime | None:
        """The moment of that name."""
        return self.marks.get(name)

    def set_mark(self, name: str, at: datetime) -> None:
        """Remember a moment."""
        self.marks[name] = at

    def renew(self, names: Collection[str], at: datetime, since: datetime) -> Collection[str]:
        """Move these marks on if they are not too old."""
        moved = [name for name in names if name in self.marks and self.marks[name] >= since]
        self.marks |= dict.fromkeys(moved, at)
        return moved

    def known(self, guids: Collection[str]) -> Collection[str]:
        """Which are in the inbox."""
        return self.inbox.keys() & set(guids)

    def repositories(self) -> Mapping[Repository, datetime]:
        """All that we heard of."""
        return self.heard_of

    def pulls(self, repository: Repository, numbers: Collection[int] | None) -> Mapping[int, KnownPull]:
        """What we know of these, or of all that we think open."""
        known = self.known_pulls.get(repository.id, {})
        return {n: one for n, one in known.items() if (one.open if numbers is None else n in numbers)}

    def put_by_and_by(self, deliveries: Sequence[Delivery], seconds: float) -> int:
        """Store those that are new."""
        del seconds
        new = [each for each in deliveries if each.id not in {one.id for one in self.later}]
        self.later += new
        return len(new)

    def delivery(self, delivery_id: str) -> KnownDelivery | None:
        """The delivery of that id."""
        return self.inbox.get(delivery_id)

    def parked(self) -> Sequence[KnownDelivery]:
        """All parked ones."""
        return [each for each in self.inbox.values() if each.state == "parked"]

    def replay(self, delivery_id: str) -> bool:
        """Queue it anew unless it is being handled."""
        known = self.inbox[delivery_id]
        if known.state == "working":
            return False
        self.inbox[delivery_id] = replace(known, state="queued")
        return True

    def shown(self, repository: Repository, numbers: Collection[int]) -> Sequence[ShownPull]:
        """What these show."""
        del repository
        return [one for number, one in sorted(self.now_shown.items()) if number in numbers]

    def lost_status(self, repository: Repository, sha: str, context: str) -> None:
        """Noted."""
        self.lost.append((repository.id, sha, context))

    def lost_comment(self, repository: Repository, number: int) -> None:
        """Noted."""
        self.lost.append((repository.id, number))
