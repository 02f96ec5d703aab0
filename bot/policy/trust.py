"""Whom to trust, and whether a pull request's head may run: who wrote it, where it lies, who pushed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.models import PullRequest
    from bot.policy.facts import Base, Facts

APP = "[bot]"
"""How the login of an App's account ends; nobody can register such a name."""


def trusted_groups(base: Base, facts: Facts) -> tuple[str, ...]:
    """Organisations, teams and Apps that the operator or the repository lists."""
    own = base.usable.trust if base.usable is not None else ()
    return tuple(dict.fromkeys((*facts.operator().trust, *own)))


def is_trusted(login: str, base: Base, facts: Facts) -> bool:
    """Whether the user may write to the repository, or belongs to whom somebody in charge lists.

    An App is trusted only where it is listed itself: its permission says nothing about who steers it.
    """
    groups = trusted_groups(base, facts)
    if login.endswith(APP):
        return login.lower() in {group.lower() for group in groups}
    if facts.permission(login).can_write:
        return True
    return any(facts.member(login, group) for group in groups if not group.endswith(APP))


def distrust(
    pull: PullRequest, base: Base, facts: Facts, approved: Collection[str] = frozenset()
) -> str | None:
    """Why the head may not run without a maintainer's word, None if it may.

    The author must be trusted, the head must lie in the base repository or the author's own fork, and who
    pushed it must be trusted; or somebody approved this very head (any head of this pull request, where the
    repository says `approve: pull_request`). Where we did not hear of the push, GitHub itself vouches for a
    branch of the base repository, since only those with write access can push there; for a fork nobody does.
    """
    given = facts.history().approved | frozenset(approved)
    once = base.usable is not None and base.usable.approve == "pull_request"
    if pull.head_sha in given or (once and given):
        return None
    return distrust_unapproved(pull, base, facts)


def distrust_unapproved(pull: PullRequest, base: Base, facts: Facts) -> str | None:
    """Why the head may run only if somebody approves it, None if it needs nobody's approval."""
    if not is_trusted(pull.author, base, facts):
        return f"{pull.author}, who opened it, is not trusted here"
    if pull.head_repository is None:
        return "its head repository is gone"
    owner = pull.head_repository.partition("/")[0]
    if pull.fork and owner.lower() != pull.author.lower():
        return f"its head lies in {pull.head_repository}, not in this repository or {pull.author}'s fork"
    pusher = facts.history().pushers.get(pull.head_sha)
    if pusher is None:
        return "nobody knows who pushed its head" if pull.fork else None
    if not is_trusted(pusher, base, facts):
        return f"{pusher}, who pushed its head, is not trusted here"
    return None
