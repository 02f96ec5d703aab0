"""Checks run at once, bounded in time; what is wrong with one hides no other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bot.doctor import Check, Diagnosis, Verdict, examine
from bot.doctor.findings import broken, fine, skipped, warning
from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.doctor import Finding

WELL = (fine("well"),)
SOON = 0.05  # seconds: long enough for what answers at once


def check(
    name: str, look: Callable[[], tuple[Diagnosis, ...]] = lambda: WELL, needs: tuple[str, ...] = ()
) -> Check:
    return Check("part", name, look, "do something", needs)


def found(*checks: Check, patience: float = 10.0) -> dict[str, Finding]:
    return {one.name: one for one in examine(checks, lambda text: text, patience)}


def raising(error: Exception) -> Callable[[], tuple[Diagnosis, ...]]:
    def look() -> tuple[Diagnosis, ...]:
        raise error

    return look


def test_findings_come_in_the_order_of_the_checks_several_of_one_together() -> None:
    checks = [
        check("a", needs=("part.c",)),
        check("b", lambda: (fine("one"), warning("two", "mend"))),
        check("c"),
    ]

    findings = examine(checks, lambda text: text)

    assert [(one.name, one.said) for one in findings] == [
        ("a", "well"),
        ("b", "one"),
        ("b", "two"),
        ("c", "well"),
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(StoreUnavailable("the database does not answer"), "does not answer", id="expected"),
        pytest.param(ValueError("what"), "nobody expected: ValueError: what", id="unexpected"),
        pytest.param(RecursionError(), "nobody expected: RecursionError", id="deep"),
    ],
)
def test_an_error_is_a_finding_and_hides_no_other(error: Exception, words: str) -> None:
    findings = found(check("a", raising(error)), check("b"))

    assert findings["a"].verdict is Verdict.BROKEN
    assert words in findings["a"].said
    assert "do something" in findings["a"].mend
    assert findings["b"].verdict is Verdict.OK


def test_one_that_hangs_is_left_behind() -> None:
    never = threading.Event()

    def hang() -> tuple[Diagnosis, ...]:
        never.wait()
        return WELL

    findings = found(check("hangs", hang), check("other"), patience=SOON)

    assert (findings["hangs"].verdict, findings["hangs"].said) == (
        Verdict.BROKEN,
        f"did not answer within {SOON} s",
    )
    assert findings["hangs"].mend == "do something"
    assert findings["other"].verdict is Verdict.OK
    never.set()


def test_checks_run_at_once() -> None:
    together = threading.Barrier(5)

    def meet() -> tuple[Diagnosis, ...]:
        together.wait(10)
        return WELL

    findings = found(*(check(str(number), meet) for number in range(5)))

    assert {one.verdict for one in findings.values()} == {Verdict.OK}


@pytest.mark.parametrize(
    ("need", "looked"),
    [
        pytest.param(WELL, True, id="fine"),
        pytest.param((warning("hm", "mend"),), True, id="warning"),
        pytest.param((broken("oh", "mend"),), False, id="broken"),
        pytest.param((fine("one"), broken("oh", "mend")), False, id="in part broken"),
        pytest.param((skipped("not here"),), False, id="skipped"),
    ],
)
def test_what_needs_another_is_looked_at_only_where_that_is_well(
    *, need: tuple[Diagnosis, ...], looked: bool
) -> None:
    findings = found(
        check("a", lambda: need), check("b", needs=("part.a",)), check("c", needs=("part.b", "part.a"))
    )

    assert [findings[name].verdict is Verdict.OK for name in "bc"] == [looked, looked]
    if not looked:
        assert findings["b"].said == "not looked at: see 'a'"


def test_a_need_that_is_not_among_the_checks_is_taken_to_be_met() -> None:
    assert found(check("a", needs=("other.thing",)))["a"].verdict is Verdict.OK


def test_needs_in_a_circle_end() -> None:
    findings = found(check("a", needs=("part.b",)), check("b", needs=("part.a",)))

    assert {one.verdict for one in findings.values()} == {Verdict.OK}


def test_what_was_said_before_an_error_counts() -> None:
    def look() -> Iterator[Diagnosis]:
        yield warning("one", "mend")
        raise StoreUnavailable("two")

    findings = examine([Check("part", "a", look, "do something")], lambda text: text)

    assert [one.said for one in findings] == ["one", "two"]


def test_nothing_said_is_not_looked_at() -> None:
    assert found(check("a", lambda: ()))["a"].verdict is Verdict.SKIPPED


def test_secrets_are_taken_out_of_all_that_is_said() -> None:
    look = raising(ValueError("password hunter2"))
    [one] = examine([Check("part", "a", look, "try hunter2")], lambda text: text.replace("hunter2", "***"))

    assert "hunter2" not in one.said + one.mend
    assert "***" in one.said
