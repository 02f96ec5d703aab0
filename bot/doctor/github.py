"""GitHub, whatever we prove ourselves with: is it there, and what does it leave us of this hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.clock import judge_clock
from bot.doctor.findings import Diagnosis, broken, fine, warning

if TYPE_CHECKING:
    from bot.models import Quota
    from bot.models.doctor import Knock
    from bot.ports.doctor import GitHubLook

PART = "github"
ANSWERS, CREDENTIALS = f"{PART}.answers", f"{PART}.credentials"
SCARCE = 0.1
"""The share of the hour's requests below which progress is no longer shown."""

REACH = "See that this machine reaches GitHub (HTTPS_PROXY, NO_PROXY), and PREFLIGHT_GITHUB_API_URL."


def common_checks(github: GitHubLook, api_url: str, *, app: bool) -> list[Check]:
    """What is looked at with an App and with a token; an App's clock must be right."""

    def clock() -> tuple[Diagnosis]:
        return (judge_clock(github.knock(), "GitHub", strict=app),)

    return [
        Check(PART, "answers", lambda: (judge_answer(github.knock(), api_url),), REACH),
        Check(PART, "clock", clock, REACH, (ANSWERS,)),
    ]


def judge_answer(knock: Knock, api_url: str) -> Diagnosis:
    """Whether it is GitHub that answers there."""
    if knock.genuine:
        return fine(f"GitHub's API answers at {api_url}")
    return broken(
        f"something answers at {api_url}, but it does not look like GitHub's API",
        "Set PREFLIGHT_GITHUB_API_URL to https://api.github.com, or to https://HOST/api/v3 on Enterprise "
        "Server; see that no proxy answers in its place.",
    )


def judge_quota(quota: Quota) -> Diagnosis:
    """What is left of the hour's requests."""
    text = f"{quota.remaining} of {quota.limit} requests of this hour are left"
    if quota.remaining < quota.limit * SCARCE:
        minutes = max(1, round(quota.resets_in / 60))
        return warning(
            f"{text}, so progress is not shown",
            f"All are back in {minutes} min. If it happens often: what else uses these credentials?",
        )
    return fine(text)
