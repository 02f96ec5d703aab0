"""Pages as answers: renewed by whoever has them already for the price of a few bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, render_template, request

if TYPE_CHECKING:
    from datetime import datetime

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
RETRY_SECONDS = 5


def page(template: str, **context: object) -> Response:
    """The page; 304 for whoever has it as it is."""
    return conditional(Response(render_template(template, **context), mimetype="text/html"))


def conditional(response: Response) -> Response:
    """The answer with an entity tag, without its body where If-None-Match names that."""
    response.add_etag()
    response.make_conditional(request)
    return response


def unavailable() -> Response:
    """The database does not answer; why is nobody's business outside."""
    response = Response(render_template("unavailable.html"), 503, mimetype="text/html")
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def protect(response: Response) -> Response:
    """The headers of every answer; it may be stricter about itself, and may let itself be kept."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def back() -> str:
    """The path that was asked for, so that signing in can lead back to it."""
    return "/" + request.full_path.removesuffix("?").lstrip("/")


def stamp(time: datetime) -> str:
    """For a machine."""
    return time.isoformat(timespec="seconds")
