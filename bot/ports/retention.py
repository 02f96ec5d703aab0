"""How the store forgets what is long over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.claims import Keep


class Retention(Protocol):
    """Forgets what is finished and older than it is kept. All methods raise StoreUnavailable."""

    def prune(self, keep: Keep) -> Mapping[str, int]:
        """Forget a bounded part of it; how many rows, by kind. Empty once there is nothing left to forget.

        What an open pull request shows stays, however old it is, and so does what is unfinished. A branch
        counts as open while the latest decision about it is young.
        """
        ...
