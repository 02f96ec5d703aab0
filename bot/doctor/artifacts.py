"""Where artifacts are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, fine, skipped, warning

if TYPE_CHECKING:
    from bot.ports.doctor import ArtifactLook

PART = "artifacts"
MEND = (
    "See that PREFLIGHT_ARTIFACTS_URL is the same as in Airflow, and that the bot may read and write what it "
    "names."
)


def artifact_checks(artifacts: ArtifactLook | None) -> list[Check]:
    """What is looked at; None: no artifacts are kept."""

    def kept() -> tuple[Diagnosis]:
        if artifacts is None:
            return (skipped("PREFLIGHT_ARTIFACTS_URL is not set: none are kept"),)
        return (judge(artifacts.look()),)

    return [Check(PART, "store", kept, MEND)]


def judge(amiss: str) -> Diagnosis:
    """What is thought of what is amiss, "" if nothing is: never worse than a warning, as runs do without."""
    return warning(amiss, MEND) if amiss else fine("the store can be read")
