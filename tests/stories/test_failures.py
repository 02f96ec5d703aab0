"""Why a run failed, told so that nobody has to open Airflow: tests, signals, time, and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.local.demo_repository import GREETER, RUN_TESTS, TESTS
from tests.stories.pages import page_at
from tests.stories.pulls import checks, written
from tests.stories.snapshots import assert_reads
from tests.stories.suites import as_pytest, leave

if TYPE_CHECKING:
    from tests.stories.conftest import MakeRepository

UNITTEST = "PYTHONPATH=src python3 run_tests.py"
SLOW = f"sleep 10; {leave('slow.xml')}"  # so that it fails second, on a busy machine too


def test_failing_tests_of_two_steps(repository_with: MakeRepository) -> None:
    repository = repository_with(
        {"unit": checks(fast=UNITTEST, slow=SLOW)},
        files={"run_tests.py": RUN_TESTS, "src/greeter.py": GREETER, "tests/test_greeter.py": TESTS},
    )
    failing = {"test_goodbye[<b>|x]": "assert 'Hello' == 'Goodbye'", "test_more": "TimeoutError: @developer"}

    pull = repository.opened(
        files={
            "src/greeter.py": GREETER.replace("Hello", "Goodbye"),
            "slow.xml": as_pytest("tests/slow/test_app.py", failing, passing=["test_one", "test_two"]),
        }
    )

    status = pull.expect_status("preflight/unit", "failure", "fast, slow failed: exit 1")
    comment = pull.expect_comment(
        "1 of 1 test failed",
        "::test_it_is_friendly`",
        "'Goodbye, world!' != 'Hello, world!'",
        f"blob/{pull.head_sha}/tests/test_greeter.py#L8",
        "2 of 4 tests failed",
        "`tests/slow/test_app.py::test_more`",
        "`tests/slow/test_app.py:2`",
        f"```sh\n{UNITTEST}\n```",
        f"```sh\n{SLOW}\n```",
    )
    assert_reads("failing-tests.md", comment)
    page = page_at(status.target_url).text
    for shown in ("::test_it_is_friendly", "test_more", "TimeoutError: @developer", "2 failed, 2 passed"):
        assert shown in page


def test_no_test_is_needed_to_fail(repository_with: MakeRepository) -> None:
    """Results that can't be read, signals, and a step that takes too long."""
    slow = checks(sleeps="echo going to sleep; sleep 60")
    slow["params"]["timeout"] = 2
    repository = repository_with(
        {
            "rough": checks(
                broken="printf '<testsuite><testcase name=\"a\"/><testcase' > $ARTIFACTS/junit.xml; exit 4",
                killed="echo working; kill -9 $PPID; sleep 60",
                by_itself="kill -9 $$",
            ),
            "slow": slow,
        }
    )

    pull = repository.opened()

    pull.expect_status("preflight/slow", "failure", "sleeps failed: timed out after 2s")
    status = pull.expect_status("preflight/rough", "failure", "killed failed: exit 137")
    pull.expect_comment(
        "1 test could be read, and none failed",
        "Not all test results could be read: junit.xml is not well-formed",
        "**`rough` / `killed`** failed: exit 137 (SIGKILL) after",
        "**`rough` / `by_itself`** failed: exit 137 (SIGKILL) after",
        "**`slow` / `sleeps`** failed: timed out after 2s",
        "going to sleep\n",
    )
    assert "junit.xml is not well-formed" in page_at(status.target_url).text
    pull.expect_dag_runs("failed", "failed")


def test_a_repository_knows_its_own_tools(repository_with: MakeRepository) -> None:
    """`report.matchers`: lines that nobody else would find among so many others."""
    noise = "seq -f 'line %g of many' 200"
    pipelines = {"unit": checks(test=f"{noise}; echo 'PUMP: is dry'; echo '  at valve 7'; {noise}; exit 1")}
    matchers = [{"name": "pump", "pattern": "^PUMP: ", "after": 1}]
    repository = repository_with(written(pipelines, report={"matchers": matchers}))

    comment = repository.opened().expect_comment("**`unit` failed**", "To reproduce it", "PUMP: is dry")

    assert "PUMP: is dry\n  at valve 7\n" in comment
