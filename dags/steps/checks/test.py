"""pytest over the tree; its JUnit file becomes ours."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from steps.checks.fresh_copy import EX_TIMEOUT, FreshCopy, add_tree, fresh_copy, show
from steps.errors import StepFailed
from steps.folders import open_below
from steps.program import CommandOf, Step

_JUNIT = "junit.xml"
_MOST_BYTES = 50 * 1024**2  # what steps.junit reads of a file
_MEANINGS = {
    2: "pytest was interrupted, or could not collect the tests",
    3: "pytest itself failed",
    4: "pytest does not understand its command line",
    5: "pytest found no tests",
    EX_TIMEOUT: "pytest ran out of time",
}
"""https://docs.pytest.org/en/stable/reference/exit-codes.html"""


def test(args: argparse.Namespace, step: Step) -> int:
    """Run the tests; returns pytest's exit code.

    Raises:
        StepFailed: they could not be run.
    """
    if step.dryrun:
        show(_argv("pytest", Path("<a fresh folder>"), args), args)
        return 0
    with fresh_copy(args) as copy:
        program = copy.find("pytest")
        if program is None:
            raise StepFailed(
                "pytest is neither in the tree's .venv nor on PATH: install it, and what the tests need, "
                "where steps run (in Airflow's image)"
            )
        exit_code = copy.run(_argv(program, copy.folder, args), args.timeout)
        tested = _adopt(copy, step)
    if not exit_code and not tested:
        raise StepFailed(
            "pytest ended with exit code 0 but has no test results: did a test, or what it loads, end it?"
        )
    if exit_code in _MEANINGS:
        raise StepFailed(f"{_MEANINGS[exit_code]} (exit code {exit_code})")
    return exit_code


def _argv(program: str, folder: Path, args: argparse.Namespace) -> Sequence[str]:
    excludes = [f"--ignore-glob={glob.rstrip('/')}" for glob in args.exclude]
    return [program, f"--junitxml={folder / _JUNIT}", *excludes, *args.extra]


def _adopt(copy: FreshCopy, step: Step) -> bool:
    """Take over the JUnit file, if there is one that tells of tests; returns whether there is."""
    tested = False
    try:
        with open_below(copy.folder, _JUNIT) as document:
            tested = b"<testcase" in document.read(_MOST_BYTES)
            document.seek(0)
            if tested:
                step.cases.adopt(document, _MOST_BYTES)
    except FileNotFoundError:
        print("pytest wrote no test results")
    except OSError as error:
        print(f"the test results are not kept: {error}")
    return tested


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_tree(parser)
    parser.add_argument("extra", nargs="*", metavar="OPTION", help="more for pytest; put -- before them")


COMMAND = CommandOf("test", "run pytest over the merged tree", _add_arguments, test)
