"""What taking deliveries in needs from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import DeliveryClaim, Receipt
    from bot.models import Change, Delivery, History, Repository


class Entrance(Protocol):
    """Where received deliveries go."""

    def put(self, delivery: Delivery) -> Receipt:
        """Store the delivery durably; a repeated id is ignored unless it is parked. StoreUnavailable."""
        ...


class Inbox(Entrance, Protocol):
    """The queue of deliveries. All methods raise StoreUnavailable."""

    def claim(self) -> DeliveryClaim | None:
        """Take the oldest delivery that is due and whose lane nobody holds."""
        ...

    def finish(self, claim: DeliveryClaim, *, ignored: bool, reason: str) -> None:
        """It is done, or meant nothing to us."""
        ...

    def retry(self, claim: DeliveryClaim, *, seconds: float, reason: str, tried: bool = True) -> None:
        """Try again later; it holds up nothing behind it. Where nothing was `tried`, this was no try."""
        ...

    def park(self, claim: DeliveryClaim, reason: str) -> None:
        """It can't be handled; kept with its reason until somebody replays it."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class PartStore(Protocol):
    """Deliveries that came in several messages. All methods raise StoreUnavailable."""

    def add(self, whole: str, part: int, parts: int, data: bytes) -> bytes | None:
        """Keep a part, counted from 1, of what is called `whole`; all of it once none is missing any more."""
        ...

    def forget(self, whole: str) -> None:
        """It is stored as one now."""
        ...


class Ledger(Protocol):
    """What was decided. All methods raise StoreUnavailable."""

    def record_push(self, repository: Repository, number: int, sha: str, pusher: str) -> None:
        """Remember who put that head there; the first word counts."""
        ...

    def history(self, repository: Repository, number: int, head_sha: str) -> History:
        """What we remember of the pull request or branch, and what its contexts say about that head."""
        ...

    def open_pulls_at(self, repository: Repository, sha: str) -> Sequence[int]:
        """The numbers of the open pull requests that have this head."""
        ...

    def broken_pulls(self, repository: Repository, base_ref: str | None) -> Sequence[tuple[Repository, int]]:
        """The open pull requests into that branch whose head shows a configuration that can't be used.

        With `base_ref` None, those into any branch of any repository of the same owner.
        """
        ...

    def rename(self, repository: Repository) -> None:
        """The repository of that id has this name from now on, and is private or not."""
        ...

    def apply(self, change: Change) -> bool:
        """Store a decision whole. False, and nothing stored, if its comment was answered before.

        Overtaken, and nothing stored, if another decision came between.
        """
        ...
