"""Waiting for what a story tells next; nothing in a story takes a fixed time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60.0
_POLL_SECONDS = 0.1

Answer = TypeVar("Answer")


def idle() -> None:
    """Do nothing."""


def until(
    condition: Callable[[], Answer | None],
    wanted: str,
    so_far: Callable[[], str] = str,
    seconds: float = SECONDS,
    meanwhile: Callable[[], object] = idle,
) -> Answer:
    """Ask until there is a (truthy) answer, and return it; between two questions do something `meanwhile`.

    Raises:
        AssertionError: there is none after `seconds`; the message holds `wanted` and what happened `so_far`.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{seconds:.0f} s went by without {wanted}.\n{so_far()}")
        meanwhile()
        time.sleep(_POLL_SECONDS)
    return answer
