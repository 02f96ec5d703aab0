"""`/badge/OWNER/REPO/PIPELINE.svg?branch=main`: how a pipeline stands on a branch, for a README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, render_template, request

from bot.errors import StoreUnavailable
from bot.pages.answer import RETRY_SECONDS, conditional
from bot.pages.badges import COLOURS, UNKNOWN, label_for, width, word_for

if TYPE_CHECKING:
    from flask import Blueprint

    from bot.models import Run
    from bot.pages.site import Site

DEFAULT_BRANCH = "main"
PUBLIC = "public, max-age=60"


def add_to(pages: Blueprint, site: Site) -> None:
    """Serve badges."""

    @pages.get("/badge/<owner>/<name>/<pipeline>.svg")
    def badge(owner: str, name: str, pipeline: str) -> Response:
        branch = request.args.get("branch", "") or DEFAULT_BRANCH
        try:
            run = _run(site, f"{owner}/{name}", pipeline, branch)
        except StoreUnavailable:
            response = _picture(pipeline, UNKNOWN, 503)
            response.headers["Retry-After"] = str(RETRY_SECONDS)
            return response
        response = _picture(pipeline, word_for(run))
        # What is unknown to one viewer may be there for another.
        if not site.gate.who() and (run is None or not run.repository.private):
            response.headers["Cache-Control"] = PUBLIC
        return conditional(response)


def _run(site: Site, repository: str, pipeline: str, branch: str) -> Run | None:
    if "\0" in repository + pipeline + branch:
        return None
    run = site.lister.latest(repository, pipeline, branch)
    return run if run is not None and site.gate.may_read(run.repository) else None


def _picture(pipeline: str, word: str, status: int = 200) -> Response:
    label = label_for(pipeline)
    picture = render_template(
        "badge.svg", label=label, word=word, colour=COLOURS[word], left=width(label), right=width(word)
    )
    return Response(picture, status, mimetype="image/svg+xml")
