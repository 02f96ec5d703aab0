"""A comment that we posted so late that somebody else may have posted it meanwhile is taken back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.errors import Overtaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.claims import PullClaim
    from bot.ports import PullRequestWriter


@contextmanager
def only_one(
    github: PullRequestWriter,
    claim: PullClaim,
    posted: int | None,
    marks: Sequence[str],
    replaced: int | None = None,
) -> Iterator[None]:
    """Remember in here what was posted. If that comes too late, and there is another one, ours goes.

    So a worker that stood still between its last look at its lease and its post leaves no second comment.
    `marks` are what such a comment is found by; the one that it was posted in the place of is no other.
    """
    try:
        yield
    except Overtaken:
        own = (posted, replaced, None)
        found = (github.find_comment(claim.repository, claim.number, mark) for mark in marks)
        if posted is not None and any(one not in own for one in found):
            github.delete_comment(claim.repository, posted)
        raise
