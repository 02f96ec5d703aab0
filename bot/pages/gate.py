"""Who may see what. Every page and badge asks the gate; what it hides looks like what does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.models import Repository


class Gate(Protocol):
    """What the viewer whose request is being answered may see."""

    def may_read(self, repository: Repository) -> bool:
        """Whether the viewer may see the repository's runs."""
        ...

    def readable(self, only: str = "") -> frozenset[int]:
        """The ids of the private repositories that the viewer may read: their runs are listed, too.

        `only` that of this full name, where one is given.
        """
        ...

    def sign_in_path(self, back: str) -> str:
        """Where the viewer can sign in and come back to that path; "" where that is off or done."""
        ...

    def who(self) -> str:
        """The login of the viewer, "" unless signed in."""
        ...


class PublicGate:
    """Public repositories are for everybody, private ones for nobody; there is nothing to sign in to."""

    def may_read(self, repository: Repository) -> bool:
        """Whether it is public."""
        return not repository.private

    def readable(self, only: str = "") -> frozenset[int]:  # noqa: ARG002 - the protocol's
        """None."""
        return frozenset()

    def sign_in_path(self, back: str) -> str:  # noqa: ARG002 - the protocol's
        """Nowhere."""
        return ""

    def who(self) -> str:
        """Nobody."""
        return ""
