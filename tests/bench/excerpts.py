"""The excerpt of a log of 100 MB: seconds, and the memory that it takes at most.

Each is measured in a process of its own. The baseline does the same without looking at the lines. The log is
a build's: mostly plain lines, some in colours, a progress bar that draws itself anew, warnings, an error now
and then, and at its end what pytest says about a failed test.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.local import environment
from tests.bench.figures import Figure, NotMeasured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from deploy.local.processes import Supervisor

MEGABYTES = 100
SECONDS_GOAL, MEMORY_GOAL = 60.0, 100.0
_PATIENCE_SECONDS = 600.0
_END = (
    "=================================== FAILURES ===================================",
    "    def test_total():",
    ">       assert total([1, 2]) == 4",
    "E       assert 3 == 4",
    "",
    "tests/test_total.py:7: AssertionError",
    "=========================== short test summary info ============================",
    "FAILED tests/test_total.py::test_total - assert 3 == 4",
    "======================== 1 failed, 41 passed in 600.00s ========================",
)


@dataclass(frozen=True)
class Pass:
    """One pass over the log, see `excerpt_once.py`."""

    seconds: float
    megabytes: float
    count: int
    lines: Sequence[str]


def figures(supervisor: Supervisor, directory: Path, *, megabytes: int = MEGABYTES) -> list[Figure]:
    """Seconds, and MB.

    Raises:
        NotMeasured: the excerpt does not say why the step failed.
    """
    log = directory / "step.log"
    try:
        write_log(log, megabytes * 1_000_000)
        read, found = (_measured(supervisor, log, what) for what in ("read", "excerpt"))
    finally:
        log.unlink(missing_ok=True)
    if _END[-2] not in found.lines:
        raise NotMeasured(f"the excerpt has not the line that says why: {found.lines}")
    name = f"excerpt of a log of {megabytes} MB"
    return [
        Figure(
            name,
            found.seconds,
            "s",
            SECONDS_GOAL,
            {"reading only": read.seconds},
            details={"lines": found.lines, "lines_of_log": found.count},
        ),
        Figure(
            f"{name}: memory at most",
            found.megabytes,
            "MB",
            MEMORY_GOAL,
            {"reading only": read.megabytes},
        ),
    ]


def write_log(path: Path, size: int) -> None:
    """A log of about that many bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        written = 0
        for line in _lines():
            file.write(f"{line}\n")
            written += len(line) + 1
            if written >= size:
                break
        file.write("\n".join(_END) + "\n")


def _lines() -> Iterator[str]:
    for number in itertools.count():
        module = f"src/module_{number % 997}/part_{number % 31}.c"
        if number % 1000 == 999:
            yield f"{module}:{number % 400}:12: error: 'total' undeclared (first use in this function)"
        elif number % 100 == 99:
            yield f"{module}:{number % 400}:3: warning: unused variable 'i' [-Wunused-variable]"
        elif number % 50 == 49:
            yield "\r".join(
                f"downloading {share:3d} % [{'#' * (share // 4):25}]" for share in range(0, 101, 10)
            )
        elif number % 10 == 9:
            yield f"\x1b[32m[{number % 100:3d}%]\x1b[0m Building C object {module}.o"
        else:
            at = f"2026-01-01T00:00:00.{number % 1000:03d}Z"
            yield f"{at} cc -O2 -Wall -Iinclude -c {module} -o build/{number}.o"


def _measured(supervisor: Supervisor, log: Path, what: str) -> Pass:
    child = supervisor.start(
        f"excerpt-{what}",
        [environment.BOT_PYTHON, "-m", "tests.bench.excerpt_once", what, str(log)],
        env=environment.base(),
        cwd=environment.ROOT,
    )
    code = child.wait(seconds=_PATIENCE_SECONDS)
    supervisor.stop(child)
    if code != 0:
        raise NotMeasured(f"the excerpt failed.\n{child.last_lines()}")
    return Pass(**json.loads(child.log.read_text()))
