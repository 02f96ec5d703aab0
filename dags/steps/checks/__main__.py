"""Checks over the merged tree, each in a fresh copy of its own and in a clean environment.

python -m steps.checks run --name=NAME --archive=FILE --artifacts=FOLDER -- COMMAND
python -m steps.checks lint --archive=FILE [--exclude=GLOB] [--linter=ruff] [-- OPTIONS OF THE LINTER]
python -m steps.checks test --archive=FILE [--exclude=GLOB] [-- OPTIONS OF PYTEST]
"""

import sys
from collections.abc import Sequence

from steps.checks import lint, run, test
from steps.program import run_program

_DESCRIPTION = "Checks over the merged tree, each in a fresh copy of its own and in a clean environment."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return run_program("checks", _DESCRIPTION, (run.COMMAND, lint.COMMAND, test.COMMAND), argv)


if __name__ == "__main__":
    sys.exit(main())
