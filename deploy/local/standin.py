"""The stand-in GitHub as a process that we hold; tests may as well use it in their own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.local import environment, ports
from deploy.local.ports import HOST
from tests.github_standin.client import Standin

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.processes import Supervisor

_START_SECONDS = 30.0


def start_standin(directory: Path, port: int, supervisor: Supervisor) -> Standin:
    """Start it empty, with its repositories below `directory`, and return what drives it.

    Raises:
        StackError: it did not come up.
    """
    child = supervisor.start(
        "github",
        [
            *(environment.BOT_PYTHON, "-m", "tests.github_standin"),
            *("--listen", f"{HOST}:{port}", "--state", directory, "--limits"),
        ],
        env=environment.base(),
        cwd=environment.ROOT,
    )
    child.wait_until(lambda: ports.answers(port), "it listened", seconds=_START_SECONDS)
    return Standin(f"http://{HOST}:{port}")
