"""What there is to see: runs of an ordinary day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import (
    ARTIFACTS_PATH,
    Audit,
    FlakyTest,
    LogLine,
    Outcome,
    Past,
    Phase,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
)
from tests.examples import HEAD, REPOSITORY, at, sha
from tests.pages.showing import active, ended, listed

if TYPE_CHECKING:
    from bot.models import Repository, Run
    from tests.browser.serving import Served

FOLDER = "pr-logs/pull/acme_widgets/12/unit/1"
RUN = "/runs/" + "0123456789abcdef" * 2
LOG = f"{RUN}/log/run~1"


def mapped(
    index: int, name: str, state: StepState, begin: float = 0, end: float | None = None, **more: object
) -> Step:
    """A step of the checks DAG, which began and ended that many seconds after noon."""
    begun = state not in (StepState.WAITING, StepState.BLOCKED)
    one = Step(
        "run",
        index,
        name,
        state,
        int(begun),
        at(begin) if begun else None,
        at(end) if end is not None else None,
    )
    return replace(one, **more)  # type: ignore[arg-type]  # names are the test's


def history(served: Served, runs: int = 60) -> None:
    """Runs of two repositories by two people, in all states, the newest a minute ago."""
    endings = (Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE, Outcome.SUCCESS, Outcome.CANCELLED)
    repositories = (REPOSITORY, replace(REPOSITORY, id=43, full_name="acme/app"))
    served.now = 60.0 * runs
    for number in range(runs):
        outcome = Outcome.TIMED_OUT if number == 3 else endings[number % len(endings)]
        served.store.add(
            listed(
                ("unit", "lint", "integration")[number % 3],
                repository=repositories[number % 2],
                number=-1 if number % 7 == 6 else 10 + number // 4,
                branch="main" if number % 7 == 6 else "",
                head_sha=sha(number + 0xA1B2C3D << 132),
                actor=("alice", "bob")[number % 4 == 3],
                outcome=outcome,
                created_at=at(60 * number),
                started_at=at(60 * number + 2),
                finished_at=at(60 * number + 2 + 11 * (number % 5 + 1)),
            )
        )
    newest = served.store.listed[-2:]
    served.store.add(replace(newest[0], phase=Phase.ACTIVE, outcome=None, finished_at=None))
    served.store.add(replace(newest[1], phase=Phase.WANTED, outcome=None, started_at=None, finished_at=None))


def running(served: Served, **changed: object) -> Run:
    """Three steps of eight are done, one prints."""
    served.now = 95
    served.airflow.lines = [f"tests/test_widget.py::test_turns[{number}] PASSED" for number in range(1, 151)]
    one = active(
        mapped(0, "lint", StepState.SUCCEEDED, 1, 13),
        mapped(1, "unit (3.11)", StepState.RUNNING, 14),
        mapped(2, "types", StepState.SUCCEEDED, 1, 31),
        mapped(3, "unit (3.12)", StepState.SUCCEEDED, 14, 71, result=passing()),
        mapped(4, "integration", StepState.RETRYING, 40, try_number=2),
        mapped(5, "docs", StepState.SKIPPED, try_number=0, started_at=None),
        mapped(6, "package", StepState.WAITING),
        mapped(7, "publish", StepState.WAITING),
        **changed,
    )
    served.store.pasts[one.id] = Past(usual=240)
    return served.store.add(one)


def goes_on(served: Served, seconds: float = 20) -> Run:
    """The step "unit (3.11)" passed meanwhile."""
    served.now += seconds
    one = served.store.listed[-1]
    steps = list(one.steps)
    steps[1] = replace(steps[1], state=StepState.SUCCEEDED, ended_at=at(served.now))
    return served.store.add(replace(one, steps=tuple(steps)))


def ends(served: Served) -> Run:
    """All of it has passed."""
    one = goes_on(served)
    steps = tuple(
        step if step.state.finished else replace(step, state=StepState.SUCCEEDED, ended_at=at(served.now))
        for step in one.steps
    )
    return served.store.add(
        replace(one, steps=steps, phase=Phase.FINISHED, outcome=Outcome.SUCCESS, finished_at=at(served.now))
    )


def passing() -> StepResult:
    return StepResult(0, tests=TestResults(412, 0, 3, 51.5), artifacts=1)


def failed(served: Served) -> Run:
    """Two steps failed, one of them by its tests; the rest was not reached."""
    served.now = 400
    served.airflow.lines = [LogLine("Task started", "airflow.task"), *log_lines(150)]
    tests = TestResults(
        total=415,
        failed=3,
        skipped=4,
        seconds=48.2,
        failures=(
            TestFailure(
                "tests/test_widget.py::test_turns",
                "assert 359 == 360\n +  where 359 = Widget(angle=0).turned(360)",
                "tests/test_widget.py",
                41,
                0.031,
            ),
            TestFailure(
                "tests/test_store.py::test_keeps_order", "KeyError: 'b'", "tests/test_store.py", 7, 1.2
            ),
            TestFailure("tests/test_store.py::test_forgets", "Failed: Timeout >10.0s"),
        ),
        flaky=("tests/test_network.py::test_answers",),
    )
    command = 'cd src && pytest -q --junitxml="$ARTIFACTS/junit.xml" tests'
    unit = StepResult(
        1,
        reproduce=f"git fetch origin pull/12/head && git checkout {HEAD[:12]} && pytest -q tests",
        argv=command,
        tests=tests,
        artifacts=3,
        dropped="2 files, 120 MB: over the limit of 100 MB",
    )
    lint = StepResult(1, reason="exit 1 after 11s", reproduce="ruff check .", argv="ruff check .")
    one = ended(
        mapped(0, "lint", StepState.FAILED, 1, 13, result=lint, excerpt=E501),
        mapped(1, "unit (3.11)", StepState.FAILED, 14, 74, result=unit, try_number=2, excerpt=EXCERPT),
        mapped(2, "types", StepState.SUCCEEDED, 1, 31),
        mapped(3, "unit (3.12)", StepState.SUCCEEDED, 14, 71, result=passing()),
        mapped(4, "package", StepState.BLOCKED),
        reason="lint failed: exit 1 after 11s",
        finished_at=at(76),
    )  # fmt: skip
    one = replace(one, conf={**one.conf, ARTIFACTS_PATH: FOLDER})
    for path, content in FILES.items():
        served.files.write(f"{FOLDER}/{path}", [content])
    served.store.pasts[one.id] = Past(
        usual=70, flaky=(FlakyTest("unit (3.11)", "tests/test_network.py::test_answers", 4, 50),)
    )
    served.store.decided = [
        Audit("bob", "run", "/retest", "start unit", HEAD, at(0)),
        Audit("alice", "run", "a push", "start unit, lint", sha(0x77 << 152), at(-3600)),
    ]
    return served.store.add(one)


E501 = ("src/widget.py:12:1: E501 Line too long",)
EXCERPT = (
    "tests/test_widget.py:41: AssertionError",
    "=========================== short test summary info ============================",
    "FAILED tests/test_widget.py::test_turns - assert 359 == 360",
    "FAILED tests/test_store.py::test_keeps_order - KeyError: 'b'",
    "FAILED tests/test_store.py::test_forgets - Failed: Timeout >10.0s",
    "3 failed, 408 passed, 4 skipped in 48.20s",
)
FILES = {
    "artifacts/junit_unit.xml": b"<testsuites/>\n",
    "artifacts/unit/coverage.txt": b"92 %\n",
    "artifacts/unit/report.html": b"<script>alert(1)</script>\n",
    "build-log.txt": b"E501 Line too long\n" * 900,
    "finished.json": b"{}\n",
    "started.json": b"{}\n",
}


def log_lines(lines: int) -> list[str]:
    """What pytest prints, with one traceback."""
    printed = [f"tests/test_widget.py::test_turns[{number}] PASSED" for number in range(1, lines + 1)]
    printed[118:121] = [
        "    def test_turns() -> None:",
        ">       assert Widget().turned(360).angle == 360",
        "E       assert 359 == 360",
    ]
    return printed


def private(served: Served, repository: Repository) -> Run:
    """A run of a private repository, with a file."""
    one = ended(
        mapped(1, "unit", StepState.FAILED, 0, 3),
        repository=repository,
        conf={ARTIFACTS_PATH: FOLDER},
        pipeline="classified",
    )
    served.files.write(f"{FOLDER}/plan.txt", [b"the plan"])
    served.airflow.lines = ["a secret line"]
    return served.store.add(one)
