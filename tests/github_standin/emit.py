"""How the rest says what happened; the webhooks listen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .state import Account, Installation, Json, Repository


class Emit(Protocol):
    """Tells the hooks of a repository, or the App of an `installation` alone, what happened."""

    def __call__(
        self,
        event: str,
        action: str | None,
        repository: Repository | None,
        sender: Account,
        payload: Json,
        *,
        installation: Installation | None = None,
    ) -> None: ...


def nobody_listens(
    event: str,
    action: str | None,
    repository: Repository | None,
    sender: Account,
    payload: Json,
    *,
    installation: Installation | None = None,
) -> None:
    """Before the webhooks are there, nothing is delivered."""
