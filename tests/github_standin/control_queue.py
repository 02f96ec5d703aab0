"""The control API's actions on merge queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import merge_queue
from .control_pull import pull_of
from .control_repository import repository_of
from .records import QueueEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hub import Hub


def queue(hub: Hub, repository: int, base: str) -> list[QueueEntry]:
    """What waits to be merged into a branch, first come first."""
    return [_entry(each) for each in repository_of(hub, repository).queue if each.base_ref == base]


def enqueue(hub: Hub, repository: int, number: int, by: str) -> QueueEntry:
    """Put a pull request into its base branch's queue."""
    return _entry(merge_queue.enqueue(hub.world, pull_of(hub, repository, number), hub.world.account(by)))


def dequeue(hub: Hub, repository: int, number: int, by: str, reason: str) -> None:
    """Take it out."""
    merge_queue.dequeue(hub.world, pull_of(hub, repository, number), hub.world.account(by), reason)


def invalidate_group(hub: Hub, repository: int, number: int) -> QueueEntry:
    """Build its merge group, and those behind it, anew."""
    return _entry(merge_queue.invalidate(hub.world, pull_of(hub, repository, number)))


def merge_group(hub: Hub, repository: int, number: int) -> dict[str, str]:
    """Let the first merge group become the base branch's tip."""
    return {"sha": merge_queue.merge(hub.world, pull_of(hub, repository, number))}


def _entry(found: merge_queue.MergeGroup) -> QueueEntry:
    return QueueEntry(
        number=found.pull.number,
        head_sha=found.head_sha,
        head_ref=f"refs/heads/{found.branch}",
        base_sha=found.base_sha,
        base_ref=f"refs/heads/{found.base_ref}",
    )


ACTIONS: dict[str, Callable[..., object]] = {
    act.__name__: act for act in (queue, enqueue, dequeue, invalidate_group, merge_group)
}
