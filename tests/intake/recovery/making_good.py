"""A worker that makes good, with GitHub and the store in memory and a clock that tests set."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.intake.recovery.audit import Audit
from bot.intake.recovery.logs import Logs
from bot.intake.recovery.missed import LAG
from bot.intake.recovery.pace import Pace
from bot.intake.recovery.rounds import INTERVAL, Rounds
from bot.models import DeliveryLogRef, ListedPull
from bot.policy.operator import Operator, Serve
from tests.examples import HEAD, NOON, REPOSITORY
from tests.fakes.recovery import FakeDeliveryLog, FakePullLists, FakeRecoveryStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.claims import Window
    from bot.models import Delivery

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
APPS = DeliveryLogRef()
OF_REPOSITORY = DeliveryLogRef(REPOSITORY)


class Room:
    """A BudgetStore: `waits` are the answers to who asks for room, then there is always some."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.taken: list[tuple[str, Mapping[str, float], Sequence[Window]]] = []

    def take(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """Whether there is room."""
        self.taken.append((account, costs, windows))
        return self.waits.pop(0) if self.waits else 0.0

    def wait(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """Nobody asks."""
        raise AssertionError((account, costs, windows))

    def spend(self, account: str, costs: Mapping[str, float]) -> None:
        """Nobody does."""


class MakingGood:
    """A worker, killed and started at will, and the world around it. The webhook takes what it is sent."""

    def __init__(self, *, app: bool = True, served: tuple[str, ...] = ("acme/*",)) -> None:
        self.now = NOON
        self.fast = timedelta(0)
        self.log = FakeDeliveryLog(self.clock, app=app)
        self.log.answer = self.webhook
        self.up = True
        self.store = FakeRecoveryStore()
        self.pulls = FakePullLists()
        self.room = Room()
        self.operator = Operator((Serve(served),))
        self.start()

    def start(self) -> None:
        """The worker starts; whatever it held in memory is gone."""
        logs = Logs(self.log, self.store, self.pulls, lambda: self.operator, self.clock)
        audit = Audit(self.pulls, self.store, lambda: self.operator, lambda: "preflight[bot]")
        self.rounds = Rounds(
            delivery_log=self.log,
            store=self.store,
            logs=logs,
            audit=audit,
            pace=Pace(self.room, self.log, 900),
            clock=self.clock,
            timer=lambda: (self.now - NOON) / SECOND,
        )

    def clock(self) -> datetime:
        """Now, by a clock that may be fast."""
        return self.now + self.fast

    def webhook(self, guid: str) -> int:
        """What the webhook answers."""
        if not self.up:
            return 502
        self.store.take(guid, self.now)
        return 202

    def wait(self, time: timedelta) -> None:
        """Time goes by, in which nobody works."""
        self.now += time

    def work(self) -> None:
        """Work until nothing is due."""
        while self.rounds.work():
            pass

    def go_on(self, time: timedelta) -> None:
        """Time goes by, and the worker works whenever something is due."""
        end = self.now + time
        self.work()
        while self.now < end:
            due = timedelta(seconds=max(self.rounds.next_due(), 0.1))
            self.now = min(end, self.now + due)
            self.work()

    @property
    def good(self) -> datetime:
        """The last good moment of the only log."""
        return max(at for name, at in self.store.marks.items() if name != "began")

    @property
    def caught_up(self) -> bool:
        """Whether nothing is missing, as far as the last round could know."""
        return self.now - self.good <= LAG + INTERVAL

    @property
    def again(self) -> list[Delivery]:
        """What is looked at again, by and by."""
        return self.store.later


def listed(
    number: int = 12,
    *,
    head_sha: str = HEAD,
    created_at: datetime = NOON,
    updated_at: datetime = NOON,
    is_open: bool = True,
    draft: bool = False,
    base_ref: str = "main",
) -> ListedPull:
    """A pull request in GitHub's list."""
    return ListedPull(number, is_open, draft, head_sha, base_ref, created_at, updated_at)
