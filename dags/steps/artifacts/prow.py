"""What Prow's tools (Spyglass, TestGrid, Gubernator) read about a run, with the bot's own keys. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from steps.artifacts.place import Told

STARTED = "started.json"
FINISHED = "finished.json"
BUILD_LOG = "build-log.txt"
OUTCOMES = {"SUCCESS": "success", "FAILURE": "failure", "ABORTED": "cancelled"}
"""The bot's words for Prow's results."""
_LONGEST_REASON = 1000


def started(run: Told, timestamp: int) -> bytes:
    """Return `started.json`: what is tested, and since when (seconds since 1970)."""
    pull = {"pull": run.pull} if run.pull else {}
    return _written(
        {
            "timestamp": timestamp,
            **pull,
            "repos": _repos(run),
            "repo-commit": run.commit,
            "repo-version": run.commit,  # its older name, which TestGrid asks for first
        }
    )


def finished(run: Told, timestamp: int, result: str, reason: str) -> bytes:
    """Return `finished.json`: how it ended. Tools take a run for one that still runs until it is there."""
    return _written(
        {
            "timestamp": timestamp,
            "passed": result == "SUCCESS",
            "result": result,
            "revision": run.commit,
            "metadata": {
                "repo": run.repository,
                "repo-commit": run.commit,
                "repos": _repos(run),
                "pipeline": run.job,
                "run": run.run,
                "outcome": OUTCOMES[result],
                "reason": reason[:_LONGEST_REASON],
                "links": {},
            },
        }
    )


def latest_green_path(run: Told) -> str:
    """Return where `latest_green.json` is: of pushed branches, or of what is still to be merged."""
    logs = "logs" if run.kind == "postsubmit" else "pr-logs/directory"
    return f"{logs}/{run.repository.replace('/', '_', 1)}/{run.job}/latest_green.json"


def latest_green(run: Told, folder: str, created: datetime) -> bytes:
    """Return `latest_green.json`."""
    return _written(
        {
            "status": "passing",
            "job": run.job,
            "sha": run.commit,
            "base": run.base,
            "repository": run.repository,
            "run": run.run,
            "artifacts": folder,
            "created": created.isoformat(),
        }
    )


def is_newer(created: datetime, there: bytes) -> bool:
    """Whether a run is newer than the one that a `latest_green.json` names, or that one is broken."""
    try:
        return created > datetime.fromisoformat(json.loads(there)["created"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return True


def started_at(document: bytes) -> datetime | None:
    """Return the time that a `started.json` says; None if it says none."""
    try:
        return datetime.fromtimestamp(int(json.loads(document)["timestamp"]), UTC)
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError, OSError):
        return None


def _repos(run: Told) -> Mapping[str, str]:
    return {run.repository: run.refs or run.commit}


def _written(content: Mapping[str, object]) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()
