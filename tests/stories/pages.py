"""Run pages, as whoever follows a link sees them."""

from __future__ import annotations

import re

import requests

_SECONDS = 10.0


def page_at(url: str | None) -> requests.Response:
    """What the address shows."""
    assert url is not None
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=_SECONDS)


def pages_in(text: str) -> list[str]:
    """The run pages that a text links to."""
    return re.findall(r"\((http://[^()\s]+/runs/[0-9a-f]{32})\)", text)
