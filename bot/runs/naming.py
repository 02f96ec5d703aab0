"""How a run is named in Airflow: the same run always gets the same name, so a repeated trigger is adopted."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.models import Run

PREFIX = "preflight~"
LONGEST = 200  # Airflow's column holds 250
LONGEST_BRANCH = 60


def dag_run_id(installation: str, run: Run, attempt: int) -> str:
    """`preflight~INSTALLATION~OWNER~REPO~NUMBER~PIPELINE~SHA~ATTEMPT`, within what Airflow accepts.

    For a branch, its name stands where the number would. `~` is in no GitHub name, so two runs never share
    a name; a name that is too long keeps its ends and a hash of the whole. Runs of one pipeline at one head,
    with whatever inputs, dry ones too, differ by their attempt.
    """
    parts = (
        installation, run.repository.owner, run.repository.name, _subject(run), run.pipeline,
        run.head_sha[:12], str(attempt),
    )  # fmt: skip
    whole = PREFIX + "~".join(_slug(part) for part in parts)
    if len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    tail = f"~{digest}~{run.head_sha[:12]}~{attempt}"
    return whole[: LONGEST - len(tail)] + tail


def _subject(run: Run) -> str:
    """A pull request's number; a branch's name, with a hash that tells "a/b" from "a-b".

    Its colon, which is in no branch's name, tells the branch "12" from the pull request.
    """
    if not run.branch:
        return str(run.number)
    digest = hashlib.sha256(run.branch.encode(errors="replace")).hexdigest()[:8]
    return f"{run.branch[:LONGEST_BRANCH]}:{digest}"


def _slug(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.:+-]", "-", part)


def where(run: Run) -> str:
    """The pull request or branch that the run is for, as GitHub writes it, or nearly so."""
    return f"{run.repository.full_name}{'@' + run.branch if run.branch else f'#{run.number}'}"
