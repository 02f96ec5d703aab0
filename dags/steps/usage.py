"""What a step takes while it runs: processes, memory, disk. A look says which limit it is over."""

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from steps.limits import in_words
from steps.step_limits import StepLimits
from steps.tree import Process

_PROC = Path("/proc")
_SHARE = 20
"""Looking at folders may take one 20th of the time, and is done at most once a second."""
_LEAST_OF_A_FILE = 4096
"""What an empty one counts as: file systems have room for so many, and are full then as well."""


class Usage:
    """Compares what is used with the limits, as often as each is cheap to find out."""

    def __init__(self, limits: StepLimits, folders: Sequence[Path]) -> None:
        self._limits = limits
        self._disk = _Disk(folders, limits.disk_bytes)

    def exceeded(self, processes: Sequence[Process]) -> str:
        """Return in words which limit the step is over; empty when it is within all."""
        limits = self._limits
        if limits.processes and sum(process.threads for process in processes) > limits.processes:
            return f"had more than {limits.processes:,} processes"
        if limits.memory_bytes and _memory(processes, limits.memory_bytes) > limits.memory_bytes:
            return f"used more than {in_words(limits.memory_bytes)} of memory"
        if limits.disk_bytes and self._disk.used(processes) > limits.disk_bytes:
            return f"used more than {in_words(limits.disk_bytes)} of disk"
        return ""


def _memory(processes: Sequence[Process], enough: int) -> int:
    """Return the bytes of memory that they use; shared ones are told apart only where it matters."""
    resident = sum(process.resident for process in processes)
    return resident if resident <= enough else sum(_proportional(process) for process in processes)


def _proportional(process: Process) -> int:
    """Return what it uses, of shared pages its share; all that is resident when that can't be told."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        rollup = _PROC.joinpath(str(process.pid), "smaps_rollup").read_text("ascii")
        return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return process.resident


class _Disk:
    """How many bytes folders take, looked at again when time has passed or much was written."""

    def __init__(self, folders: Sequence[Path], limit: int) -> None:
        self._folders = folders
        self._limit = limit
        self._used = 0
        self._free = _free(folders)
        self._next = 0.0
        self._soonest = 0.0

    def used(self, processes: Sequence[Process]) -> int:
        """Return the bytes, those of deleted files that a process still holds open too."""
        started = time.monotonic()
        written = self._free - _free(self._folders)
        hurry = written > (self._limit - self._used) / 2 and started >= self._soonest
        if hurry or started >= self._next:
            self._free = _free(self._folders)
            self._used = sum(_sizes(self._folders, processes))
            ended = time.monotonic()
            self._next = ended + max(1.0, (ended - started) * _SHARE)
            self._soonest = ended + (ended - started)
        return self._used


def _free(folders: Iterable[Path]) -> int:
    """Return the free bytes of their file systems: falls at once when somebody, maybe the step, writes."""
    free = 0
    for folder in folders:
        with contextlib.suppress(OSError):
            status = os.statvfs(folder)
            free += status.f_bavail * status.f_frsize
    return free


def _sizes(folders: Iterable[Path], processes: Iterable[Process]) -> Iterator[int]:
    """Yield the bytes of each file once, however many names it has."""
    seen: set[tuple[int, int]] = set()
    for status in (*_below(folders), *_deleted(processes)):
        file = (status.st_dev, status.st_ino)
        if file not in seen:
            seen.add(file)
            yield max(status.st_blocks * 512, _LEAST_OF_A_FILE)


def _below(folders: Iterable[Path]) -> Iterator[os.stat_result]:
    waiting = [str(folder) for folder in folders]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)


def _deleted(processes: Iterable[Process]) -> Iterator[os.stat_result]:
    """Yield the files that have no name any more and are still open."""
    for process in processes:
        with contextlib.suppress(OSError), os.scandir(_PROC / str(process.pid) / "fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                        yield status
