"""No text of a run that a report may show keeps a secret, whatever fields are added to it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from bot.models import FlakyTest, Outcome, Past, Run, Step, StepResult, StepState, TestFailure, TestResults
from bot.report.logs.redacted import redacted_past, redacted_run
from tests.report.examples import run
from tests.report.hostile import OWN_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

SAID = f"so {OWN_SECRET} is"
NAMES = {
    "id", "repository", "pipeline", "dag_id", "head_sha", "base_ref", "actor", "branch", "dag_run_id",
    "conf", "inputs", "rules", "task_id",
}  # fmt: skip
"""What a run is known by: nothing that a step or a test can write."""


def told(secret: str) -> Run:
    """A run that says it everywhere."""
    tests = TestResults(
        1, 1, failures=(TestFailure(secret, secret, secret, 1),), flaky=(secret,), notes=(secret,)
    )
    result = StepResult(1, secret, secret, secret, tests, 1, secret)
    step = Step("test", -1, secret, StepState.FAILED, 1, result=result, excerpt=(secret, "other", secret))
    return run("unit", step, outcome=Outcome.FAILURE, reason=secret, note=secret, cancel=secret)


def texts_of(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """All texts below a dataclass, with their fields' names."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, tuple):
        for one in value:
            yield from texts_of(one, name)
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in NAMES:
                yield from texts_of(getattr(value, field.name), field.name)


def test_it_says_it_everywhere() -> None:
    """So that the next test can't pass for want of secrets."""
    quiet = {name for name, text in texts_of(told(SAID)) if OWN_SECRET not in text and text != "other"}
    assert quiet == set()


def test_but_redacted_nowhere() -> None:
    assert [
        name for name, text in texts_of(redacted_run(told(SAID), [OWN_SECRET])) if OWN_SECRET in text
    ] == []


def test_nor_what_came_before() -> None:
    past = redacted_past(Past(before=told(SAID), flaky=(FlakyTest(SAID, SAID, 1, 2),)), [OWN_SECRET])
    assert [name for name, text in texts_of(past) if OWN_SECRET in text] == []


def test_a_private_key_that_takes_several_lines_is_one_secret() -> None:
    key = ("-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA7bq1" * 3, "-----END RSA PRIVATE KEY-----")
    step = Step("test", -1, "test", StepState.FAILED, excerpt=("before", *key, "after"))
    (redacted,) = redacted_run(run("unit", step)).steps
    assert redacted.excerpt is not None
    assert not any("MIIE" in line for line in redacted.excerpt)
    assert (redacted.excerpt[0], redacted.excerpt[-1]) == ("before", "after")
