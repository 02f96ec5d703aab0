"""A run as the JSON files that Prow's tools (Spyglass, TestGrid, Gubernator) read, and their places. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from bot.models import ARTIFACTS_PATH, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Run

STARTED = "started.json"
FINISHED = "finished.json"
BUILD_LOG = "build-log.txt"
LATEST_GREEN = "latest_green.json"

_RESULTS = {Outcome.SUCCESS: "SUCCESS", Outcome.CANCELLED: "ABORTED"}
_LONGEST_REASON = 1000


def folder_of(run: Run) -> str | None:
    """The run's folder below the root of all artifacts; None if its conf names none that may be one."""
    path = run.conf.get(ARTIFACTS_PATH)
    if not isinstance(path, str) or not path.isprintable():
        return None
    return None if any(part in ("", ".", "..") for part in path.split("/")) else path


def started(run: Run) -> bytes:
    """`started.json`: what was tested, and since when (seconds since 1970)."""
    pull = {"pull": str(run.number)} if run.number > 0 else {}
    return _written(
        {
            "timestamp": int((run.started_at or run.created_at).timestamp()),
            **pull,
            "repos": _repos(run),
            "repo-commit": run.head_sha,
            "repo-version": run.head_sha,  # its older name, which TestGrid asks for first
        }
    )


def finished(run: Run) -> bytes:
    """`finished.json`: how it ended. Tools take a run for one that still runs until it is there.

    TestGrid wants texts as metadata, or a mapping of texts.
    """
    outcome = run.outcome or Outcome.ERROR
    ended = run.finished_at or run.started_at or run.created_at
    return _written(
        {
            "timestamp": int(ended.timestamp()),
            "passed": outcome is Outcome.SUCCESS,
            "result": _RESULTS.get(outcome, "FAILURE"),
            "revision": run.head_sha,
            "metadata": {
                "repo": run.repository.full_name,
                "repo-commit": run.head_sha,
                "repos": _repos(run),
                "pipeline": run.pipeline,
                "run": run.id,
                "outcome": outcome.value,
                "reason": run.reason[:_LONGEST_REASON],
                "links": _links(run),
            },
        }
    )


def counts_as_green(run: Run) -> bool:
    """Whether it says that its head is good: it passed, and ran as everybody else's does."""
    return run.outcome is Outcome.SUCCESS and not run.inputs and not run.dryrun


def latest_green_path(run: Run) -> str:
    """Where `latest_green.json` of its pipeline is: of pushed branches, or of what is still to be merged."""
    logs = "logs" if run.conf.get("JOB_TYPE") == "postsubmit" else "pr-logs/directory"
    repository = run.repository
    return f"{logs}/{repository.owner}_{repository.name}/{run.pipeline}/{LATEST_GREEN}"


def latest_green(run: Run) -> bytes:
    """`latest_green.json`: the newest run that counts as green."""
    return _written(
        {
            "status": "passing",
            "job": run.pipeline,
            "sha": run.head_sha,
            "base": run.base_ref,
            "repository": run.repository.full_name,
            "run": run.id,
            "artifacts": folder_of(run),
            "created": run.created_at.isoformat(),
        }
    )


def is_newer(run: Run, there: bytes) -> bool:
    """Whether the run was created after the one that a `latest_green.json` names, or that one is broken."""
    try:
        return run.created_at > datetime.fromisoformat(json.loads(there)["created"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return True


def _repos(run: Run) -> Mapping[str, str]:
    return {run.repository.full_name: str(run.conf.get("PULL_REFS", run.head_sha))}


def _links(run: Run) -> Mapping[str, Mapping[str, str]]:
    ours = run.conf.get("preflight")
    page = str(ours.get("run_page") or "") if isinstance(ours, dict) else ""
    return {"preflight": {"url": page}} if page else {}


def _written(content: Mapping[str, object]) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()
