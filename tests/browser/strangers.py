"""A run of which everything was written by somebody who means harm, or takes all the room."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import (
    ARTIFACTS_PATH,
    Audit,
    FlakyTest,
    Past,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
)
from tests.browser.scenes import FOLDER, mapped
from tests.examples import REPOSITORY, at
from tests.pages.showing import EVIL, TOKEN, ended

if TYPE_CHECKING:
    from bot.models import Run
    from tests.browser.serving import Served

LONG = "averyveryverylongnamewithoutanyspaces" * 8
EVIL_NAME = EVIL.replace("/", "|").replace("\u202e", "")  # where that can't be


def hostile(served: Served) -> Run:
    """Everything that a stranger may write is written to do harm, or to take all the room."""
    text = f"{EVIL} {TOKEN} {LONG}"
    served.airflow.lines = [
        text,
        "</pre></main><script>alert(2)</script>",
        "\x1b[31mred\x1b[0m \x07\x00",
        LONG,
    ]
    tests = TestResults(
        2, 2, 0, failures=(TestFailure(text, text * 9, f"{EVIL}.py", 3), TestFailure(LONG)), flaky=(text,)
    )
    result = StepResult(1, text, text, text, tests, 1, text)
    repository = replace(REPOSITORY, full_name=f"acme/{EVIL_NAME}")
    one = ended(
        mapped(1, text, StepState.FAILED, 1, 13, result=result, excerpt=(text, LONG)),
        Step(f"{EVIL_NAME} {LONG}", -1, EVIL, StepState.RUNNING, 1, at(0)),
        repository=repository,
        pipeline=text,
        dag_id=EVIL,  # names in addresses stay what they are
        base_ref=EVIL,
        actor=text,
        inputs={"key": text},
        reason=text,
        conf={ARTIFACTS_PATH: FOLDER, "PULL_BASE_SHA": EVIL},
    )
    served.files.write(f"{FOLDER}/artifacts/{EVIL_NAME}", [b"x"])
    served.store.pasts[one.id] = Past(flaky=(FlakyTest(text, text, 1, 2),))
    served.store.decided = [Audit(text, "run", text, text, EVIL, at(0))]
    served.store.add(replace(one, id="b" * 32, number=-3, branch=f"{EVIL}{LONG}"))
    return served.store.add(one)
