"""What exchanging tickets needs from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bot.models import Run, TicketUse


class TicketStore(Protocol):
    """Whose tickets were used. All methods raise StoreUnavailable."""

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        ...

    def spend(self, use: TicketUse) -> AbstractContextManager[bool]:
        """Use the ticket up while the block goes on: False if it was used so before.

        Used up it is once the block has ended, and not if it ended by an error or with its process. Until
        then whoever else wants to use it so waits, or gives up with StoreUnavailable.
        """
        ...
