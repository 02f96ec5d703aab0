"""The settings: can they be used, and what in them is allowed but unwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, or_fine, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Sequence

PART = "settings"
SHORT = 16
"""Characters below which a secret might be guessed by trying."""

MEND = "Set it where web and worker get theirs (.env, the Secret); deploy/RUNBOOK.md has all settings."
NAME = re.compile(r"PREFLIGHT_[A-Z_]*[A-Z]")

_GITHUB = frozenset(
    {
        "PREFLIGHT_GITHUB_API_URL",
        "PREFLIGHT_GITHUB_TOKEN",
        "PREFLIGHT_GITHUB_APP_ID",
        "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE",
    }
)
_OPERATOR = frozenset({"PREFLIGHT_CONFIG", "PREFLIGHT_REPOSITORIES", "PREFLIGHT_ALLOWED_DAGS"})
NEEDED = {
    "github": _GITHUB | _OPERATOR,
    "web": frozenset({"PREFLIGHT_PUBLIC_URL", "PREFLIGHT_WEBHOOK_SECRETS"}),
    "airflow": frozenset(
        {"PREFLIGHT_AIRFLOW_URL", "PREFLIGHT_AIRFLOW_USERNAME", "PREFLIGHT_AIRFLOW_PASSWORD"}
    ),
    "database": frozenset({"PREFLIGHT_DATABASE_URL"}),
    "worker": frozenset({"PREFLIGHT_DATABASE_URL"}),
    "pubsub": frozenset(
        {"PREFLIGHT_INBOX", "PREFLIGHT_EVENTS", "PREFLIGHT_PUBSUB_PROJECT", "PREFLIGHT_PUBSUB_PREFIX"}
    ),
    "artifacts": frozenset({"PREFLIGHT_ARTIFACTS_URL"}),
    "repositories": _GITHUB | _OPERATOR,
}
"""Each part's own settings: with a problem in these there is nothing to ask it with."""


def settings_checks(problems: Sequence[str], webhook_secrets: Sequence[str]) -> list[Check]:
    """What is looked at; `problems` are those of the settings, each in a line."""
    return [
        Check(PART, "environment", lambda: judge_problems(problems), MEND),
        Check(PART, "secrets", lambda: judge_secrets(webhook_secrets), MEND),
    ]


def without_settings(part: str, problems: Sequence[str]) -> Check | None:
    """What stands in place of a part's checks where its own settings can't be used; else None."""
    named = {name.removesuffix("_FILE") for problem in problems for name in NAME.findall(problem)}
    lost = sorted(named & {name.removesuffix("_FILE") for name in NEEDED[part]})
    if not lost:
        return None
    said = skipped(f"not looked at: {', '.join(lost)} can't be used")
    return Check(part, "settings", lambda: (said,), MEND)


def judge_problems(problems: Sequence[str]) -> tuple[Diagnosis, ...]:
    """Each problem is one too many: neither web nor worker would start."""
    return or_fine((broken(problem, MEND) for problem in problems), "all settings can be used")


def judge_secrets(webhook_secrets: Sequence[str]) -> tuple[Diagnosis, ...]:
    """Whether a stranger could guess the webhook's secret: it is all that tells GitHub from anybody else."""
    short = [secret for secret in webhook_secrets if len(secret) < SHORT]
    if not webhook_secrets:
        return (skipped("there is no webhook secret"),)
    return or_fine(
        (
            warning(
                f"a secret in PREFLIGHT_WEBHOOK_SECRETS has {len(secret)} characters",
                "Make a longer one (`openssl rand -hex 32`), and replace it as deploy/RUNBOOK.md says.",
            )
            for secret in short
        ),
        "the webhook's secret is long enough",
    )
