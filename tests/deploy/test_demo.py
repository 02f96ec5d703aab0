"""What the demo expects of its pull requests, and how it shows them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.policy import configuration
from deploy.local.demo_repository import FAILING, FILES, PASSING, PREFLIGHT_YAML, Demonstration
from deploy.local.pull_board import readable
from tests.github_standin.records import Comment, Status

if TYPE_CHECKING:
    from pathlib import Path

DEMONSTRATION = Demonstration(
    branch="b", title="t", files={}, states={"preflight/unit": "failure"}, in_comment=["AssertionError"]
)
STATUS = Status(1, "sha", "preflight/unit", "failure", "test failed", None, "preflight[bot]", 0)
COMMENT = Comment(1, "preflight[bot]", "it failed: AssertionError", 0, 0, [])


def test_nothing_is_amiss_when_all_is_shown() -> None:
    assert DEMONSTRATION.unmet({STATUS.context: STATUS}, [COMMENT]) == []


@pytest.mark.parametrize(
    ("statuses", "comments", "problem"),
    [
        ([], [COMMENT], "preflight/unit shows nothing, should be failure"),
        ([replace(STATUS, state="pending")], [COMMENT], "preflight/unit shows pending, should be failure"),
        ([STATUS], [], "the bot made 0 comments, should be 1"),
        ([STATUS], [COMMENT, COMMENT], "the bot made 2 comments, should be 1"),
        ([STATUS], [replace(COMMENT, body="it failed")], "the bot's comment lacks 'AssertionError'"),
    ],
    ids=["no status", "another status", "no comment", "two comments", "another comment"],
)
def test_what_is_amiss_is_said(statuses: list[Status], comments: list[Comment], problem: str) -> None:
    assert problem in DEMONSTRATION.unmet({status.context: status for status in statuses}, comments)


def test_its_configuration_is_valid() -> None:
    assert set(configuration.parse(PREFLIGHT_YAML.encode()).pipelines) == {"unit", "docs"}


@pytest.mark.parametrize(
    ("demonstration", "passes"), [(PASSING, True), (FAILING, False)], ids=["passing", "failing"]
)
def test_the_repositorys_tests_do_what_they_should(
    tmp_path: Path,
    demonstration: Demonstration,
    passes: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    for path, text in {**FILES, **demonstration.files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "-v", "-s", "tests"],
        cwd=tmp_path,
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode == 0) is passes
    if not passes:
        assert demonstration.in_comment[-1] in run.stderr


def test_a_comment_is_readable_in_a_terminal() -> None:
    markdown = (
        "**failed**\n\n<details><summary>Steps</summary>\n\n\n| a < b |\n\n</details>\n<!-- preflight -->\n"
    )
    assert [line.strip() for line in readable(markdown).splitlines()] == [
        "│ **failed**",
        "│",
        "│ Steps",
        "│",
        "│ | a < b |",
    ]
