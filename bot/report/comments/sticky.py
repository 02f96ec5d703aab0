"""The one comment of a pull request: found, posted, edited in place, posted anew, and taken away.

It is posted anew, so that people are notified, only for what newly fails: for the first failure of a head at
once, for what fails after it once nothing of the head runs any more. The old one is deleted afterwards.
Whoever dies on the way leaves in the store what may be there: the next one looks for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.claims import ShownComment, Urgency
from bot.errors import GitHubNotFound
from bot.report.comments.comment import render_comment
from bot.report.comments.only_one import only_one
from bot.report.comments.wanted import Wanted
from bot.report.comments.worth import is_worth_keeping, is_worth_posting
from bot.report.left import Left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import PullClaim
    from bot.models import PullView, Run
    from bot.ports import Clock, CommentStore, PastReader, PullRequestWriter
    from bot.report.budget import Budget
    from bot.report.links import Links

_NONE = ShownComment(None, "", None, search=False)


class CommentReport:
    """Keeps a pull request's comment as it should be; an unchanged one makes no call."""

    def __init__(
        self,
        store: CommentStore,
        github: PullRequestWriter,
        links: Links,
        marker: str,
        clock: Clock,
        *,
        past: PastReader,
        budget: Budget,
        secrets: Sequence[str] = (),
    ) -> None:
        self.store = store
        self.github = github
        self.links = links
        self.marker = marker
        self.clock = clock
        self.past = past
        self.budget = budget
        self.secrets = secrets

    def report(self, claim: PullClaim) -> Left:
        """Have the comment show what it should, and say what is left."""
        left = Left()
        with left.noting_refusals():
            left.waits += self._report(claim)
        return left

    def _report(self, claim: PullClaim) -> list[float]:
        """Seconds until the comment wants another look; empty if it is as it should be."""
        view = self.store.view(claim)
        shown = self.store.comment(claim)
        if not is_worth_keeping(view):
            return self._take_away(claim, shown)
        if not _may_be_there(shown) and not is_worth_posting(view):
            return []
        wait, shown = self._delete_old(claim, shown)
        if wait > 0:
            return [wait]
        view = replace(view, past=self.past.past(_finished_runs(view)))
        body = render_comment(view, self.links, self.marker, self.secrets)
        wanted = Wanted(body, hashlib.sha256(body.encode()).hexdigest(), view, shown)
        if shown.id is not None and shown.digest == wanted.digest:
            return []
        wait = wanted.hold_back(self.clock())
        if wait > 0:
            return [wait]
        return self._send(claim, wanted)

    def _send(self, claim: PullClaim, wanted: Wanted) -> list[float]:
        wait = self.budget.take(claim.repository, content=True, urgency=wanted.urgency)
        if wait > 0:
            return [wait]
        shown = wanted.shown if wanted.anew else self._found(claim, wanted.shown)
        if wanted.anew or shown.id is None:
            sent = self._post(claim, wanted)
        else:
            try:
                sent = self._edit(claim, wanted, shown, shown.id)
            except GitHubNotFound:  # somebody deleted it
                self.store.set_comment(claim, replace(_NONE, failing=shown.failing, old_id=shown.old_id))
                return self._report(claim)
        wait, _ = self._delete_old(claim, sent)
        return [wait] if wait > 0 else []

    def _edit(self, claim: PullClaim, wanted: Wanted, shown: ShownComment, comment_id: int) -> ShownComment:
        """Edit the comment. Until that is remembered, nobody knows what it shows."""
        self.store.set_comment(claim, replace(shown, digest=""))
        self.github.edit_comment(claim.repository, comment_id, wanted.body)
        edited = replace(shown, digest=wanted.digest, sent_at=self.clock(), failing=wanted.known)
        self.store.set_comment(claim, edited)
        return edited

    def _post(self, claim: PullClaim, wanted: Wanted) -> ShownComment:
        """Post the comment; whoever dies before it is remembered has it searched for next time."""
        old_id = wanted.shown.id if wanted.anew else wanted.shown.old_id
        intended = ShownComment(
            None,
            wanted.digest,
            self.clock(),
            search=True,
            failing=wanted.told,
            posted_for=wanted.view.head_sha if wanted.failing else "",
            old_id=old_id,
        )
        self.store.set_comment(claim, intended)
        body = wanted.body.rstrip().removesuffix(self.marker) + self._mark(old_id)
        comment_id = self.github.create_comment(claim.repository, claim.number, body)
        posted = replace(intended, id=comment_id, search=False)
        with only_one(self.github, claim, comment_id, (self._mark(old_id), self.marker), old_id):
            self.store.set_comment(claim, posted)
        return posted

    def _found(self, claim: PullClaim, shown: ShownComment) -> ShownComment:
        """One that may be there unknown to us is searched for, and remembered before it changes its marks."""
        comment_id = self._find(claim, shown)
        if comment_id == shown.id:
            return shown
        shown = replace(shown, id=comment_id, digest="", search=False)
        self.store.set_comment(claim, shown)
        return shown

    def _find(self, claim: PullClaim, shown: ShownComment) -> int | None:
        if shown.id is not None or not shown.search:
            return shown.id
        return self.github.find_comment(claim.repository, claim.number, self._mark(shown.old_id))

    def _mark(self, old_id: int | None) -> str:
        """What the comment ends with, and is searched for by: one posted in another's place says so."""
        return self.marker if old_id is None else f"<!-- preflight: in place of {old_id} -->\n{self.marker}"

    def _delete_old(self, claim: PullClaim, shown: ShownComment) -> tuple[float, ShownComment]:
        """Delete the comment that this one took the place of; the seconds for which that has to wait."""
        if shown.old_id is None or shown.id is None:
            return 0.0, shown
        wait = self._delete(claim, shown.old_id)
        if wait > 0:
            return wait, shown
        shown = replace(shown, old_id=None)
        self.store.set_comment(claim, shown)
        return 0.0, shown

    def _take_away(self, claim: PullClaim, shown: ShownComment) -> list[float]:
        """Delete the comment, and forget it: a later one is posted anew, so that people hear of it."""
        if not _may_be_there(shown):
            return []
        for comment_id in (self._find(claim, shown), shown.old_id):
            wait = 0.0 if comment_id is None else self._delete(claim, comment_id)
            if wait > 0:
                return [wait]
        self.store.set_comment(claim, _NONE)
        return []

    def _delete(self, claim: PullClaim, comment_id: int) -> float:
        wait = self.budget.take(claim.repository, content=True, urgency=Urgency.FINAL_COMMENT)
        if wait <= 0:
            self.github.delete_comment(claim.repository, comment_id)
        return wait


def _may_be_there(shown: ShownComment) -> bool:
    """Whether we posted it, or tried to; one of a former life is looked for only when we have to post."""
    return shown.id is not None or bool(shown.digest) or shown.old_id is not None


def _finished_runs(view: PullView) -> list[Run]:
    return [verdict.run for verdict in view.verdicts if verdict.run is not None and verdict.run.finished]
