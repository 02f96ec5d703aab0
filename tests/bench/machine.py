"""Where it was measured, and how busy that machine was with other things."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime


def describe() -> dict[str, object]:
    """Cores, Python, and the load before anything is started: above 0.5 the figures are noisy."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }
