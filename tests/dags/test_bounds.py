import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.bounds import MAX_XCOM_BYTES, bounded


def described(*, failures: int = 0, message: str = "", name: str = "t", argv: str = "") -> dict[str, Any]:
    failure = {"message": message, "file": "a.py", "line": 1, "seconds": 0.1}
    tests = {
        "total": 2 * failures,
        "failed": failures,
        "skipped": 0,
        "seconds": 1.0,
        "failures": [{"name": f"{name}{number}", **failure} for number in range(failures)],
        "flaky": [],
        "notes": [],
    }
    return {"argv": argv, "reproduce": argv, "tests": tests, "artifacts": {}}


def size(value: object) -> int:
    return len(json.dumps(value))


def test_what_fits_is_left_as_it_is() -> None:
    whole = described(failures=100, message="m" * 200, argv="x" * 4000)
    assert bounded(whole) is whole


@pytest.mark.parametrize(
    ("given", "shown", "message", "argv"),
    [
        pytest.param({}, 100, 200, 10, id="messages are cut first"),
        pytest.param({"name": "n" * 250}, 100, 100, 10, id="and again"),
        pytest.param({"name": "\u00fc" * 290}, 10, 40, 10, id="then failures left out"),
        pytest.param({"argv": "x" * 23_500}, 10, 40, 23_500, id="commands stay to the last"),
        pytest.param({"argv": "x" * 60_000}, 0, 0, 4_000, id="but not whole at any price"),
    ],
)
def test_what_gives_way_first(given: dict[str, Any], shown: int, message: int, argv: int) -> None:
    small = bounded(described(failures=100, **{"message": "m" * 500, "argv": "x" * 10} | given))
    tests = small["tests"]
    assert size(small) < MAX_XCOM_BYTES
    assert (tests["total"], tests["failed"]) == (200, 100), "counts stay true"
    assert len(tests["failures"]) == shown
    assert max((len(failure["message"]) for failure in tests["failures"]), default=0) == message
    assert len(small["argv"]) == argv


@given(
    failures=st.integers(0, 120),
    message=st.text(max_size=600),
    name=st.text(max_size=300),
    argv=st.sampled_from(["", "x" * 20_000, "\U0001f600" * 20_000]),
    notes=st.lists(st.text(max_size=200), max_size=11),
)
def test_it_always_fits(failures: int, message: str, name: str, argv: str, notes: list[str]) -> None:
    whole = described(failures=failures, message=message, name=name, argv=argv)
    whole["tests"]["notes"] = notes
    assert size(bounded(whole)) < MAX_XCOM_BYTES
