"""Whether a pull request's comment is worth posting, or staying: a pure question of what it would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import CommentPolicy, StatusState
from bot.report.comments.failing import stands_in_the_way

if TYPE_CHECKING:
    from bot.models import PullView, Verdict


def is_worth_posting(view: PullView) -> bool:
    """Whether a first comment is due: for a notice always, else as far as the repository wants comments."""
    if view.report.comment is CommentPolicy.FAILURES:
        return bool(view.notice) or any(map(stands_in_the_way, view.verdicts))
    return is_worth_keeping(view)


def is_worth_keeping(view: PullView) -> bool:
    """Whether a comment that is there has anything left to tell."""
    if view.report.comment is CommentPolicy.OFF:
        return bool(view.notice)
    return bool(view.notice) or any(map(_tells, view.verdicts))


def _tells(verdict: Verdict) -> bool:
    """Where every pipeline was skipped there is nothing to tell."""
    if verdict.run is not None or verdict.override:
        return True
    return verdict.status is not None and verdict.status.state is not StatusState.SUCCESS
