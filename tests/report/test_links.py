from __future__ import annotations

from dataclasses import replace

import pytest

from bot.report.links import Links
from tests.report.examples import passed


@pytest.mark.parametrize(
    ("public_url", "page"),
    [
        pytest.param("https://ci.example", "https://ci.example/runs/ab12", id="plain"),
        pytest.param("https://ci.example/", "https://ci.example/runs/ab12", id="trailing slash"),
        pytest.param("http://[::1]:8080/p", "http://[::1]:8080/p/runs/ab12", id="IPv6 and path"),
        pytest.param(
            "https://ci.example/a(b) c|", "https://ci.example/a%28b%29%20c%7C/runs/ab12", id="Markdown"
        ),
        pytest.param("", "", id="no public address"),
    ],
)
def test_the_page_of_a_run(public_url: str, page: str) -> None:
    assert Links(public_url).run_page("ab12") == page


def test_the_log_of_a_step() -> None:
    links = Links("https://ci.example")
    step = passed("checks.run", 0, 1)
    assert links.step_log("ab12", step) == "https://ci.example/runs/ab12#step-checks.run"
    mapped = replace(step, map_index=2, name="lint")
    assert links.step_log("ab12", mapped) == "https://ci.example/runs/ab12#step-checks.run-2"
    assert Links("").step_log("ab12", step) == ""
