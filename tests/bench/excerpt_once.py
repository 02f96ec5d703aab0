"""`python -m tests.bench.excerpt_once read|excerpt FILE`: one pass over a log, as the worker makes it.

Prints JSON: seconds, the process's memory at most in MB, the number of lines, and the excerpt.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot.report.logs.excerpt import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = ("a secret of the bot's own", "another one that it has")


class Lines:
    """The lines of a log, counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                self.count += 1
                yield line.rstrip("\n")


def highest_megabytes() -> float:
    """What this process took at most; `getrusage` would count what its parent had when it forked."""
    found = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def main() -> None:
    """Do what the command line says."""
    what, path = sys.argv[1:]
    lines = Lines(Path(path))
    began = time.perf_counter()
    found = (
        excerpt(lines, secrets=SECRETS)
        if what == "excerpt"
        else [each for each in lines if not each.isascii()]
    )
    seconds = time.perf_counter() - began
    answer = {
        "seconds": seconds,
        "megabytes": highest_megabytes(),
        "count": lines.count,
        "lines": list(found),
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
