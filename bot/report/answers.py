"""Answers to comments that gave commands: a reaction at once, and one reply where there is a word to say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound

if TYPE_CHECKING:
    from bot.claims import PendingReply, PullClaim
    from bot.ports import CommentStore, PullRequestWriter

REACTION = "eyes"


class AnswerReport:
    """Answers each comment exactly once."""

    def __init__(self, store: CommentStore, github: PullRequestWriter) -> None:
        self.store = store
        self.github = github

    def report(self, claim: PullClaim) -> list[float]:
        """Answer all that wait; nothing is left to come back for."""
        for pending in self.store.pending_replies(claim):
            self._answer(claim, pending)
        return []

    def _answer(self, claim: PullClaim, pending: PendingReply) -> None:
        comment_id = pending.reply.comment_id
        if not pending.reacted:
            try:
                self.github.react(claim.repository, comment_id, REACTION)
            except GitHubNotFound:
                self.store.set_reply(claim, pending, done=True)  # whoever deleted it wants no answer
                return
            pending = replace(pending, reacted=True)
            self.store.set_reply(claim, pending, done=not pending.reply.text)
        if pending.reply.text:
            self._reply(claim, pending)

    def _reply(self, claim: PullClaim, pending: PendingReply) -> None:
        marker = f"<!-- preflight reply {pending.reply.comment_id} -->"
        posted = None
        if pending.attempted:  # it may be there although nobody told us
            posted = self.github.find_comment(claim.repository, claim.number, marker)
        if posted is None:
            self.store.set_reply(claim, replace(pending, attempted=True), done=False)
            self.github.create_comment(claim.repository, claim.number, f"{pending.reply.text}\n\n{marker}\n")
        self.store.set_reply(claim, replace(pending, attempted=True), done=True)
