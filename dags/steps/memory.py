"""Whether the kernel killed something of ours for want of memory, as far as Linux tells."""

from pathlib import Path

_PROC = Path("/proc/self/cgroup")
_CGROUPS = Path("/sys/fs/cgroup")


def oom_kills(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Return how many processes of our control group were killed so far; None where nobody tells.

    The group is all that shares our memory's limit: the pod, or the machine's service that runs Airflow.
    """
    try:
        groups = [line.split(":", 2) for line in proc.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return None
    for _, controllers, path in (group for group in groups if len(group) == 3):  # noqa: PLR2004 - id:controllers:path
        if not controllers:
            files = [cgroups / path.lstrip("/") / "memory.events", cgroups / "memory.events"]
        elif "memory" in controllers.split(","):
            own = cgroups / "memory"
            files = [own / path.lstrip("/") / "memory.oom_control", own / "memory.oom_control"]
        else:
            continue
        for file in files:
            if (kills := _count(file)) is not None:
                return kills
    return None


def _count(file: Path) -> int | None:
    try:
        words = [line.split() for line in file.read_text("utf-8", "replace").splitlines()]
        return next((int(count) for name, count in words if name == "oom_kill"), None)
    except (OSError, ValueError):
        return None
