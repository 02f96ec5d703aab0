"""What is worked out of the settings where everything is put together."""

from __future__ import annotations

import pytest

from bot.bootstrap.parts import web_address


@pytest.mark.parametrize(
    ("api_url", "web_url"),
    [
        pytest.param("https://api.github.com", "https://github.com", id="github.com"),
        pytest.param("https://api.acme.ghe.com", "https://acme.ghe.com", id="with-data-residency"),
        pytest.param("https://github.acme.example/api/v3", "https://github.acme.example", id="own-server"),
        pytest.param("https://api.acme.example/api/v3", "https://api.acme.example", id="called-api"),
        pytest.param("http://127.0.0.1:8000", "http://127.0.0.1:8000", id="stand-in"),
    ],
)
def test_people_see_on_the_web_what_the_api_tells(api_url: str, web_url: str) -> None:
    """Runs of private repositories are cloned from there alone."""
    assert web_address(api_url) == web_url
