"""`make demo ARGS=--once` in a fresh clone: with nothing there, then once more.

The clone has the last commit, not what is uncommitted. Its home directory is empty, so neither pip nor uv
finds anything that was downloaded before; only the network is as it is. Baselines: how much of the cold run
`make env` is, which downloads and installs; and for the warm run, the cold one.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from deploy.local.environment import ROOT
from tests.bench.figures import Figure, NotMeasured
from tests.make import own_environment

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.processes import Supervisor

_COLD_GOAL, _WARM_GOAL = 240.0, 90.0
_PATIENCE_SECONDS = 1200.0
_LEADS_TO_CACHES = ("PIP_CACHE_DIR", "PIP_FIND_LINKS", "UV_CACHE_DIR", "UV_FIND_LINKS")


def figures(supervisor: Supervisor, directory: Path) -> list[Figure]:
    """Seconds of the cold and of the warm demo.

    Raises:
        NotMeasured: it failed.
    """
    clone, home = directory / "clone", directory / "home"
    home.mkdir(parents=True)
    cloned = subprocess.run(
        ["git", "clone", "--quiet", ROOT, clone], check=False, capture_output=True, text=True
    )
    if cloned.returncode != 0:
        raise NotMeasured(f"`git clone` of this checkout failed: {cloned.stderr.strip()}")
    environment = _environment(home)
    install = _make(supervisor, "demo-env", clone, environment, "env")
    cold = install + _make(supervisor, "demo-cold", clone, environment, "demo", "ARGS=--once")
    warm = _make(supervisor, "demo-warm", clone, environment, "demo", "ARGS=--once")
    return [
        Figure("make demo ARGS=--once, cold", cold, "s", _COLD_GOAL, {"of which make env": install}),
        Figure("make demo ARGS=--once, warm", warm, "s", _WARM_GOAL, {"cold": cold}),
    ]


def _environment(home: Path) -> dict[str, str]:
    """Ours, in an empty home."""
    unwanted = ("VIRTUAL_ENV", *_LEADS_TO_CACHES)
    kept = {
        name: value
        for name, value in own_environment().items()
        if name not in unwanted and not name.startswith("XDG_")
    }
    return {**kept, "HOME": str(home)}


def _make(supervisor: Supervisor, name: str, clone: Path, environment: dict[str, str], *what: str) -> float:
    """The seconds that `make` took."""
    began = time.monotonic()
    child = supervisor.start(name, ["make", *what], env=environment, cwd=clone)
    code = child.wait(seconds=_PATIENCE_SECONDS)
    took = time.monotonic() - began
    supervisor.stop(child)
    if code != 0:
        raise NotMeasured(f"`make {' '.join(what)}` ended with exit code {code}.\n{child.last_lines()}")
    return took
