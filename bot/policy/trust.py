"""Whether a pull request's head may run: who wrote it, where it lies, who pushed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.models import PullRequest
    from bot.policy.facts import Facts


def distrust(pull: PullRequest, facts: Facts) -> str | None:
    """Why the head may not run without a maintainer's word, None if it may.

    The author must have write access, the head must lie in the base repository or the author's own fork,
    and who pushed it must have write access. Where we did not hear of the push, GitHub itself vouches for
    a branch of the base repository, since only those with write access can push there; for a fork nobody
    does.
    """
    if not facts.permission(pull.author).can_write:
        return f"{pull.author}, who opened it, has no write access"
    if pull.head_repository is None:
        return "its head repository is gone"
    owner = pull.head_repository.partition("/")[0]
    if pull.fork and owner.lower() != pull.author.lower():
        return f"its head lies in {pull.head_repository}, not in this repository or {pull.author}'s fork"
    pusher = facts.history().pushers.get(pull.head_sha)
    if pusher is None:
        return "nobody knows who pushed its head" if pull.fork else None
    if not facts.permission(pusher).can_write:
        return f"{pusher}, who pushed its head, has no write access"
    return None
