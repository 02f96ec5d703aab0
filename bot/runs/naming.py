"""How a run is named in Airflow: the same run always gets the same name, so a repeated trigger is adopted."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.models import Run

PREFIX = "preflight~"
LONGEST = 200  # Airflow's column holds 250


def dag_run_id(installation: str, run: Run, attempt: int) -> str:
    """`preflight~INSTALLATION~OWNER~REPO~NUMBER~PIPELINE~SHA~ATTEMPT`, within what Airflow accepts.

    `~` is in no GitHub name, so two runs never share a name; a name that is too long keeps its ends and a
    hash of the whole.
    """
    parts = (
        installation, run.repository.owner, run.repository.name, str(run.number), run.pipeline,
        run.head_sha[:12], str(attempt),
    )  # fmt: skip
    whole = PREFIX + "~".join(re.sub(r"[^A-Za-z0-9_.:+-]", "-", part) for part in parts)
    if len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    tail = f"~{digest}~{run.head_sha[:12]}~{attempt}"
    return whole[: LONGEST - len(tail)] + tail
