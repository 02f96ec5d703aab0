"""Run pages, as whoever follows a link sees them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from tests.github_standin import Standin
    from tests.stories.bots import Bot

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


class Browser:
    """Somebody's browser at one bot's pages, which keeps cookies."""

    def __init__(self, bot: Bot) -> None:
        self.home = bot.parts.ports.public_url
        self._session = requests.Session()
        self._session.trust_env = False

    def open(self, path: str, **query: str) -> requests.Response:
        """Follow a link: a path, or a whole address."""
        url = path if urlsplit(path).netloc else f"{self.home}{path}"
        return self._session.get(url, params=query, timeout=_SECONDS)

    def sign_in(self, page: requests.Response, github: Standin, login: str) -> requests.Response:
        """Follow the page's link to sign in, through GitHub and back."""
        found = re.search(r'href="(/sign-in\?[^"]+)"', page.text)
        assert found, page.text
        url = self.home + found[1].replace("&amp;", "&")
        leave = self._session.get(url, allow_redirects=False, timeout=_SECONDS)
        return self.open(github.continue_as(login, leave.headers["Location"]))

    def sign_out(self) -> requests.Response:
        """Press the button."""
        return self._session.post(f"{self.home}/sign-out", timeout=_SECONDS)
