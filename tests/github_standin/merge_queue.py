"""The merge queue: a branch for each entry, which merges its pull request into what is before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import shapes_push
from .branches import close, emit_pull, notice_pushes
from .checks import unmet
from .git import MergeConflict
from .state import Refused, now

if TYPE_CHECKING:
    from .state import Account, Json, Pull, Repository, World

Reason = Literal["merged", "invalidated", "dequeued"]
QUEUE_BOT = "github-merge-queue[bot]"
"""Who pushes the branches of merge groups."""


@dataclass(eq=False)
class MergeGroup:
    """An entry of a queue; `base_sha` is the entry's before it, or the base branch's tip."""

    pull: Pull
    base_ref: str
    base_sha: str
    head_sha: str
    by: Account

    @property
    def branch(self) -> str:
        """The branch that holds it."""
        return f"gh-readonly-queue/{self.base_ref}/pr-{self.pull.number}-{self.base_sha}"


def enqueue(world: World, pull: Pull, by: Account) -> MergeGroup:
    """Put a pull request at the end of its base branch's queue; Refused when it can't be merged."""
    home = pull.repository
    if pull.state != "open" or pull.draft:
        raise Refused("only an open pull request that is no draft can be queued")
    if any(group.pull is pull for group in home.queue):
        raise Refused(f"#{pull.number} is in the queue already")
    ahead = [group.head_sha for group in home.queue if group.base_ref == pull.base_ref]
    group = _build(pull, ahead[-1] if ahead else pull.base_tip, by)
    home.queue.append(group)
    emit_pull(world, "enqueued", pull, by)
    _request_checks(world, group)
    return group


def dequeue(world: World, pull: Pull, by: Account, reason: str = "MANUAL") -> None:
    """Take a pull request out of its queue; the entries behind it are built anew without it."""
    group = find(pull)
    behind = _behind(group)
    _destroy(world, group, "dequeued")
    emit_pull(world, "dequeued", pull, by, reason=reason)
    _rebuild(world, behind, group.base_sha)


def invalidate(world: World, pull: Pull) -> MergeGroup:
    """Build an entry and those behind it anew, as when the base branch moved; returns the new entry."""
    group = find(pull)
    ahead = pull.repository.queue[: pull.repository.queue.index(group)]
    before = [each.head_sha for each in ahead if each.base_ref == group.base_ref]
    _rebuild(world, [group, *_behind(group)], before[-1] if before else pull.base_tip)
    return find(pull)


def merge(world: World, pull: Pull) -> str:
    """Let the first entry become the base branch's tip, as GitHub does when its checks are green."""
    group, home = find(pull), pull.repository
    if group.base_sha != pull.base_tip:
        raise Refused(f"#{pull.number} is not the first in the queue, or its base branch has moved")
    if missing := unmet(home, group.base_ref, group.head_sha):
        raise Refused(" ".join(missing))
    pull.merged_into = group.base_sha
    pull.merged_at, pull.merged_by, pull.merge_commit_sha = now(), group.by, group.head_sha
    home.git.set_ref(f"refs/heads/{group.base_ref}", group.head_sha)
    notice_pushes(world, home, world.account(QUEUE_BOT))
    _destroy(world, group, "merged")
    emit_pull(world, "dequeued", pull, group.by, reason="MERGE")
    close(world, pull, group.by)
    return group.head_sha


def find(pull: Pull) -> MergeGroup:
    """A pull request's entry; Refused if it has none."""
    for group in pull.repository.queue:
        if group.pull is pull:
            return group
    raise Refused(f"#{pull.number} is not in the queue")


def _build(pull: Pull, base_sha: str, by: Account) -> MergeGroup:
    message = f"Merge pull request #{pull.number} from {pull.head_ref}\n\n{pull.title}"
    try:
        head_sha = pull.repository.git.merge(
            base_sha, pull.head_sha, author=shapes_push.person(by), message=message, when=int(now())
        )
    except MergeConflict as conflict:
        raise Refused(f"merge conflict: {conflict}") from conflict
    return MergeGroup(pull, pull.base_ref, base_sha, head_sha, by)


def _behind(group: MergeGroup) -> list[MergeGroup]:
    queue = group.pull.repository.queue
    return [each for each in queue[queue.index(group) + 1 :] if each.base_ref == group.base_ref]


def _rebuild(world: World, groups: list[MergeGroup], base_sha: str) -> None:
    for old in groups:
        queue = old.pull.repository.queue
        place = queue.index(old)
        _destroy(world, old, "invalidated")
        new = _build(old.pull, base_sha, old.by)
        queue.insert(place, new)
        _request_checks(world, new)
        base_sha = new.head_sha


def _request_checks(world: World, group: MergeGroup) -> None:
    home = group.pull.repository
    home.git.set_ref(f"refs/heads/{group.branch}", group.head_sha)
    notice_pushes(world, home, world.account(QUEUE_BOT))
    _emit(world, "checks_requested", group)


def _destroy(world: World, group: MergeGroup, reason: Reason) -> None:
    home: Repository = group.pull.repository
    home.queue.remove(group)
    _emit(world, "destroyed", group, reason=reason)
    home.git.set_ref(f"refs/heads/{group.branch}", None)
    notice_pushes(world, home, world.account(QUEUE_BOT))


def _emit(world: World, action: str, group: MergeGroup, **more: object) -> None:
    home = group.pull.repository
    payload: Json = {
        "merge_group": {
            "head_sha": group.head_sha,
            "head_ref": f"refs/heads/{group.branch}",
            "base_sha": group.base_sha,
            "base_ref": f"refs/heads/{group.base_ref}",
            "head_commit": shapes_push.simple_commit(home, group.head_sha),
        }
    }
    world.emit("merge_group", action, home, world.account(QUEUE_BOT), payload | more)
