"""Who a caller is (personal token, App, installation, nobody), and what they may do."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from .responses import ApiError, not_found
from .state import InstallationToken, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .sign_in import UserToken
    from .state import Account, App, Installation, Repository, World

LONGEST_JWT = 600
"""Seconds from now that an App's JWT may be valid."""
LEVELS = ("none", "read", "write", "admin")


@dataclass(frozen=True)
class Caller:
    """Who asks. Nobody is anonymous; with `app` alone it is the App itself, by its JWT.

    `through` is what an App was given to act as the `account`, a person.
    """

    account: Account | None = None
    app: App | None = None
    token: InstallationToken | None = None
    through: UserToken | None = None

    @property
    def key(self) -> str:
        """Whose quota this costs."""
        if self.token:
            return f"installation:{self.token.installation.id}"
        if self.app:
            return f"app:{self.app.id}"
        return f"user:{self.account.login}" if self.account else "anonymous"

    def sees(self, repository: Repository) -> bool:
        """Whether the caller may know that a repository exists."""
        if self.token:
            return self.token.covers(repository) or not repository.private
        if self.through and repository.private and not self.through.covers(repository):
            return False
        return repository.allows(self.account, "read")

    def require(self, repository: Repository, permission: str, level: str, role: str) -> None:
        """403 for an installation without a permission, 404 for a person without a role."""
        if self.account is None:
            raise ApiError(401, "Requires authentication")
        if self.token:
            self._require_of_app(self.token, self.token.permissions, repository, permission, level)
            return
        if not repository.allows(self.account, role):
            raise not_found()
        if self.through:
            granted = self.through.app.permissions
            self._require_of_app(self.through, granted, repository, permission, level)

    @staticmethod
    def _require_of_app(
        token: InstallationToken | UserToken,
        granted: Mapping[str, str],
        repository: Repository,
        permission: str,
        level: str,
    ) -> None:
        has = granted.get(permission, "none")
        if not token.covers(repository) or LEVELS.index(has) < LEVELS.index(level):
            raise ApiError(403, "Resource not accessible by integration")

    def person(self) -> Account:
        """The account that a write is made as; 401 for nobody."""
        if self.account is None:
            raise ApiError(401, "Requires authentication")
        return self.account

    def as_app(self) -> App:
        """The App, when the caller showed its JWT; GitHub answers 401 to any other token."""
        if self.app is None or self.token:
            raise ApiError(401, "A JSON web token could not be decoded")
        return self.app


def authenticate(world: World, header: str) -> Caller:
    """Read an Authorization header; 401 when what it holds is no good."""
    if not header:
        return Caller()
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "basic":
        credentials = basic_credentials(credentials)[1]
    elif scheme.lower() not in ("bearer", "token"):
        raise ApiError(401, "Bad credentials")
    credentials = credentials.strip()
    if credentials.count(".") == 2:
        return Caller(app=_app_of(world, credentials))
    caller = caller_of_token(world, credentials)
    if caller is None:
        raise ApiError(401, "Bad credentials")
    return caller


def caller_of_token(world: World, token: str) -> Caller | None:
    """Whom a personal, installation or user token belongs to, unless it is unknown, expired or revoked."""
    if through := world.user_tokens.get(token):
        return Caller(account=through.account, through=through) if through.good else None
    minted = world.installation_tokens.get(token)
    if minted:
        if minted.revoked or minted.expires_at <= now():
            return None
        refuse_suspended(minted.installation)
        app = minted.installation.app
        return Caller(account=app.bot, app=app, token=minted)
    for account in world.accounts.values():
        if account.token and secrets.compare_digest(account.token, token):
            return Caller(account=account)
    return None


def refuse_suspended(installation: Installation) -> None:
    """403 for whatever a suspended installation asks."""
    if installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")


def basic_credentials(encoded: str) -> tuple[str, str]:
    """Name and password; two empty strings when there is nothing to be read."""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def mint(
    world: World,
    installation: Installation,
    seconds: float,
    repositories: set[int] | None = None,
    permissions: Mapping[str, str] | None = None,
) -> InstallationToken:
    """A new installation token, narrowed to some repositories and permissions if asked."""
    granted = dict(installation.app.permissions)
    for name, level in (permissions or {}).items():
        if LEVELS.index(level) > LEVELS.index(granted.get(name, "none")):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    chosen = {"metadata": "read", **permissions} if permissions else granted
    token = InstallationToken(
        "ghs_" + secrets.token_hex(18), installation, chosen, repositories, now() + seconds
    )
    world.installation_tokens[token.token] = token
    return token


def _app_of(world: World, token: str) -> App:
    undecodable = ApiError(401, "A JSON web token could not be decoded")
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise undecodable from error
    issuer = str(claims.get("iss", ""))
    app = next((each for each in world.apps.values() if issuer in (str(each.id), each.client_id)), None)
    if app is None:
        raise ApiError(404, "Integration not found")
    try:
        jwt.decode(token, app.public_key, algorithms=["RS256"], options={"verify_iss": False})
    except jwt.ExpiredSignatureError as error:
        raise ApiError(
            401, "'Expiration time' claim ('exp') must be a numeric value in the future"
        ) from error
    except jwt.ImmatureSignatureError as error:
        raise ApiError(401, "'Issued at' claim ('iat') must be an Integer in the past") from error
    except jwt.InvalidTokenError as error:
        raise undecodable from error
    if not isinstance(claims.get("iat"), int):
        raise ApiError(401, "Missing 'issued at' claim ('iat') in assertion")
    if not isinstance(claims.get("exp"), int):
        raise ApiError(401, "Missing 'expiration time' claim ('exp') in assertion")
    if claims["exp"] > now() + LONGEST_JWT:
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    return app
