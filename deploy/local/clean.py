"""`make clean`: end what killed stacks left, and delete what stacks keep: databases, logs, secrets."""

from __future__ import annotations

import shutil

from deploy.local import demo, up
from deploy.local.postgres_place import Place
from deploy.local.processes import Supervisor
from deploy.local.stack import STATE


def run() -> int:
    """Delete it all; returns the exit code.

    Raises:
        AlreadyRunningError: a stack runs.
    """
    for directory in (demo.DIRECTORY, up.DIRECTORY):
        if directory.exists():
            with Supervisor(directory):  # nobody else runs there, and nothing is left of who was killed
                Place(directory / "postgres").remove()
            shutil.rmtree(directory)
    shutil.rmtree(STATE / "secrets", ignore_errors=True)
    return 0
