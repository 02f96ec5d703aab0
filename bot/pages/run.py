"""`/runs/ID`: one run, readable without scripts. Its id is all that guards it: private ones are not shown."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, abort, render_template, request

from bot.errors import StoreUnavailable
from bot.models import Outcome, Phase, StepState
from bot.pages.logs import BUSY
from bot.report.duration import human, seconds_between
from bot.report.links import step_anchor
from bot.report.status import describe_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import Run, Step
    from bot.pages.logs import LogReader
    from bot.ports import Clock, RunReader

RUN_ID = re.compile(r"[0-9a-f]{32}")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
REFRESH_SECONDS = 5
LOG_SECONDS = 5.0  # of one page's reading
MARKS = {
    StepState.SUCCEEDED: "✅",
    StepState.FAILED: "❌",
    StepState.RUNNING: "🔄",
    StepState.RETRYING: "🔁",
    StepState.SKIPPED: "⏭️",
    StepState.BLOCKED: "⛔",
    StepState.REMOVED: "⏭️",
    StepState.WAITING: "⏳",
    StepState.CANCELLED: "🚫",
}
WORDS = {
    Outcome.SUCCESS: "passed",
    Outcome.FAILURE: "failed",
    Outcome.ERROR: "error",
    Outcome.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class StepPart:
    """One step as the page shows it."""

    step: Step
    anchor: str
    mark: str
    took: str
    log: Sequence[str]
    missing: str


def blueprint(
    reader: RunReader, logs: LogReader, clock: Clock, *, github_url: str, airflow_url: str
) -> Blueprint:
    """The run pages."""
    pages = Blueprint("run", __name__, template_folder="templates", static_folder="static")

    @pages.get("/runs/<run_id>")
    def run_page(run_id: str) -> Response:
        run = _find(reader, run_id)
        now = clock()
        _, description = describe_run(run, now)
        page = render_template(
            "run.html",
            run=run,
            word=WORDS[run.outcome] if run.outcome is not None else "running" if run.steps else "waiting",
            description=description,
            parts=_parts(run, logs, now),
            pull_url=f"{github_url}/{run.repository.full_name}/pull/{run.number}",
            airflow_url=_airflow(run, airflow_url),
            refresh=None if run.finished else REFRESH_SECONDS,
        )
        return Response(page, mimetype="text/html")

    @pages.app_errorhandler(404)
    def missing(_: Exception) -> tuple[str, int]:
        return render_template("missing.html"), 404

    @pages.after_app_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "max-age=300" if request.endpoint == "run.static" else "no-store"
        return response

    return pages


def _find(reader: RunReader, run_id: str) -> Run:
    if not RUN_ID.fullmatch(run_id):
        abort(404)
    try:
        run = reader.run(run_id)
    except StoreUnavailable:
        abort(503)
    if run is None or run.repository.private:
        abort(404)
    return run


def _parts(run: Run, logs: LogReader, now: datetime) -> list[StepPart]:
    """All steps; logs as far as they can be had within a few seconds, failed steps' first."""
    deadline = time.monotonic() + LOG_SECONDS
    by_need = sorted(run.steps, key=lambda step: step.state is not StepState.FAILED)
    parts = {step.key: _part(run, step, logs, now, deadline) for step in by_need}
    return [parts[step.key] for step in run.steps]


def _part(run: Run, step: Step, logs: LogReader, now: datetime, deadline: float) -> StepPart:
    seconds = seconds_between(step.started_at, step.ended_at or now)
    log: Sequence[str]
    left = deadline - time.monotonic()
    if run.phase is Phase.WANTED:
        log, missing = (), ""
    elif left > 0:
        log, missing = logs.read(run, step, left)
    else:
        log, missing = step.excerpt or (), BUSY
    return StepPart(
        step=step,
        anchor=step_anchor(step),
        mark=MARKS[step.state],
        took="" if seconds is None or step.state is StepState.WAITING else human(seconds),
        log=log,
        missing=missing,
    )


def _airflow(run: Run, airflow_url: str) -> str:
    if run.dag_run_id is None:
        return ""
    return f"{airflow_url}/dags/{quote(run.dag_id)}/runs/{quote(run.dag_run_id, safe='~')}"
