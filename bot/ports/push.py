"""What tells Google's own requests from everybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class IdentityTokens(Protocol):
    """Verifies tokens by which Google's services say as whom they come."""

    def claims(self, token: str, audience: str) -> Mapping[str, object]:
        """The claims of a token that Google signed, for that audience, and that is valid now.

        Raises:
            TokenRefused: it is anything else.
            CertificatesUnavailable: Google's certificates can't be had, so that nobody can say.
        """
        ...
