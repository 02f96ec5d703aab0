"""What starting, following and archiving runs needs from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from bot.claims import QueuedRun, RunClaim, Turn
    from bot.models import Run


class RunStore(Protocol):
    """Runs that need a look. All methods raise StoreUnavailable."""

    def admit(self, judge: Callable[[Sequence[QueuedRun], Mapping[str, int]], Sequence[Turn]]) -> None:
        """Let waiting runs take their turn: those that are unfinished, not asked to stop and not admitted.

        `judge` gets them oldest first, with the number of admitted unfinished runs by the key of their
        limits, and says what becomes of each that changes. Only one process judges at a time. Admitted runs
        are due at once, refused ones finished with an error, and whatever people see is reported.
        """
        ...

    def claim_runs(self, limit: int, *, asleep: Collection[str] = ()) -> Sequence[RunClaim]:
        """Take runs that are due and that nobody holds, those asked to stop first.

        Those with one of the notes `asleep` are left alone, unless their time is over or they never were in
        Airflow and are asked to stop.
        """
        ...

    def save_run(self, claim: RunClaim, run: Run, *, cancel_sent: bool, seconds: float | None) -> None:
        """Store what the run is now and give it back; look again after `seconds`, never if None.

        Wakes the reporter if what people see changed, and looks again at once if the run was nudged or
        asked to stop meanwhile.
        """
        ...

    def give_back(self, unchanged: Sequence[tuple[RunClaim, float]]) -> None:
        """Give back runs in which nothing has changed; look at each again after so many seconds.

        As `save_run` does it, for many at once.
        """
        ...

    def revisited(
        self, claim: RunClaim, reopened: Run | None, *, cancel_sent: bool, seconds: float | None
    ) -> None:
        """Give a finished run back that was looked at again: as it was, or as it goes on (`reopened`).

        It stays what somebody made of it meanwhile. It is looked at once more after `seconds`, never if None.
        """
        ...

    def intend(self, claim: RunClaim, dag_run_id: str) -> bool:
        """Remember, before Airflow is asked, the id under which the run may be there.

        False if another run of ours has that id.
        """
        ...

    def nudge(self, dag_run_id: str, *, began: bool = False) -> bool:
        """Have the run looked at now; False if we have none that may have changed.

        A finished run may have where something `began` in it: somebody may have let it go on.
        """
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class ArchiveStore(Protocol):
    """Finished runs that are still to be put among the artifacts. All methods raise StoreUnavailable."""

    def claim_archive(self) -> Run | None:
        """Take a finished run that nobody archives, for some minutes; resumed runs come again."""
        ...

    def archived(self, run: Run, *, seconds: float | None) -> None:
        """It is among the artifacts; or, with `seconds`, try again after them."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...
