"""Remarks beside the changed lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Annotation, AnnotationLevel, Outcome, Run, StepState, TestFailure, TestResults
from bot.report.checks.annotations import annotate, remarks, repository_path
from tests.report.examples import failed, passed, run, step
from tests.report.hostile import hostile_text

FAILURE, WARNING = AnnotationLevel.FAILURE, AnnotationLevel.WARNING
TOKEN = "ghp_" + "a1B2" * 9
ALL = [range(1, 1000)]


def red(*lines: str, tests: tuple[TestFailure, ...] = (), outcome: Outcome = Outcome.FAILURE) -> Run:
    """A run whose one step failed with this excerpt and these tests."""
    results = TestResults(len(tests), len(tests), failures=tests)
    return run("unit", failed("test", excerpt=lines, tests=results), outcome=outcome)


def test_a_failing_test_and_a_compiler_s_error() -> None:
    of = red(
        "src/app.c:12:5: error: no x",
        tests=(TestFailure("test_add", "assert 1 == 2\nline 2", "tests/test_app.py", 7),),
    )
    assert annotate(remarks(of), {"src/app.c": ALL, "tests/test_app.py": ALL}) == [
        Annotation("tests/test_app.py", 7, 7, FAILURE, "assert 1 == 2\nline 2", "test_add"),
        Annotation("src/app.c", 12, 12, FAILURE, "error: no x", "test"),
    ]


def test_errors_come_before_warnings_and_steps_in_their_order() -> None:
    of = run(
        "unit",
        failed("lint", excerpt=("a.c:1: warning: w1", "a.c:2: error: e1")),
        failed("build", excerpt=("a.c:3: warning: w2", "a.c:4: error: e2")),
        outcome=Outcome.FAILURE,
    )
    assert [remark.line for remark in remarks(of)] == [2, 4, 1, 3]


def test_what_a_test_said_its_log_need_not_repeat() -> None:
    of = red(
        "/w/tests/test_app.py:7: AssertionError",
        tests=(TestFailure("test_add", "assert 1 == 2", "tests/test_app.py", 7),),
    )
    assert [remark.message for remark in remarks(of)] == ["assert 1 == 2"]


def test_the_same_is_said_once() -> None:
    of = red("a.c:1: error: x", "a.c:1: error: x", "a.c:1: error: y")
    assert [one.message for one in annotate(remarks(of), {"a.c": ALL})] == ["error: x", "error: y"]


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(run("unit", failed("test", excerpt=("a.c:1: error: x",))), id="still running"),
        pytest.param(red("a.c:1: error: x", outcome=Outcome.CANCELLED), id="cancelled"),
        pytest.param(run("unit", passed("test", 0, 1), outcome=Outcome.SUCCESS), id="green"),
        pytest.param(
            run("unit", step("t", StepState.CANCELLED, excerpt=("a.c:1: error: x",)), outcome=Outcome.ERROR),
            id="of a step that did not fail",
        ),
        pytest.param(red(tests=(TestFailure("t", "m", "", 3), TestFailure("u", "m", "a.py"))), id="nowhere"),
    ],
)  # fmt: skip
def test_nothing_is_to_be_said(of: Run) -> None:
    assert remarks(of) == []


@pytest.mark.parametrize(
    ("path", "file"),
    [
        pytest.param("src/app.py", "src/app.py", id="as it is"),
        pytest.param("./src/app.py", "src/app.py", id="from here"),
        pytest.param("/srv/airflow/work/ab12/src/app.py", "src/app.py", id="absolute"),
        pytest.param("C:\\agent\\src\\app.py", "src/app.py", id="on Windows"),
        pytest.param("app.py", "src/app.py", id="from a folder below"),
        pytest.param("conftest.py", None, id="which of two"),
        pytest.param("a/conftest.py", "a/conftest.py", id="exactly one of two"),
        pytest.param("/w/b/conftest.py", "b/conftest.py", id="one of two, absolute"),
        pytest.param("/usr/lib/python3/app.py", None, id="somebody else's of that name"),
        pytest.param("srcapp.py", None, id="a part of a name"),
        pytest.param("../src/app.py", None, id="climbing"),
        pytest.param("", None, id="nothing"),
        pytest.param("/", None, id="the root"),
    ],
)
def test_which_file_is_meant(path: str, file: str | None) -> None:
    assert repository_path(path, ["src/app.py", "a/conftest.py", "b/conftest.py"]) == file


@given(hostile_text, hostile_text, st.integers(1, 10**6))
def test_whatever_tools_say_github_takes(name: str, message: str, line: int) -> None:
    failure = TestFailure(name * 50, f"{message} {TOKEN} " * 200, "a.py", line)
    (one,) = annotate(remarks(red(tests=(failure,))), {"a.py": [range(line, line + 1)]})
    assert 0 < len(one.message.encode()) <= 65_535
    assert len(one.title) <= 255
    assert TOKEN not in one.message
    assert one.start_line == one.end_line == line
    assert "\n" not in one.title
