"""`/pr/OWNER/REPO/N`: a pull request's runs, by head; what stands now comes first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import abort, request

from bot.claims import RunQuery
from bot.pages.answer import page
from bot.pages.filters import read_filters
from bot.pages.rows import by_head, standing_now, tally, visible

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from bot.pages.site import Site

MOST = 100
REFRESH_SECONDS = 5
_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


def add_to(pages: Blueprint, site: Site) -> None:
    """Serve the page."""

    @pages.get("/pr/<owner>/<name>/<number>", strict_slashes=False)
    def pull(owner: str, name: str, number: str) -> Response:
        if not _NUMBER.fullmatch(number) or "\0" in owner + name:
            abort(404)
        readable = site.gate.readable(f"{owner}/{name}")
        after = read_filters(request.args).after
        listed = site.lister.runs(
            RunQuery(
                repository=f"{owner}/{name}", number=int(number), after=after, most=MOST, private=readable
            )
        )
        runs = [one.run for one in visible(listed[:MOST], readable)]
        if not runs:
            abort(404)
        now = site.clock()
        current = [] if after else standing_now(runs, now, site.clean)
        repository = runs[0].repository
        return page(
            "pull.html",
            repository=repository,
            number=int(number),
            address=f"{site.github_url}/{quote(repository.full_name)}/pull/{number}",
            current=current,
            tally=tally(current),
            heads=by_head(runs, now, site.clean),
            older=listed[MOST - 1].seq if len(listed) > MOST else None,
            refresh=None if after or all(run.finished for run in runs) else REFRESH_SECONDS,
        )
