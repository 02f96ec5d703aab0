"""Answers to comments that gave commands: a reaction at once, and one reply where there is a word to say.

The reply to a comment that asked for dry runs waits a moment for what they print, then says what there is,
and goes on with the rest in the same place.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.claims import Urgency
from bot.errors import GitHubNotFound
from bot.report.comments.dry_run import render_reply
from bot.report.comments.only_one import only_one
from bot.report.left import Left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import PendingReply, PullClaim
    from bot.ports import Clock, CommentStore, PullRequestWriter
    from bot.report.budget import Budget
    from bot.report.links import Links

REACTION = "eyes"
PATIENCE = 20.0  # seconds for which a reply waits for all its dry runs


class AnswerReport:
    """Answers each comment exactly once. A click on a check run is one too, but has no reactions."""

    def __init__(
        self,
        store: CommentStore,
        github: PullRequestWriter,
        links: Links,
        clock: Clock,
        secrets: Sequence[str] = (),
        *,
        budget: Budget,
    ) -> None:
        self.store = store
        self.github = github
        self.links = links
        self.clock = clock
        self.secrets = secrets
        self.budget = budget

    def report(self, claim: PullClaim) -> Left:
        """Answer all that wait, and say what is left: answers that wait for their dry runs or for room."""
        left = Left()
        for pending in self.store.pending_replies(claim):
            with left.noting_refusals():
                left.waits += self._answer(claim, pending)
        return left

    def _answer(self, claim: PullClaim, pending: PendingReply) -> list[float]:
        silent = not pending.reply.text and not pending.dry_runs
        if not pending.reacted:
            clicked = pending.reply.comment_id < 0
            wait = 0.0 if clicked else self._take(claim, content=False)
            if wait > 0:
                return [wait]
            try:
                if not clicked:
                    self.github.react(claim.repository, pending.reply.comment_id, REACTION)
            except GitHubNotFound:
                self.store.set_reply(claim, pending, done=True)  # whoever deleted it wants no answer
                return []
            pending = replace(pending, reacted=True)
            self.store.set_reply(claim, pending, done=silent)
        if silent:
            return []
        wait = self._hold_back(pending)
        if wait > 0:
            return [wait]
        return self._reply(claim, pending)

    def _hold_back(self, pending: PendingReply) -> float:
        """Seconds for which a first reply may wait for its dry runs."""
        if pending.posted_id is not None or _is_complete(pending):
            return 0.0
        return PATIENCE - (self.clock() - pending.asked_at) / timedelta(seconds=1)

    def _reply(self, claim: PullClaim, pending: PendingReply) -> list[float]:
        marker = f"<!-- preflight reply {pending.reply.comment_id} -->"
        body = render_reply(pending.reply.text, pending.dry_runs, self.links, marker, self.secrets)
        digest = hashlib.sha256(body.encode()).hexdigest()
        if pending.digest == digest:
            self.store.set_reply(claim, pending, done=_is_complete(pending))
            return []
        wait = self._take(claim, content=True)
        if wait > 0:
            return [wait]
        if pending.posted_id is None:
            pending = self._post(claim, pending, marker, body, digest)
        if pending.digest != digest and pending.posted_id is not None:
            try:
                self.github.edit_comment(claim.repository, pending.posted_id, body)
            except GitHubNotFound:
                self.store.set_reply(claim, pending, done=True)  # nor does whoever deleted the reply
                return []
            pending = replace(pending, digest=digest)
        with only_one(self.github, claim, pending.posted_id, (marker,)):
            self.store.set_reply(claim, pending, done=_is_complete(pending))
        return []

    def _post(
        self, claim: PullClaim, pending: PendingReply, marker: str, body: str, digest: str
    ) -> PendingReply:
        """The reply with the comment that shows it, which may be there although nobody told us."""
        if pending.attempted:
            found = self.github.find_comment(claim.repository, claim.number, marker)
            if found is not None:
                return replace(pending, posted_id=found)
        pending = replace(pending, attempted=True)
        self.store.set_reply(claim, pending, done=False)
        posted = self.github.create_comment(claim.repository, claim.number, body)
        return replace(pending, posted_id=posted, digest=digest)

    def _take(self, claim: PullClaim, *, content: bool) -> float:
        """Seconds until GitHub's limits leave room for one more write; 0 if they do now."""
        return self.budget.take(claim.repository, content=content, urgency=Urgency.FINAL_COMMENT)


def _is_complete(pending: PendingReply) -> bool:
    return all(run.finished for run in pending.dry_runs)
