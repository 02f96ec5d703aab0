"""The images' health check: does what this container runs answer? Exit code 0: yes; standard library only.

    healthcheck.py bot        web: /healthz of the internal listener; worker: the listener of its metrics
    healthcheck.py airflow    api-server, scheduler: their own health addresses; others: that they run

What runs is read off process 1, the init with its command line. Kubernetes ignores this: it has probes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECONDS = 4.0


def address(image: str, command: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Where a container with this command line tells whether it's healthy; None if nowhere."""
    for word, url in _addresses(environ)[image].items():
        if word in command:
            return url
    return None


def _addresses(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    def port(name: str, default: int) -> str:
        return environ.get(name, "").rpartition(":")[2] or str(default)

    return {
        "bot": {
            "worker": f"http://127.0.0.1:{port('PREFLIGHT_WORKER_LISTEN', 8082)}/",
            "web": f"http://127.0.0.1:{port('PREFLIGHT_INTERNAL_LISTEN', 8081)}/healthz",
        },
        "airflow": {
            "api-server": f"http://127.0.0.1:{port('AIRFLOW__API__PORT', 8080)}/api/v2/version",
            "scheduler": "http://127.0.0.1:"
            f"{port('AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT', 8974)}/health",
        },
    }


def is_healthy(url: str) -> bool:
    """Whether it answers, and names nothing in it that isn't healthy, as Airflow does."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=_SECONDS) as response:
            answer = response.read(100_000)
    except OSError as error:
        print(f"{url}: {error}", file=sys.stderr)
        return False
    try:
        parts = json.loads(answer)
    except ValueError:
        return True
    states = [part.get("status") for part in parts.values() if isinstance(part, dict)]
    return all(state in (None, "healthy") for state in states)


def main() -> int:
    """Look once."""
    command = Path("/proc/1/cmdline").read_bytes().decode(errors="replace").split("\0")
    url = address(sys.argv[1], [word for part in command for word in part.split()], os.environ)
    return 0 if url is None or is_healthy(url) else 1


if __name__ == "__main__":
    sys.exit(main())
