"""`/healthz`: the process answers. `/readyz`: it can do its work; why not is said inside only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from bot.ports import RunReader


def blueprint(reader: RunReader, *, internal: bool) -> Blueprint:
    """Health for one listener; `internal` may tell details."""
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @pages.get("/readyz")
    def readyz() -> Response:
        try:
            reader.check()
        except StoreUnavailable as error:
            return Response(
                f"not ready: {error}\n" if internal else "not ready\n", 503, mimetype="text/plain"
            )
        return Response("ready\n", mimetype="text/plain")

    return pages
