"""`/runs/ID/log/STEP`: a step's whole log, by parts or searched, growing while the step runs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import abort, request

from bot.pages import window
from bot.pages.about import about
from bot.pages.answer import page
from bot.pages.steps import slug
from bot.pages.words import step_standing
from bot.report.comments.rows import step_name
from bot.report.logs.redacted import redacted_run

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from bot.models import Run, Step
    from bot.pages.site import Site

REFRESH_SECONDS = 3
RELOAD_SECONDS = 15  # without a script a reload takes away what is being typed
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def add_to(pages: Blueprint, site: Site) -> None:
    """Serve the page."""

    @pages.get("/runs/<run_id>/log/<path:step>", strict_slashes=False)
    def log(run_id: str, step: str) -> Response:
        stored = site.find(run_id)
        asked = _step(stored, step)
        found = redacted_run(replace(stored, steps=(asked,)), site.clean.secrets).steps[0]
        # Of the others no more than their names is said here.
        others = tuple(replace(one, result=None, excerpt=None) for one in stored.steps)
        run = redacted_run(replace(stored, steps=others), site.clean.secrets)
        read = site.logs.read(run, [found])[found.key]
        start = _start(request.args.get("from", ""))
        wanted = window.searched(request.args.get("q", ""))
        remarks = request.args.get("remarks") == "1"
        lines = read.lines(remarks=remarks)
        running = not found.state.finished and not run.finished
        return page(
            "log.html",
            run=run,
            about=about(run, site.clock(), site.github_url, site.airflow_url),
            name=site.clean.line(step_name(found)),
            slug=slug(found),
            standing=step_standing(
                found, dryrun=run.dryrun, command=bool(found.result and found.result.argv)
            ),
            log=read,
            lines=lines,
            remarks=remarks,
            has_remarks=bool(read.own.texts) and len(read.whole.texts) > len(read.own.texts),
            wanted=wanted,
            hits=window.search(lines, wanted) if wanted else None,
            part=window.window(lines, start),
            start_for=window.start_for,
            live=running and start is None and not wanted,
            refresh=REFRESH_SECONDS if running else None,
            reload=RELOAD_SECONDS,
        )


def _step(run: Run, name: str) -> Step:
    found = next((step for step in run.steps if slug(step) in (name, name.removesuffix("/"))), None)
    if found is None:
        abort(404)
    return found


def _start(text: str) -> int | None:
    """The line that somebody asked for; None for anything else."""
    return max(1, int(text)) if _NUMBER.fullmatch(text) else None
