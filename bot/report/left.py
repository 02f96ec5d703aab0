"""What a report could not send yet, and what GitHub refused of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound, GitHubRefused

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Left:
    """What is left to do after a report.

    `waits` are the seconds until something can be sent that had to wait, `refreshes` those until what is said
    about time is stale. `more` says that something is due that is not urgent, and `refused` holds what GitHub
    said where it refused.
    """

    waits: list[float] = field(default_factory=list)
    refreshes: list[float] = field(default_factory=list)
    more: bool = False
    refused: set[str] = field(default_factory=set)

    @property
    def settled(self) -> bool:
        """Whether all shows its last word."""
        return not (self.waits or self.refreshes or self.more or self.refused)

    @contextmanager
    def noting_refusals(self) -> Iterator[None]:
        """What GitHub refuses in here is noted, and the report goes on: the rest may still be welcome."""
        try:
            yield
        except (GitHubRefused, GitHubNotFound) as error:
            self.refused.add(str(error))

    def add(self, other: Left) -> None:
        """Some of the report was made by another one."""
        self.waits += other.waits
        self.refreshes += other.refreshes
        self.more |= other.more
        self.refused |= other.refused
