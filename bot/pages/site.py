"""All run pages as one blueprint: lists, runs, logs, badges, and what is said where there is nothing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request, url_for

from bot.errors import StoreUnavailable
from bot.pages import badge, log, overview, pull, run
from bot.pages.answer import back, protect, stamp, unavailable
from bot.pages.listings import ArtifactListings
from bot.pages.text import Cleaner
from bot.pages.when import exactly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from bot.models import Run
    from bot.pages.gate import Gate
    from bot.pages.logs import LogReader
    from bot.ports import ArtifactStore, Clock, PastReader, RunLister, RunReader

RUN_ID = re.compile(r"[0-9a-f]{32}")
STATIC = "pages.static"
_FOREVER = "public, max-age=31536000, immutable"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages are made from. Without `listings` or `past` they do without."""

    reader: RunReader
    lister: RunLister
    logs: LogReader
    gate: Gate
    clock: Clock
    clean: Cleaner
    github_url: str
    airflow_url: str
    listings: ArtifactListings | None
    past: PastReader | None

    def find(self, run_id: str) -> Run:
        """The run, if there is one that the viewer may see; else the page that says nothing."""
        run = self.reader.run(run_id) if RUN_ID.fullmatch(run_id) else None
        if run is None or not self.gate.may_read(run.repository):
            abort(404)
        return run


def blueprint(
    *,
    reader: RunReader,
    lister: RunLister,
    logs: LogReader,
    gate: Gate,
    clock: Clock,
    secrets: Sequence[str],
    github_url: str,
    airflow_url: str,
    artifacts: ArtifactStore | None = None,
    past: PastReader | None = None,
) -> Blueprint:
    """The run pages, and with them the headers and the "not found" of the application they are part of.

    `secrets` are our own, never to be shown. Without an `airflow_url` nothing links to Airflow.
    """
    pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static")
    site = Site(
        reader=reader,
        lister=lister,
        logs=logs,
        gate=gate,
        clock=clock,
        clean=Cleaner(tuple(secrets)),
        github_url=github_url,
        airflow_url=airflow_url,
        listings=None if artifacts is None else ArtifactListings(artifacts),
        past=past,
    )
    for part in (overview, pull, run, log, badge):
        part.add_to(pages, site)
    _add_surroundings(pages, site)
    return pages


def _add_surroundings(pages: Blueprint, site: Site) -> None:
    """Errors, headers, and what all templates use."""
    versions = {path.name: _digest(path) for path in (_HERE / "static").iterdir()}

    def static(name: str) -> str:
        return url_for(STATIC, filename=name, v=versions[name])

    @pages.app_context_processor
    def shared() -> dict[str, object]:
        return {
            "static": static,
            "sign_in": site.gate.sign_in_path(back()),
            "who": site.gate.who(),
            "exactly": exactly,
            "stamp": stamp,
        }

    pages.add_app_template_filter(site.clean.line, "line")

    @pages.app_errorhandler(404)
    def missing(_: Exception) -> tuple[str, int]:
        return render_template("missing.html"), 404

    @pages.errorhandler(StoreUnavailable)
    def database_down(_: Exception) -> Response:
        return unavailable()

    @pages.after_app_request
    def answered(response: Response) -> Response:
        if request.endpoint == STATIC and response.status_code < 400:  # noqa: PLR2004 - HTTP's errors
            current = versions.get(str((request.view_args or {}).get("filename")))
            asked = request.args.get("v")
            response.headers["Cache-Control"] = _FOREVER if asked and asked == current else "no-cache"
        return protect(response)


def _digest(path: Path) -> str:
    """Changes whenever the file does."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
