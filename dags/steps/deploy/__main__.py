"""A place to test in: made, filled, tested, removed.

python -m steps.deploy create-cluster|setup|test|teardown|sweep --help

Exit codes: 0 done; 75 it may pass later (try again); 2 a mistake on the command line; others final.
"""

import sys
from collections.abc import Sequence

from steps.deploy import create_cluster, run_tests, setup, sweep, teardown
from steps.program import run_program

COMMANDS = (create_cluster.COMMAND, setup.COMMAND, run_tests.COMMAND, teardown.COMMAND, sweep.COMMAND)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return run_program("deploy", str(__doc__).split("\n", 1)[0], COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
