"""`/runs/ID`: one run, all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.models import NO_PAST, Past, written
from bot.pages.about import about
from bot.pages.answer import page
from bot.pages.listings import Listing, size_text
from bot.pages.results import flaky_text
from bot.pages.steps import step_parts, with_logs
from bot.pages.timeline import timeline
from bot.report.duration import human
from bot.report.logs.redacted import redacted_run

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from bot.models import Run
    from bot.pages.site import Site

REFRESH_SECONDS = 5
MOST_TESTS = 300
LOG_SECONDS = 3.0  # that the page waits for the ends of logs


@dataclass(frozen=True, slots=True)
class File:
    """An artifact: what people read, and where it is."""

    name: str
    path: str
    size: str


def add_to(pages: Blueprint, site: Site) -> None:
    """Serve the page."""

    @pages.get("/runs/<run_id>", strict_slashes=False)
    def run(run_id: str) -> Response:
        stored = site.find(run_id)
        audits = site.reader.audits(stored)
        past = _past(site, stored)
        run = redacted_run(_bounded(stored), site.clean.secrets)
        logs = site.logs.read(run, with_logs(run), LOG_SECONDS)
        listing = _listing(site, run)
        now = site.clock()
        return page(
            "run.html",
            run=run,
            about=about(run, now, site.github_url, site.airflow_url, past.usual),
            parts=step_parts(run, logs, now, site.clean),
            length=timeline(run.steps, now).length,
            audits=audits,
            usual="" if past.usual is None else human(past.usual),
            flaky=[flaky_text(test, site.clean) for test in past.flaky],
            files=[
                File(site.clean.line(file.path), quote(file.path, errors="replace"), size_text(file.size))
                for file in listing.files
            ],
            listing=listing,
            refresh=None if run.finished else REFRESH_SECONDS,
            duration=human,
            written=written,
        )


def _bounded(run: Run) -> Run:
    """The run with so many failing tests as a page names; their number is said in any case."""
    left, steps = MOST_TESTS, []
    for step in run.steps:
        tests = step.result.tests if step.result else None
        if step.result is not None and tests is not None:
            named = tests.failures[:left]
            left -= len(named)
            step = replace(step, result=replace(step.result, tests=replace(tests, failures=named)))  # noqa: PLW2901 - the same step
        steps.append(step)
    return replace(run, steps=tuple(steps))


def _past(site: Site, run: Run) -> Past:
    """What earlier runs tell; of an unfinished one no more than how long it will take."""
    if site.past is None or run.dryrun:
        return NO_PAST
    if not run.finished:
        return Past(usual=site.past.usual([run]).get(run.id))
    return site.past.past([run]).get(run.id, NO_PAST)


def _listing(site: Site, run: Run) -> Listing:
    """What the run left, where that can be known and there may be something."""
    left = run.finished or any(step.result and step.result.artifacts for step in run.steps)
    return site.listings.of(run) if site.listings is not None and left and not run.dryrun else Listing()
