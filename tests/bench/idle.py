"""What the bot costs while nothing happens: memory (PSS) and processor time of web (2 processes) and worker.

Over a minute, after half a minute of rest. The baseline is the same gunicorn with an application of ten lines
(`hmac_only.py`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from tests.bench import receiving
from tests.bench.figures import Figure, NotMeasured
from tests.bench.system import running_bot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.system import System

PSS_GOAL, CPU_GOAL = 350.0, 2.0
_REST_SECONDS = 30.0


def figures(system: System, *, seconds: float) -> list[Figure]:
    """Megabytes, and percent of a core.

    Raises:
        NotMeasured: the bot's processes can't be found.
    """
    with receiving.bare(system.supervisor):
        bare = _cost(_running("tests.bench.hmac_only:app"), min(10.0, seconds))
    settings = {"PREFLIGHT_WEB_PROCESSES": str(receiving.WEB_PROCESSES)}
    with running_bot(system, "idle", nudged=True, settings=settings):
        time.sleep(min(_REST_SECONDS, seconds))
        web, worker = (_cost(_running("-m", "bot", part), seconds) for part in ("web", "worker"))
    name = f"idle: web ({receiving.WEB_PROCESSES} processes) and worker"
    without = "gunicorn alone"
    parts = {"web": {"pss": web[0], "cpu": web[1]}, "worker": {"pss": worker[0], "cpu": worker[1]}}
    return [
        Figure(f"{name}, memory", web[0] + worker[0], "MB", PSS_GOAL, {without: bare[0]}, details=parts),
        Figure(f"{name}, processor", web[1] + worker[1], "%", CPU_GOAL, {without: bare[1]}, details=parts),
    ]


def _running(*arguments: str) -> Sequence[psutil.Process]:
    """Our processes whose command line ends with that, and theirs."""
    for process in psutil.Process().children(recursive=True):
        if tuple(process.cmdline()[-len(arguments) :]) == arguments or arguments[-1] in process.cmdline():
            return [process, *process.children(recursive=True)]
    raise NotMeasured(f"no process of ours was started as {' '.join(arguments)}")


def _cost(processes: Sequence[psutil.Process], seconds: float) -> tuple[float, float]:
    """PSS in megabytes, and percent of a core over so many seconds."""
    before = _processor_seconds(processes)
    began = time.monotonic()
    time.sleep(seconds)
    used = _processor_seconds(processes) - before
    share = 100 * used / (time.monotonic() - began)
    return sum(process.memory_full_info().pss for process in processes) / 1e6, share


def _processor_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))
