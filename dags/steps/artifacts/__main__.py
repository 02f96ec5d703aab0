"""Keeps what steps leave, and tells of runs in the layout of Prow's tools.

python -m steps.artifacts keep --folder=ARTIFACTS/STEP [--url=URL --path=PATH]
python -m steps.artifacts started|finished|upload|latest-green --url=URL ...

For runs of the bot `keep` is what the operator calls, and the bot writes the others' files itself: those
commands are for pipelines that were started by hand, or by something else. They need fsspec, and what that
needs for the URL.
"""

import os
import sys
from collections.abc import Sequence

from steps.artifacts import finished, keep, latest_green, started, upload
from steps.program import run_program

_COMMANDS = (keep.COMMAND, started.COMMAND, finished.COMMAND, upload.COMMAND, latest_green.COMMAND)
_DESCRIPTION = "Keeps what steps leave, and tells of runs in the layout of Prow's tools."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return run_program("artifacts", _DESCRIPTION, _COMMANDS, argv)


if __name__ == "__main__":
    try:
        exit_code = main()
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)  # a storage that hangs must not keep us
