"""`/runs/ID`: one run, readable without scripts. Its id is all that guards it: private ones are not shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, render_template, request

from bot.errors import StoreUnavailable
from bot.models import written
from bot.pages.about import about
from bot.pages.steps import step_parts
from bot.prose import one_line
from bot.report.duration import human

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Audit, Run
    from bot.pages.logs import LogReader
    from bot.ports import Clock, RunReader

RUN_ID = re.compile(r"[0-9a-f]{32}")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
REFRESH_SECONDS = 5


def blueprint(
    reader: RunReader, logs: LogReader, clock: Clock, *, github_url: str, airflow_url: str
) -> Blueprint:
    """The run pages."""
    pages = Blueprint("run", __name__, template_folder="templates", static_folder="static")

    @pages.get("/runs/<run_id>")
    def run_page(run_id: str) -> Response:
        run, audits = _find(reader, run_id)
        now = clock()
        page = render_template(
            "run.html",
            run=run,
            about=about(run, now, github_url, airflow_url),
            parts=step_parts(run, logs, now),
            audits=audits,
            refresh=None if run.finished else REFRESH_SECONDS,
            duration=human,
            one_line=one_line,
            written=written,
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


def _find(reader: RunReader, run_id: str) -> tuple[Run, Sequence[Audit]]:
    """The run, and what was decided about what it is for."""
    if not RUN_ID.fullmatch(run_id):
        abort(404)
    try:
        run = reader.run(run_id)
        if run is None or run.repository.private:
            abort(404)
        return run, reader.audits(run)
    except StoreUnavailable:
        abort(503)
