"""`make clean`: end what killed stacks left, and delete what stacks keep: databases, logs, secrets."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from deploy.local.postgres_place import Place
from deploy.local.processes import Supervisor

if TYPE_CHECKING:
    from pathlib import Path


def run(state: Path) -> int:
    """Delete it all; returns the exit code.

    Raises:
        AlreadyRunningError: a stack runs.
    """
    for directory in (state / "demo", state / "up", state / "local-airflow", state / "local-postgre"):
        if directory.exists():
            with Supervisor(directory):  # nobody else runs there, and nothing is left of who was killed
                Place(directory / "postgres").remove()
            shutil.rmtree(directory)
    shutil.rmtree(state / "secrets", ignore_errors=True)
    return 0
