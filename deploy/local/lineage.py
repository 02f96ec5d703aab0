"""Find every process that descends from us, also when its parents are gone, and end them all.

Neither a process group nor a parent's pid is enough: PostgreSQL's backends, Airflow's tasks and the steps
that they run all open groups or sessions of their own, and a killed parent's children are handed to init. So
everything that we start carries a mark in its environment, which children inherit; what has cleaned its
environment (a pipeline's step) is found as a child of one that carries it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MARK_VARIABLE = "LOCAL_STACK"


def family(mark: str, roots: Iterable[psutil.Process] = ()) -> set[psutil.Process]:
    """Processes whose mark begins with `mark`, the `roots`, and the descendants of both; never ourselves."""
    children: dict[int, list[psutil.Process]] = defaultdict(list)
    pending = list(roots)
    for process in psutil.process_iter():
        try:
            children[process.ppid()].append(process)
            if process.environ().get(MARK_VARIABLE, "").startswith(mark):
                pending.append(process)
        except psutil.Error:
            continue  # it has just ended, or belongs to another user
    found: set[psutil.Process] = set()
    while pending:
        process = pending.pop()
        if process in found or process.pid == os.getpid() or is_gone(process):
            continue
        found.add(process)
        pending += children[process.pid]
    return found


def destroy(find: Callable[[], set[psutil.Process]], *, seconds: float = 10.0) -> set[psutil.Process]:
    """Kill everything that `find` finds, and return it.

    All are stopped (SIGSTOP) before the first is killed, so that none can start another one that we'd never
    see.

    Raises:
        TimeoutError: some of them still live after `seconds`.
    """
    frozen: set[psutil.Process] = set()
    while fresh := find() - frozen:
        for process in fresh:
            _signal(process.suspend)
        frozen |= fresh
    for process in frozen:
        _signal(process.kill)
    deadline = time.monotonic() + seconds
    while alive := [process for process in frozen if not is_gone(process)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"These processes survive SIGKILL: {[process.pid for process in alive]}.")
        time.sleep(0.02)
    return frozen


def is_gone(process: psutil.Process) -> bool:
    """Whether the process has ended; one that only waits for its parent to notice has ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _signal(send: Callable[[], object]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        send()
