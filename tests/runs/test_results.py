"""A step's XCom is anybody's word: what fits is believed, the rest left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import StepResult, TestFailure, TestResults
from bot.runs.results import MAX_COMMAND, MAX_FAILURES, MAX_NAME, MAX_NOTES, MAX_TEXT, read_result

WHOLE = {
    "version": 1,
    "outcome": "failed",
    "exit_code": 1,
    "reason": "exit 1 after 2s",
    "argv": "python -m steps.checks run",
    "reproduce": "pytest -q",
    "tests": {
        "total": 12,
        "failed": 1,
        "skipped": 2,
        "seconds": 1.5,
        "failures": [
            {
                "name": "tests/test_app.py::test_add",
                "message": "assert 1 == 2",
                "file": "tests/test_app.py",
                "line": 7,
                "seconds": 0.1,
            }
        ],
        "flaky": ["tests/test_app.py::test_net"],
        "notes": ["junit2.xml is not well-formed"],
    },
    "artifacts": {"kept": 3, "bytes": 100, "dropped": "1 file: over the limit"},
}


def test_what_a_step_leaves() -> None:
    assert read_result(WHOLE) == StepResult(
        exit_code=1,
        reason="exit 1 after 2s",
        reproduce="pytest -q",
        argv="python -m steps.checks run",
        tests=TestResults(
            total=12,
            failed=1,
            skipped=2,
            seconds=1.5,
            failures=(
                TestFailure("tests/test_app.py::test_add", "assert 1 == 2", "tests/test_app.py", 7, 0.1),
            ),
            flaky=("tests/test_app.py::test_net",),
            notes=("junit2.xml is not well-formed",),
        ),
        artifacts=3,
        dropped="1 file: over the limit",
    )


@pytest.mark.parametrize("value", [None, "text", 3, [], [WHOLE], True])
def test_another_kind_of_dag_leaves_nothing(value: object) -> None:
    assert read_result(value) == StepResult()


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        (None, None),
        ("none", None),
        ({}, TestResults()),
        ({"total": -1, "failed": True, "skipped": "2"}, TestResults()),
        ({"total": 1, "failed": 3, "skipped": 1}, TestResults(total=4, failed=3, skipped=1)),
        (
            {"failures": [{"name": "a"}, {"name": " "}, {}, 3]},
            TestResults(1, 1, failures=(TestFailure("a"),)),
        ),
        ({"seconds": float("nan")}, TestResults()),
        ({"seconds": float("inf")}, TestResults()),
        ({"seconds": 10**400}, TestResults()),
        ({"failures": [{"name": "a", "line": 0}]}, TestResults(1, 1, failures=(TestFailure("a"),))),
        ({"failures": [{"name": "a", "line": -3}]}, TestResults(1, 1, failures=(TestFailure("a"),))),
    ],
    ids=repr,
)
def test_counts_that_make_no_sense(tests: object, expected: TestResults | None) -> None:
    assert read_result({"tests": tests}).tests == expected


@pytest.mark.parametrize("code", [True, 1.5, "1", 10**30, None])
def test_an_exit_code_is_a_small_number(code: object) -> None:
    assert read_result({"exit_code": code}).exit_code is None


def test_no_text_keeps_a_secret_before_it_is_stored() -> None:
    secret = "hunter2"
    failure = {"name": f"test_{secret}", "message": "x" * (MAX_TEXT - 3) + secret, "file": secret}
    value = {
        "reason": secret,
        "argv": f"run --token={secret}",
        "reproduce": secret,
        "tests": {"failures": [failure], "flaky": [secret], "notes": [secret]},
        "artifacts": {"dropped": secret},
    }
    read = read_result(value, lambda text: text.replace(secret, "***"))
    assert "hun" not in repr(read)
    assert read.argv == "run --token=***"


def test_all_of_it_is_bounded() -> None:
    long = "x" * 100_000
    many = [{"name": f"{number} {long}", "message": long, "file": long} for number in range(1_000)]
    read = read_result(
        {
            "reason": long,
            "argv": long,
            "tests": {"failures": many, "flaky": [long] * 500, "notes": [long] * 50},
        }
    )
    assert (len(read.reason), len(read.argv)) == (MAX_TEXT, MAX_COMMAND)
    assert read.tests is not None
    assert (len(read.tests.failures), len(read.tests.notes)) == (MAX_FAILURES, MAX_NOTES)
    assert {len(failure.name) for failure in read.tests.failures} == {MAX_NAME}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(WHOLE)) | st.text(), inner),
    max_leaves=20,
)


@given(JSON | st.fixed_dictionaries(dict.fromkeys(WHOLE, JSON)))
def test_whatever_json_it_is(value: object) -> None:
    read = read_result(json.loads(json.dumps(value)))
    if read.tests is not None:
        assert 0 <= len(read.tests.failures) <= read.tests.failed <= read.tests.total


def test_a_name_is_told_once() -> None:
    failures = [{"name": "a", "message": "first"}, {"name": "b"}, {"name": "a", "message": "second"}]
    tests = read_result({"tests": {"failed": 3, "failures": failures}}).tests
    assert tests is not None
    assert [(failure.name, failure.message) for failure in tests.failures] == [("a", "first"), ("b", "")]
    assert not tests.complete
