"""Signing in with an App: the codes that people's browsers carry, and the tokens that they are traded for."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .state import now

if TYPE_CHECKING:
    from .state import Account, App, Repository, World

CODE_SECONDS = 600.0
REFRESH_SECONDS = 15_897_600
"""Six months."""


class SignInError(Exception):
    """A request that GitHub answers with an error's name and words."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


@dataclass(frozen=True)
class Code:
    """What a browser carries back to the App; `challenge` is PKCE's, "" without."""

    app: App
    account: Account
    redirect_uri: str
    challenge: str
    expires_at: float


@dataclass(eq=False)
class UserToken:
    """What an App may do as a person: no more than both of them may."""

    token: str
    refresh_token: str
    app: App
    account: Account
    expires_at: float
    revoked: bool = False

    @property
    def good(self) -> bool:
        """Whether it is neither expired nor revoked."""
        return not self.revoked and self.expires_at > now()

    def covers(self, repository: Repository) -> bool:
        """Whether the App is installed on a repository."""
        installed = (each for each in self.app.installations if each.covers(repository))
        return any(each.suspended_at is None for each in installed)


def find_app(world: World, client_id: str) -> App | None:
    """The App that people sign in with by this name."""
    return next((app for app in world.apps.values() if app.client_id == client_id), None)


def issue_code(world: World, app: App, account: Account, redirect_uri: str, challenge: str = "") -> str:
    """A person agreed: a code for one use, good for ten minutes."""
    code = secrets.token_hex(10)
    world.codes[code] = Code(app, account, redirect_uri, challenge, now() + CODE_SECONDS)
    return code


def trade_code(world: World, app: App, form: dict[str, str], seconds: float) -> UserToken:
    """The token for a code, which is then worth nothing more."""
    code = world.codes.pop(form.get("code", ""), None)
    if code is None or code.app is not app or code.expires_at <= now():
        raise SignInError("bad_verification_code", "The code passed is incorrect or expired.")
    if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
        raise mismatch()
    if code.challenge and _challenge(form.get("code_verifier", "")) != code.challenge:
        raise SignInError("bad_verification_code", "The code passed is incorrect or expired.")
    return _new_token(world, app, code.account, seconds)


def refresh(world: World, app: App, refresh_token: str, seconds: float) -> UserToken:
    """A new token in the place of an old one."""
    for old in list(world.user_tokens.values()):
        if old.refresh_token == refresh_token and old.app is app and not old.revoked:
            old.revoked = True
            return _new_token(world, app, old.account, seconds)
    raise SignInError("bad_refresh_token", "The refresh token passed is incorrect or expired.")


def revoke(world: World, login: str) -> None:
    """Make one person's tokens invalid (all, if empty), as when the person revokes what an App may."""
    for token in world.user_tokens.values():
        token.revoked = token.revoked or login.lower() in ("", token.account.login.lower())


def mismatch() -> SignInError:
    """The App was registered with another address."""
    words = "The redirect_uri MUST match the registered callback URL for this application."
    return SignInError("redirect_uri_mismatch", words)


def _new_token(world: World, app: App, account: Account, seconds: float) -> UserToken:
    token = UserToken(
        "ghu_" + secrets.token_hex(18), "ghr_" + secrets.token_hex(38), app, account, now() + seconds
    )
    world.user_tokens[token.token] = token
    return token


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
