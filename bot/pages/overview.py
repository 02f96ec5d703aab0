"""`/`: all runs that the viewer may see, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from bot.pages.answer import page
from bot.pages.filters import STATES, read_filters
from bot.pages.rows import row, visible

if TYPE_CHECKING:
    from flask import Blueprint, Response
    from werkzeug.wrappers import Response as AnyResponse

    from bot.pages.site import Site

MOST = 50
REFRESH_SECONDS = 10
RELOAD_SECONDS = 60  # without a script a reload takes away what is being typed


def add_to(pages: Blueprint, site: Site) -> None:
    """Serve the list."""

    @pages.get("/")
    def runs() -> Response:
        filters = read_filters(request.args)
        readable = site.gate.readable(filters.repository)
        listed = [] if filters.problem else site.lister.runs(filters.query(readable, MOST))
        shown = visible(listed[:MOST], readable)
        now = site.clock()
        return page(
            "runs.html",
            filters=filters,
            states=STATES,
            rows=[row(one.run, now, site.clean) for one in shown],
            older=listed[MOST - 1].seq if len(listed) > MOST else None,
            unattended=site.reader.unattended(),
            refresh=None if filters.after else REFRESH_SECONDS,
            reload=RELOAD_SECONDS,
        )

    @pages.get("/runs", strict_slashes=False)
    def elsewhere() -> AnyResponse:
        return redirect(url_for("pages.runs"), 301)
