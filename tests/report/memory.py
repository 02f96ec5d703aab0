"""A pull request's comment with everything in memory: a worker that may die, a past, a budget, a clock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.claims import PullClaim, ShownComment
from bot.models import NO_PAST
from bot.report.budget import UNLIMITED, Budget
from bot.report.comments.sticky import CommentReport
from tests.examples import pull
from tests.fakes.github import FakeGitHub
from tests.report.examples import LINKS, MARKER, NOON, REPOSITORY, view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.claims import PendingReply, Urgency
    from bot.models import Past, PullView, Repository, Run
    from tests.fakes.github import Comment

NOTHING = ShownComment(None, "", None, search=False)


class Died(Exception):
    """The worker's process is gone."""


class Life:
    """Of a worker; it ends at the point that a test names."""

    def __init__(self) -> None:
        self.left: int | None = None

    def point(self) -> None:
        """The worker is about to change something."""
        if self.left is None:
            return
        if self.left == 0:
            raise Died
        self.left -= 1


class MortalGitHub(FakeGitHub):
    """A GitHub that a worker may die before writing to."""

    def __init__(self, life: Life) -> None:
        super().__init__()
        self.life = life

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        self.life.point()
        return super().create_comment(repository, number, body)

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        self.life.point()
        super().edit_comment(repository, comment_id, body)

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        self.life.point()
        super().delete_comment(repository, comment_id)


class MemoryComments:
    """The CommentStore port."""

    def __init__(self, life: Life) -> None:
        self.shown = NOTHING
        self.wanted = view()
        self.life = life

    def view(self, claim: PullClaim) -> PullView:  # noqa: ARG002 - there is one pull request
        return self.wanted

    def comment(self, claim: PullClaim) -> ShownComment:  # noqa: ARG002 - there is one pull request
        return self.shown

    def set_comment(self, claim: PullClaim, comment: ShownComment) -> None:  # noqa: ARG002 - see above
        self.life.point()
        self.shown = comment

    def pending_replies(self, claim: PullClaim) -> Sequence[PendingReply]:  # noqa: ARG002 - see above
        return []

    def set_reply(self, claim: PullClaim, reply: PendingReply, *, done: bool) -> None:
        raise AssertionError(f"no comment waits for an answer here: {claim}, {reply}, {done}")


class KnownPast:
    """The PastReader port."""

    def __init__(self) -> None:
        self.by_pipeline: dict[str, Past] = {}

    def usual(self, runs: Sequence[Run]) -> Mapping[str, float]:  # noqa: ARG002 - comments don't ask
        return {}

    def past(self, runs: Sequence[Run]) -> Mapping[str, Past]:
        return {run.id: self.by_pipeline.get(run.pipeline, NO_PAST) for run in runs}


class Meter(Budget):
    """A budget that notes what it was asked, and refuses for `wait` seconds."""

    def __init__(self) -> None:
        super().__init__(UNLIMITED.store, UNLIMITED.quotas, ())
        self.wait = 0.0
        self.asked: list[tuple[bool, Urgency]] = []

    def take(self, repository: Repository, *, content: bool, urgency: Urgency) -> float:
        assert repository == REPOSITORY
        self.asked.append((content, urgency))
        return self.wait


class Sticky:
    """A pull request's comment, reported on with a clock that the test moves."""

    def __init__(self) -> None:
        self.life = Life()
        self.store = MemoryComments(self.life)
        self.github = MortalGitHub(self.life)
        self.github.put_pull(replace(pull(), repository=REPOSITORY))
        self.past = KnownPast()
        self.budget = Meter()
        self.now: datetime = NOON
        self.reporter = CommentReport(
            self.store, self.github, LINKS, MARKER, lambda: self.now, past=self.past, budget=self.budget
        )

    def report(self, wanted: PullView | None = None, *, later: float = 100) -> list[float]:
        """So many seconds later the pull request is like that."""
        self.now += timedelta(seconds=later)
        if wanted is not None:
            self.store.wanted = wanted
        left = self.reporter.report(PullClaim(REPOSITORY, 12, 1, 0, self.now))
        assert not left.refused
        return left.waits

    def die(self, point: int, wanted: PullView) -> None:
        """Report likewise, but die before the change of that number; whoever comes next lives."""
        self.life.left = point
        with suppress(Died):
            self.report(wanted)
        self.life.left = None

    def comments(self) -> list[Comment]:
        """Ours."""
        return self.github.comments_on(REPOSITORY, 12, self.github.login)

    @property
    def comment(self) -> Comment:
        """The only one."""
        (only,) = self.comments()
        return only
