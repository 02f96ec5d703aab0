"""Runs a Kubernetes Job or custom resource to its end and judges it.

python -m steps.test_runner test --spec=FILE [--archive=FILE] [--set=NAME=VALUE] --cluster=NAME

Exit codes: 0 it succeeded; 75 it may succeed later (try again); 2 a mistake on the command line; others
final.
"""

import sys
from collections.abc import Sequence

from steps.program import run_program
from steps.test_runner import test

_DESCRIPTION = "Runs a Kubernetes Job or custom resource to its end and judges it."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return run_program("test_runner", _DESCRIPTION, (test.COMMAND,), argv)


if __name__ == "__main__":
    sys.exit(main())
