"""The REST API's frame: authentication, limits, headers, ETags and errors around every endpoint."""

from __future__ import annotations

import hashlib
import re
import uuid

from flask import Blueprint, Flask, Response, g, jsonify, request

from . import (
    pages,
    rest_apps,
    rest_checks,
    rest_comments,
    rest_compare,
    rest_contents,
    rest_hooks,
    rest_labels,
    rest_organizations,
    rest_pulls,
    rest_repositories,
    rest_statuses,
)
from .auth import Caller, authenticate
from .hub import caller, hub
from .limits import LimitReached
from .request_log import PREFIX
from .responses import ApiError, error_response, not_found
from .state import Refused

FREE = ("/rate_limit",)
FOR_APPS = re.compile("^/app(/|$)|/installation$|^/rate_limit$")
"""What an App may ask with its JWT alone."""
NOT_MODIFIED = 304
AREAS = (
    rest_apps,
    rest_checks,
    rest_comments,
    rest_compare,
    rest_contents,
    rest_hooks,
    rest_labels,
    rest_organizations,
    rest_pulls,
    rest_repositories,
    rest_statuses,
)


def add_rest(app: Flask) -> None:
    """Serve the REST API below `/api/v3`."""
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    api.add_url_rule("/rate_limit", view_func=rate_limit)
    for area in AREAS:
        api.register_blueprint(area.routes)
    api.before_request(admit)
    api.after_request(finish)
    api.register_error_handler(Refused, lambda error: error_response(ApiError(422, str(error))))
    api.register_error_handler(LimitReached, refused_by_limit)
    api.register_error_handler(ApiError, error_response)
    app.register_blueprint(api)
    app.register_error_handler(404, unknown)
    app.register_error_handler(405, unknown)


def admit() -> None:
    """Find out who calls, and whether the limits let them."""
    g.caller, g.spent, g.link = Caller(), False, ""
    g.caller = authenticate(hub().world, request.headers.get("Authorization", ""))
    request.environ["standin.caller"] = caller().key
    path = request.path.removeprefix(PREFIX)
    if caller().app and not caller().token and not FOR_APPS.search(path):
        raise ApiError(401, "Bad credentials")
    if path not in FREE:
        crowd = request.environ.get("standin.crowd", 0)
        hub().limits.spend(caller().key, request.method, path, crowd)
        g.spent = True


def refused_by_limit(error: LimitReached) -> Response:
    """A limit was reached: the request log keeps which."""
    request.environ["standin.limit"] = error.limit
    return error_response(error)


def finish(response: Response) -> Response:
    """Add GitHub's headers; answer 304, for free, to who has seen this before."""
    limits, key = hub().limits, caller().key
    if g.link:
        response.headers["Link"] = g.link
    if request.method == "GET" and response.status_code == 200:
        token = request.headers.get("Authorization", "")
        digest = hashlib.sha256(f"{token}\0{g.link}\0".encode() + response.get_data())
        etag = f'W/"{digest.hexdigest()}"'
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        response.headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP"
        if etag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
            response.set_data(b"")
            response.status_code = NOT_MODIFIED
            if g.spent:
                limits.refund(key)
                g.spent = False
    request.environ["standin.cost"] = int(g.spent)
    if response.mimetype == "application/json":
        response.headers["Content-Type"] = "application/json; charset=utf-8"
    response.headers.extend(limits.headers(key))
    response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
    response.headers["X-GitHub-Request-Id"] = uuid.uuid4().hex[:20].upper()
    version = request.headers.get("X-GitHub-Api-Version")
    if version:
        response.headers["X-GitHub-Api-Version-Selected"] = version
    if caller().account and not (caller().app or caller().through):
        response.headers["X-OAuth-Scopes"] = "repo"
    return response


def rate_limit() -> Response:
    """What is left; asking costs nothing."""
    core = hub().limits.overview(caller().key)
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
    return jsonify({"resources": {"core": core, "search": search}, "rate": core})


def unknown(_: Exception) -> Response:
    """No such endpoint; or, elsewhere, no such page."""
    if request.path.startswith(PREFIX):
        return error_response(not_found())
    return pages.lost()
