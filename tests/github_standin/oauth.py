"""Where people sign in with an App: they say who they are, as nobody has a password here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, jsonify, redirect, request

from . import sign_in
from .client import COOKIE
from .hub import hub
from .pages import POLICY, lost, page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from .state import Account, App, Json

routes = Blueprint("oauth", __name__)
DOCUMENTATION = "/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/"
ACCOUNTS = ("prompt", "select_account")
"""What an App adds to the address to have people asked who they are even when they are signed in."""


@routes.get("/login/oauth/authorize")
def authorize() -> AnyResponse:
    """Ask who is there; whoever is signed in already (by cookie, or `?login=`) goes back at once."""
    app = _app_asked_for()
    if app is None:
        return lost()
    if problem := _wrong_address(app):
        return problem
    known = request.args.get("login") or request.cookies.get(COOKIE, "")
    person = hub().world.accounts.get(known.lower())
    if person and person.type == "User" and request.args.get(ACCOUNTS[0]) != ACCOUNTS[1]:
        return _go_back(app, person)
    response = page("sign_in.html", app=app, query=request.query_string.decode())
    # A form's answer leads to the App's address: browsers want that said.
    response.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", "form-action *")
    return response


@routes.post("/login/oauth/authorize")
def agree() -> AnyResponse:
    """A button: somebody continues, or nobody wants to."""
    app = _app_asked_for()
    if app is None:
        return lost()
    if problem := _wrong_address(app):
        return problem
    if not request.form.get("login"):
        return _send_back(app, _error("access_denied", "The user has denied your application access."))
    person = hub().world.account(request.form["login"])
    response = _go_back(app, person)
    response.set_cookie(COOKIE, person.login, httponly=True, samesite="Lax")
    return response


@routes.post("/login/oauth/access_token")
def access_token() -> Response:
    """A token for a code, or for a refresh token. Errors have status 200, as on GitHub."""
    form = {**request.args, **request.form, **(request.get_json(silent=True) or {})}
    try:
        answer = _answer(form)
    except sign_in.SignInError as error:
        answer = _error(error.name, str(error))
    if "json" in request.headers.get("Accept", ""):
        return jsonify(answer)
    return Response(urlencode(answer), mimetype="application/x-www-form-urlencoded")


@routes.get("/login")
def who() -> Response:
    """Who is signed in in this browser, and who else could be."""
    return page("sign_in.html", app=None, query="", signed_in=request.cookies.get(COOKIE, ""))


@routes.post("/login")
def become() -> AnyResponse:
    """Sign in on the stand-in itself, or out (nobody)."""
    response = redirect("/login", 303)
    response.set_cookie(COOKIE, request.form.get("login", ""), httponly=True, samesite="Lax")
    return response


def _answer(form: dict[str, str]) -> Json:
    world, seconds = hub().world, hub().limits.user_token_seconds
    app = sign_in.find_app(world, form.get("client_id", ""))
    if app is None or not secrets.compare_digest(form.get("client_secret", ""), app.client_secret):
        words = "The client_id and/or client_secret passed are incorrect."
        raise sign_in.SignInError("incorrect_client_credentials", words)
    if form.get("grant_type") == "refresh_token":
        made = sign_in.refresh(world, app, form.get("refresh_token", ""), seconds)
    else:
        made = sign_in.trade_code(world, app, form, seconds)
    return {
        "access_token": made.token,
        "expires_in": int(seconds),
        "refresh_token": made.refresh_token,
        "refresh_token_expires_in": sign_in.REFRESH_SECONDS,
        "scope": "",
        "token_type": "bearer",
    }


def _app_asked_for() -> App | None:
    """The App, if people can sign in with it at all."""
    app = sign_in.find_app(hub().world, request.args.get("client_id", ""))
    return app if app and app.callback_url else None


def _wrong_address(app: App) -> AnyResponse | None:
    """A way back that is not the App's own: the App is told, at its own."""
    if request.args.get("redirect_uri", app.callback_url) == app.callback_url:
        return None
    error = sign_in.mismatch()
    return _send_back(app, _error(error.name, str(error)))


def _go_back(app: App, person: Account) -> AnyResponse:
    code = sign_in.issue_code(
        hub().world, app, person, app.callback_url, request.args.get("code_challenge", "")
    )
    return _send_back(app, {"code": code})


def _send_back(app: App, told: Json) -> AnyResponse:
    """To the App's address, with the state that it gave along."""
    if state := request.args.get("state"):
        told["state"] = state
    parts = urlsplit(app.callback_url)
    query = urlencode([*parse_qsl(parts.query), *told.items()])
    return redirect(urlunsplit(parts._replace(query=query)), 302)


def _error(name: str, words: str) -> Json:
    return {"error": name, "error_description": words, "error_uri": f"{DOCUMENTATION}#{name}"}
