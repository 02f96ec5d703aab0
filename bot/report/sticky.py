"""The one comment of a pull request: found, posted, edited in place, and taken away."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.claims import ShownComment
from bot.errors import GitHubNotFound
from bot.report.comment import render_comment
from bot.report.worth import is_worth_keeping, is_worth_posting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import PullClaim
    from bot.models import Verdict
    from bot.ports import Clock, CommentStore, PullRequestWriter
    from bot.report.links import Links

PROGRESS_SECONDS = 10.0  # between two edits while something still runs


class CommentReport:
    """Keeps a pull request's comment as it should be; an unchanged one makes no call."""

    def __init__(
        self, store: CommentStore, github: PullRequestWriter, links: Links, marker: str, clock: Clock
    ) -> None:
        self.store = store
        self.github = github
        self.links = links
        self.marker = marker
        self.clock = clock

    def report(self, claim: PullClaim) -> list[float]:
        """Seconds until the comment wants another look; empty if it is as it should be."""
        view = self.store.view(claim)
        shown = self.store.comment(claim)
        if not is_worth_keeping(view):
            self._delete(claim, shown)
            return []
        if not _may_be_there(shown) and not is_worth_posting(view):
            return []
        body = render_comment(view, self.links, self.marker)
        digest = hashlib.sha256(body.encode()).hexdigest()
        if shown.id is not None and shown.digest == digest:
            return []
        wait = self._hold_back(shown, view.verdicts)
        if wait > 0:
            return [wait]
        self._send(claim, shown, body, digest)
        return []

    def _hold_back(self, shown: ShownComment, verdicts: Sequence[Verdict]) -> float:
        """An edit can wait while more is to come: seconds until it may be sent."""
        running = any(verdict.run is not None and not verdict.run.finished for verdict in verdicts)
        if not running or shown.id is None or shown.sent_at is None:
            return 0.0
        return PROGRESS_SECONDS - (self.clock() - shown.sent_at) / timedelta(seconds=1)

    def _send(self, claim: PullClaim, shown: ShownComment, body: str, digest: str) -> None:
        repository, number = claim.repository, claim.number
        comment_id = self._find(claim, shown)
        if comment_id is not None:
            try:
                self.github.edit_comment(repository, comment_id, body)
            except GitHubNotFound:
                comment_id = None  # somebody deleted it
        if comment_id is None:
            # Whoever dies between posting and remembering has it searched for next time.
            self.store.set_comment(claim, replace(shown, id=None, digest=digest, search=True))
            comment_id = self.github.create_comment(repository, number, body)
        self.store.set_comment(claim, ShownComment(comment_id, digest, self.clock(), search=False))

    def _delete(self, claim: PullClaim, shown: ShownComment) -> None:
        """Take away the comment, and forget it: a later one is posted anew, so that people hear of it."""
        if not _may_be_there(shown):
            return
        comment_id = self._find(claim, shown)
        if comment_id is not None:
            self.github.delete_comment(claim.repository, comment_id)
        self.store.set_comment(claim, ShownComment(None, "", None, search=False))

    def _find(self, claim: PullClaim, shown: ShownComment) -> int | None:
        if shown.id is not None or not shown.search:
            return shown.id
        return self.github.find_comment(claim.repository, claim.number, self.marker)


def _may_be_there(shown: ShownComment) -> bool:
    """Whether we posted it, or tried to; one of a former life is looked for only when we have to post."""
    return shown.id is not None or bool(shown.digest)
