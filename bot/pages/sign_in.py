"""Signing in with GitHub, so that pages of private repositories open for who may read those there."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, g, redirect, render_template, request

from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, Temporary

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from bot.models import Repository
    from bot.pages.sessions import Seal, Session
    from bot.ports import RunLister, Viewers

STATE_SECONDS = 600
"""How long somebody may take to sign in at GitHub."""

PATIENCE = 2.0
"""Seconds that one view waits for GitHub's word about repositories; a later view of a list asks on."""

AT_ONCE = 2
"""Web threads of a process that may wait for it at once: webhooks need the others."""

SILENCE = 10.0
"""Seconds for which GitHub is not asked again once it did not answer."""

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
"""A path of our own: nothing that a browser takes for another host's."""

log = logging.getLogger(__name__)


class GitHubGate:
    """Private repositories open for viewers who signed in and may read them on GitHub."""

    def __init__(
        self,
        seal: Seal,
        viewers: Viewers,
        lister: RunLister,
        cookie: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seal = seal
        self._viewers = viewers
        self._lister = lister
        self._cookie = cookie
        self._clock = clock
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._silent_until = 0.0

    def may_read(self, repository: Repository) -> bool:
        """Whether it is public, or the viewer may read it on GitHub.

        While GitHub does not answer, a private one stays closed.
        """
        return not repository.private or bool(self._ask(repository))

    def readable(self, only: str = "") -> frozenset[int]:
        """The ids of those private repositories with runs that the viewer may read, `only` of that name.

        What GitHub did not tell within a few seconds is left out, and asked by the next view.
        """
        if self._session() is None:
            return frozenset()
        deadline = self._clock() + PATIENCE
        found = set()
        for repository in self._lister.private_repositories():
            if only and repository.full_name.lower() != only.lower():
                continue
            told = self._ask(repository)
            if told:
                found.add(repository.id)
            if told is None or self._clock() > deadline:
                break
        return frozenset(found)

    def _ask(self, repository: Repository) -> bool | None:
        """GitHub's word (the adapter remembers it for some minutes), None where there is none for now."""
        session = self._session()
        if session is None:
            return False
        if self._clock() < self._silent_until or not self._turns.acquire(timeout=PATIENCE):
            return None
        try:
            return self._viewers.can_read(session.token, repository)
        except (GitHubRefused, GitHubNotFound):
            g.preflight_session = None  # the token was revoked
            return False
        except GitHubRateLimited:
            return None  # the viewer's own requests are used up, nobody else's
        except Temporary as error:
            log.warning("nobody can be shown %s for now: %s", repository.full_name, error)
            self._silent_until = self._clock() + SILENCE
            return None
        finally:
            self._turns.release()

    def sign_in_path(self, back: str) -> str:
        """Where to sign in, empty for who did."""
        return "" if self._session() is not None else f"/sign-in?back={quote(back, safe='/')}"

    def who(self) -> str:
        """The viewer's login, empty for who did not sign in."""
        session = self._session()
        return "" if session is None else session.login

    def _session(self) -> Session | None:
        """The viewer's, read once a request."""
        if "preflight_session" not in g:
            g.preflight_session = self._seal.open_session(request.cookies.get(self._cookie, ""))
        session: Session | None = g.preflight_session
        return session


def cookie_name(public_url: str) -> str:
    """The session's cookie; over TLS, one that no neighbour's host can set."""
    return "__Host-preflight" if public_url.startswith("https:") else "preflight"


def blueprint(seal: Seal, viewers: Viewers, public_url: str) -> Blueprint:
    """Where people are sent to GitHub, come back from it, and sign out."""
    pages = Blueprint("sign_in", __name__)
    cookie = cookie_name(public_url)
    state_cookie = f"{cookie}-state"
    secure = public_url.startswith("https:")
    back_here = f"{public_url}/signed-in"

    def keep(response: Response, name: str, text: str, seconds: int) -> Response:
        response.set_cookie(
            name, text, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/"
        )
        return response

    @pages.get("/sign-in")
    def sign_in() -> Response:
        back = request.args.get("back", "/")
        state = secrets.token_urlsafe(24)
        held = {"state": state, "back": back if _PATH.fullmatch(back) else "/"}
        leave = redirect(viewers.sign_in_url(state, back_here))
        return keep(leave, state_cookie, seal.put(held), STATE_SECONDS)

    @pages.get("/signed-in")
    def signed_in() -> Response | tuple[str, int]:
        held = seal.get(request.cookies.get(state_cookie, ""))
        state, back = str(held.get("state", "")), str(held.get("back", "/"))
        if not state or not hmac.compare_digest(state.encode(), request.args.get("state", "").encode()):
            return _failed("This sign-in was not begun here, or too long ago.")
        try:
            token, seconds = viewers.token_for(request.args.get("code", ""), back_here)
            sealed, _ = seal.session(viewers.login(token), token, seconds)
        except (GitHubRefused, GitHubNotFound) as error:
            log.warning("a sign-in failed: %s", error)
            return _failed("GitHub did not confirm who you are.")
        except Temporary as error:
            log.warning("a sign-in has to wait: %s", error)
            return _failed("GitHub does not answer right now.")
        welcome = redirect(back)
        welcome.delete_cookie(state_cookie, secure=secure, httponly=True, samesite="Lax", path="/")
        return keep(welcome, cookie, sealed, round(seconds))

    @pages.post("/sign-out")
    def sign_out() -> Response:
        leave = redirect("/", code=303)
        if request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none"):
            leave.delete_cookie(cookie, secure=secure, httponly=True, samesite="Lax", path="/")
        return leave

    return pages


def _failed(why: str) -> tuple[str, int]:
    return render_template("not_signed_in.html", why=why), 403
