"""A process and all that it started, however they call themselves: asked of /proc, ended together."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICK = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    """What /proc/PID/stat tells."""

    pid: int
    parent: int
    alive: bool
    """Not a zombie."""
    threads: int
    resident: int
    """Bytes, those that it shares with others too."""


def process(pid: int) -> Process | None:
    """Return what is known of a process; None when it is gone. The fields are those of proc_pid_stat(5)."""
    try:
        fields = _PROC.joinpath(str(pid), "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        alive=fields[0] not in {b"Z", b"X"},
        threads=int(fields[17]),
        resident=int(fields[21]) * _PAGE,
    )


def descendants(root: int) -> list[Process]:
    """Return the living processes below `root`, parents before children; orphans are their adopter's."""
    found: list[Process] = []
    children = _children if _PROC.joinpath("self/task", str(os.getpid()), "children").exists() else _scanned()
    waiting = [root]
    seen = {root}
    while waiting:
        for pid in children(waiting.pop()):
            if pid not in seen and (child := process(pid)):
                seen.add(pid)
                waiting.append(pid)
                if child.alive:
                    found.append(child)
    return found


def _children(parent: int) -> Iterator[int]:
    """Yield the children of all its threads, as proc_tid_children(5) lists them."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(_PROC / str(parent) / "task"):  # noqa: PTH208 - called often: names are enough
            with contextlib.suppress(OSError):
                children = _PROC.joinpath(str(parent), "task", thread, "children").read_bytes()
                yield from map(int, children.split())


def _scanned() -> Callable[[int], list[int]]:
    """Look through all processes, where the kernel was built without such lists."""
    of: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(_PROC):  # noqa: PTH208 - likewise
            if name.isdigit() and (found := process(int(name))):
                of.setdefault(found.parent, []).append(found.pid)
    return lambda parent: of.get(parent, [])


def end_below(root: int, grace: float, *, spare: int = 0, reap: Callable[[], object] = lambda: None) -> None:
    """End all below `root`: SIGTERM, to `spare` not; `grace` seconds; SIGKILL.

    `spare` is a process that would take the others along at once, such as the sandbox around them. `reap` is
    called between looks, to bury what ended.
    """
    for found in descendants(root):
        if found.pid != spare:
            _signal(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while descendants(root) and time.monotonic() < deadline:
        reap()
        time.sleep(_TICK)
    kill_below(root, reap=reap)


def kill_below(root: int, *, seconds: float = 3, reap: Callable[[], object] = lambda: None) -> bool:
    """Kill all below `root`, and what they start meanwhile; returns whether nothing is left.

    All are stopped before one is killed: else what forks faster than we look would never end.
    """
    deadline = time.monotonic() + seconds
    stopped: set[int] = set()
    while found := {process.pid for process in descendants(root)}:
        for pid in found - stopped:
            _signal(pid, signal.SIGSTOP)
        if found <= stopped:
            for pid in found:
                _signal(pid, signal.SIGKILL)
            time.sleep(_TICK)
        stopped |= found
        reap()
        if time.monotonic() > deadline:
            return False
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def threads_of(user: int) -> int:
    """Return how many threads a user runs, as far as we see."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(_PROC) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if (
                    entry.name.isdigit()
                    and entry.stat().st_uid == user
                    and (found := process(int(entry.name)))
                ):
                    total += found.threads
    return total
