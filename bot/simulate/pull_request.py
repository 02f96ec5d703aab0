"""The pull request, as far as the payload and FACTS tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.models import PullRequest
from bot.policy.facts import MissingFact
from bot.simulate.json_reading import mapping_at, text_at

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Repository


class KnownPull(PullRequest):
    """A pull request that need not be known as a whole.

    What is read although nobody told it is a MissingFact, named as in GitHub's answer.
    """

    __slots__ = ("_unknown",)
    _unknown: Mapping[str, str]

    def __getattribute__(self, name: str) -> object:
        unknown = object.__getattribute__(self, "_unknown")
        if name in unknown:
            raise MissingFact(f"pull_request.{unknown[name]}")
        return object.__getattribute__(self, name)


def known_pull(repository: Repository, number: int, told: Mapping[str, object], now: datetime) -> KnownPull:
    """The pull request of what is told in GitHub's shape.

    What GitHub leaves out where there is none (a draft, labels) is none. `now` stands for when it changed.
    """
    author = "ghost" if told.get("user", "") is None else text_at(told, "user.login")
    gone = "repo" in mapping_at(told, "head") and mapping_at(told, "head")["repo"] is None
    texts = {
        "open": ("state", text_at(told, "state")),
        "author": ("user.login", author),
        "head_sha": ("head.sha", text_at(told, "head.sha")),
        "head_ref": ("head.ref", text_at(told, "head.ref")),
        "head_repository": ("head.repo.full_name", text_at(told, "head.repo.full_name")),
        "base_ref": ("base.ref", text_at(told, "base.ref")),
    }
    unknown = {name: key for name, (key, text) in texts.items() if text is None}
    if gone:
        unknown.pop("head_repository", None)
    words = {name: text or "" for name, (_, text) in texts.items()}
    pull = KnownPull(
        repository=repository,
        number=number,
        open=words["open"] != "closed",
        draft=told.get("draft") is True,
        title=text_at(told, "title") or "",
        author=words["author"],
        head_sha=words["head_sha"],
        head_ref=words["head_ref"],
        head_repository=None if gone else words["head_repository"],
        base_ref=words["base_ref"],
        updated_at=now,
        labels=_labels(told.get("labels")),
        comments=0,
    )
    object.__setattr__(pull, "_unknown", unknown)  # as its other fields, it never changes
    return pull


def _labels(told: object) -> tuple[str, ...]:
    """The labels' names, whether written as GitHub does or as plain names."""
    each = told if isinstance(told, list) else []
    names = (label.get("name") if isinstance(label, Mapping) else label for label in each)
    return tuple(name for name in names if isinstance(name, str))
