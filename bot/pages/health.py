"""`/healthz`: the process answers. `/readyz`: it can do its work; why not is said inside only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from bot.errors import StoreUnavailable
from bot.pages.when import exactly

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def blueprint(
    check: Callable[[], None], *, internal: bool, unattended: Callable[[], datetime | None] | None = None
) -> Blueprint:
    """Health for one listener; `check` raises StoreUnavailable if not ready, `internal` may tell why.

    `unattended` tells since when no worker is at work. Web is ready without one: what it takes is kept.
    """
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @pages.get("/readyz")
    def readyz() -> Response:
        try:
            check()
        except StoreUnavailable as error:
            return Response(
                f"not ready: {error}\n" if internal else "not ready\n", 503, mimetype="text/plain"
            )
        since = unattended() if internal and unattended is not None else None
        waits = "" if since is None else f"no worker has been at work since {exactly(since)}\n"
        return Response(f"ready\n{waits}", mimetype="text/plain")

    return pages
