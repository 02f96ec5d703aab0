"""What an untrusted head needs, by whom, and the line to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.policy import texts
from bot.policy.codeowners import owners
from bot.policy.trust import APP, trusted_groups

if TYPE_CHECKING:
    from bot.models import PullRequest
    from bot.policy.facts import Base, Facts

CODEOWNERS = "codeowners"
MAX_MENTIONS = 10  # more would be spam


def approval_notice(pull: PullRequest, base: Base, facts: Facts, reason: str) -> str:
    """The notice above the comment's table; it mentions whom the repository wants to be told."""
    mentions = _mentions(base, facts)
    return texts.approval_needed(reason, pull.head_sha, who_is_trusted(base, facts), mentions)


def _mentions(base: Base, facts: Facts) -> tuple[str, ...]:
    if base.usable is None:
        return ()
    told: list[str] = []
    for name in base.usable.notify:
        if name.lower() == CODEOWNERS:
            told += owners(facts.codeowners(), facts.changed_files().paths)
        else:
            told.append("@" + name.removeprefix("@"))
    return tuple(dict.fromkeys(told))[:MAX_MENTIONS]


def who_is_trusted(base: Base, facts: Facts) -> str:
    """Who is trusted, in words; Apps approve nothing."""
    groups = [group for group in trusted_groups(base, facts) if not group.endswith(APP)]
    return texts.trusted_people(groups)
