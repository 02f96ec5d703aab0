"""Deliveries that are not GitHub's: of its size and shape, signed, of an action that starts nothing."""

from __future__ import annotations

import hashlib
import hmac
import json

SECRET = "a secret for webhooks in the bench"
BYTES = 24 * 1024
"""What GitHub sends for a pull request, give or take 20 %."""
_FIELD = "https://api.github.example/repos/an-owner/a-repository/an-endpoint"


def body(number: int = 1) -> bytes:
    """A payload of `BYTES` about that pull request, of about as many fields as GitHub's have."""
    payload: dict[str, object] = {
        "action": "assigned",
        "number": number,
        "repository": {
            "id": 1,
            "full_name": "an-owner/a-repository",
            "private": False,
            "clone_url": "https://github.example/an-owner/a-repository.git",
        },
        "sender": {"login": "developer", "id": 2},
        "label": {"name": "an unimportant one"},
    }
    pull: dict[str, object] = {"number": number, "title": "A change"}
    payload["pull_request"] = pull
    while (missing := BYTES - len(_written(payload))) > len(_FIELD) + 20:
        pull[f"field_{len(pull)}_url"] = _FIELD
    pull["body"] = "x" * (missing - len(',"body":""'))
    return _written(payload)


def headers(delivery: str, content: bytes) -> dict[str, str]:
    """GitHub's headers for that payload."""
    signature = hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/bench",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": "pull_request",
        "X-Hub-Signature-256": f"sha256={signature}",
    }


def _written(payload: object) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()
