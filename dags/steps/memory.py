"""What Linux tells of memory: how much there is, and whether the kernel killed something for want of it."""

import os
from pathlib import Path

_PROC = Path("/proc/self/cgroup")
_CGROUPS = Path("/sys/fs/cgroup")


def oom_kills(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Return how many processes of our control group were killed so far; None where nobody tells.

    The group is all that shares our memory's limit: the pod, or the machine's service that runs Airflow.
    """
    counts = (_count(text) for text in _texts("memory.events", "memory.oom_control", proc, cgroups))
    return next((count for count in counts if count is not None), None)


def memory_bytes(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Return how much memory we may use: the control group's limit, or all that the machine has."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    texts = _texts("memory.max", "memory.limit_in_bytes", proc, cgroups)
    limits = [int(text) for text in texts if text.strip().isdigit()]  # "max" is no limit
    return min([machine, *limits])


def _texts(version2: str, version1: str, proc: Path, cgroups: Path) -> list[str]:
    """Return what the files of our control group hold, as the machine or a container shows it."""
    try:
        groups = [line.split(":", 2) for line in proc.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return []
    files: list[Path] = []
    for _, controllers, path in (group for group in groups if len(group) == 3):  # noqa: PLR2004 - id:controllers:path
        if not controllers:
            files += [cgroups / path.lstrip("/") / version2, cgroups / version2]
        elif "memory" in controllers.split(","):
            own = cgroups / "memory"
            files += [own / path.lstrip("/") / version1, own / version1]
    return [text for file in files if (text := _read(file)) is not None]


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return None


def _count(text: str) -> int | None:
    try:
        words = [line.split() for line in text.splitlines()]
        return next((int(count) for name, count in words if name == "oom_kill"), None)
    except ValueError:
        return None
