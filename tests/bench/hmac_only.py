"""The least that a receiver of webhooks can do: verify the signature, store nothing, answer 202.

Served by the same gunicorn as the bot's web, it is what `accepted.py` compares with.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from tests.bench.webhook import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A WSGI application."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    verified = hmac.compare_digest(signature, environ.get("HTTP_X_HUB_SIGNATURE_256", ""))
    answer = b"verified\n" if verified else b"not verified\n"
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))]
    start_response("202 Accepted" if verified else "401 Unauthorized", headers)
    return [answer]
