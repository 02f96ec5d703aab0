"""Old addresses: renamed repositories redirect (301 on GET, 307 on writes) to an address by id that lasts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .request_log import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .state import World

BY_ID = re.compile(rf"{PREFIX}/repositories/(\d+)(/.*)?")
BY_NAME = re.compile(rf"{PREFIX}/repos/([^/]+/[^/]+)(/.*)?")
LEGACY_STATUSES = re.compile(rf"({PREFIX}/repos/[^/]+/[^/]+)/statuses/([^/]+)")
"""Where statuses were read in the past; PyGithub still does."""
READS = ("GET", "HEAD")


class Renames:
    """A WSGI middleware that serves `/repositories/ID/...` and redirects old names there."""

    def __init__(self, app: WSGIApplication, world: World) -> None:
        self.app = app
        self.world = world

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Redirect, or hand on."""
        with self.world.lock:
            moved_to = self._moved_to(environ)
        if moved_to:
            return self._redirect(environ, start_response, moved_to)
        return self.app(environ, start_response)

    def _moved_to(self, environ: WSGIEnvironment) -> str | None:
        """Where an old name leads; an address by id, or a legacy one, is turned into today's."""
        path = environ["PATH_INFO"]
        if by_id := BY_ID.fullmatch(path):
            repository = self.world.repositories.get(int(by_id[1]))
            if repository:
                environ["PATH_INFO"] = f"{PREFIX}/repos/{repository.full_name}{by_id[2] or ''}"
        elif (by_name := BY_NAME.fullmatch(path)) and not self.world.find_repository(by_name[1]):
            moved = self.world.renamed.get(by_name[1].lower())
            if moved is not None:
                return f"/repositories/{moved}{by_name[2] or ''}"
        legacy = LEGACY_STATUSES.fullmatch(environ["PATH_INFO"])
        if legacy and environ["REQUEST_METHOD"] in READS:
            environ["PATH_INFO"] = f"{legacy[1]}/commits/{legacy[2]}/statuses"
        return None

    def _redirect(
        self, environ: WSGIEnvironment, start_response: StartResponse, path: str
    ) -> Iterable[bytes]:
        reading = environ["REQUEST_METHOD"] in READS
        status, word = (
            ("301 Moved Permanently", "Moved Permanently")
            if reading
            else (
                "307 Temporary Redirect",
                "Temporary Redirect",
            )
        )
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        url = f"{self.world.api}{path}{query}"
        body = json.dumps(
            {"message": word, "url": url, "documentation_url": "https://docs.github.com/rest"}
        ).encode()
        start_response(
            status,
            [
                ("Content-Type", "application/json; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Location", url),
            ],
        )
        return [body]
