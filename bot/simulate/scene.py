"""Where an event takes place: the pull request or branch, its head and its base, from payload and FACTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import Branch, Repository, read_external_id
from bot.simulate.json_reading import mapping_at, number_at, overlaid, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.simulate.given import Given

NOWHERE = "0" * 40
"""Stands for a base branch's tip that nobody told."""

HEADS = "refs/heads/"
PUSHES = frozenset({"opened", "synchronize"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What an event is about. What is not known is empty, unless a decision may ask for it (`pull`).

    `pull` is the pull request in GitHub's shape, empty for a branch; `branch` the branch's name, empty for a
    pull request. `head_before` and `base_before` are what a push, or an edit of the base, replaced. `pusher`
    is who put the head there.
    """

    repository: Repository
    number: int
    pull: Mapping[str, object]
    branch: str = ""
    head_sha: str
    base_ref: str
    base_sha: str
    head_before: str
    base_before: str
    pusher: str


def scene_of(event: str, payload: Mapping[str, object], given: Given) -> Scene:
    """Where the event takes place; what FACTS say about the pull request overlays what the payload says."""
    repository = Repository(
        number_at(payload, "repository.id") or 0, text_at(payload, "repository.full_name") or ""
    )
    if event == "push":
        return _pushed(repository, payload, given)
    if event == "merge_group":
        return _merge_group(repository, payload, given)
    pull = overlaid(mapping_at(payload, "issue"), mapping_at(payload, "pull_request"))
    pull = overlaid(pull, given.pull_request)
    author = text_at(pull, "user.login") or ""
    pushed = event == "pull_request" and text_at(payload, "action") in PUSHES
    pusher = text_at(payload, "sender.login") if pushed else author
    return Scene(
        repository=repository,
        number=number_at(pull, "number") or _clicked_on(payload),
        pull=pull,
        head_sha=text_at(pull, "head.sha") or "",
        base_ref=text_at(pull, "base.ref") or "",
        base_sha=text_at(pull, "base.sha") or NOWHERE,
        head_before=text_at(payload, "before") or "",
        base_before=text_at(payload, "changes.base.ref.from") or "",
        pusher=given.pusher or pusher or author,
    )


def _clicked_on(payload: Mapping[str, object]) -> int:
    """The number that a check run's external id holds, 0 where there is none."""
    ours = read_external_id(text_at(payload, "check_run.external_id") or "")
    return 0 if ours is None else ours[0]


def _pushed(repository: Repository, payload: Mapping[str, object], given: Given) -> Scene:
    """A pushed branch is its own base, at the commit that was pushed."""
    branch = (text_at(payload, "ref") or "").removeprefix(HEADS)
    head_sha = text_at(payload, "after") or ""
    return Scene(
        repository=repository,
        number=Branch(repository, branch, head_sha, branch).number,
        pull={},
        branch=branch,
        head_sha=head_sha,
        base_ref=branch,
        base_sha=head_sha or NOWHERE,
        head_before=text_at(payload, "before") or "",
        base_before="",
        pusher=given.pusher or text_at(payload, "sender.login") or "",
    )


def _merge_group(repository: Repository, payload: Mapping[str, object], given: Given) -> Scene:
    group = mapping_at(payload, "merge_group")
    branch = (text_at(group, "head_ref") or "").removeprefix(HEADS)
    head_sha = text_at(group, "head_sha") or ""
    base_ref = (text_at(group, "base_ref") or "").removeprefix(HEADS)
    return Scene(
        repository=repository,
        number=Branch(repository, branch, head_sha, base_ref).number,
        pull={},
        branch=branch,
        head_sha=head_sha,
        base_ref=base_ref,
        base_sha=text_at(group, "base_sha") or NOWHERE,
        head_before="",
        base_before="",
        pusher=given.pusher or text_at(payload, "sender.login") or "",
    )
