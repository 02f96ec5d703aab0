"""Google as who vouches for others: the only importer of google.auth, but for what Pub/Sub's client does."""

from __future__ import annotations

from bot.adapters.google.certificates import CERTIFICATES_URL, Certificates
from bot.adapters.google.identity_tokens import GoogleIdentityTokens

__all__ = ["CERTIFICATES_URL", "Certificates", "GoogleIdentityTokens"]
