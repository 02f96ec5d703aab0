"""What is tested, and what is made of it: an archive of the source, an image, a chart.

python -m steps.release clone pr --pr=N --url=URL --archive=FILE
python -m steps.release build --archive=FILE --image=NAME
python -m steps.release publish --build-info=FILE --tag=TAG

Exit codes: 0 done, 75 try again (something can't be reached now), 2 a mistake on the command line, others
final.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial

from steps.program import CommandOf, run_program
from steps.release import build, clone, kinds, publish
from steps.release.ticket import Ticket


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    ticket = Ticket.taken_from(os.environ)  # first of all, so that no child process finds it
    commands = (
        CommandOf("clone", clone.HELP, kinds.add_arguments, partial(clone.run, ticket)),
        CommandOf("build", build.HELP, build.add_arguments, build.run),
        CommandOf("publish", publish.HELP, publish.add_arguments, publish.run),
    )
    return run_program("release", "Fetch, build and publish what is tested.", commands, argv)


if __name__ == "__main__":
    sys.exit(main())
