"""OpenID Connect identity tokens (JWT) that Google signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from bot.errors import TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ISSUERS = ("accounts.google.com", "https://accounts.google.com")
"""https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken"""
SKEW_SECONDS = 10
"""By how much the two clocks may differ."""


class GoogleIdentityTokens:
    """The IdentityTokens port."""

    def __init__(self, certificates: Callable[[str], Mapping[str, str]]) -> None:
        self._certificates = certificates  # by key id, for one key id: Certificates.with_key

    def claims(self, token: str, audience: str) -> Mapping[str, object]:
        """The claims of a token that Google signed, for that audience, and that is valid now."""
        try:
            certificates = self._certificates(_key_id(token))
            claims = jwt.decode(  # type: ignore[no-untyped-call]  # untyped there
                token, certificates, audience=audience, clock_skew_in_seconds=SKEW_SECONDS
            )
        # Odd tokens make the library's parts raise, too: numbers that are none, keys of another kind.
        except (GoogleAuthError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise TokenRefused(f"the token is not valid: {error}") from None
        if claims.get("iss") not in ISSUERS:
            raise TokenRefused("the token is not Google's")
        return cast("Mapping[str, object]", claims)


def _key_id(token: str) -> str:
    header = jwt.decode_header(token)  # type: ignore[no-untyped-call]  # untyped there
    if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise ValueError("it must be signed by RS256 with a key that it names")
    return str(header["kid"])
