from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import Phase
from bot.report.links import Links
from tests.report.examples import REPOSITORY, passed, run


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


def test_what_a_run_left() -> None:
    assert Links("https://ci.example").artifacts("ab12") == "https://ci.example/runs/ab12#artifacts"
    assert Links("").artifacts("ab12") == ""


def test_the_page_of_a_pull_request() -> None:
    links = Links("https://ci.example/")
    assert links.pull_page(REPOSITORY, 12) == "https://ci.example/pr/acme/widgets/12"
    assert links.pull_page(REPOSITORY, -12) == "", "a branch is none"
    assert Links("").pull_page(REPOSITORY, 12) == ""


def test_a_run_in_airflow() -> None:
    links = Links("", "https://airflow.example/")
    there = replace(run(), dag_id="che cks", dag_run_id="preflight~1/2")
    assert links.airflow_run(there) == "https://airflow.example/dags/che%20cks/runs/preflight~1%2F2"
    assert links.airflow_run(run(phase=Phase.WANTED)) == "", "it is not there yet"
    assert Links("https://ci.example").airflow_run(there) == ""
