"""A worker's thread stands still at the worst of moments: just before a write that can't be repeated.

A freeze of the whole process hits that moment once in ten thousand times. So the bot's process waits there
itself, for longer than its lease, once for each file that somebody put into a folder.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

WRITES = ("trigger", "create_comment")
SECONDS = 66.0


def stall(folder: Path, write: str) -> Path:
    """Let the next such write of any worker wait; the file is gone once one does."""
    file = folder / write
    file.touch()
    return file


def install(folder: Path) -> None:
    """Have the writes of this process look there."""
    from bot.adapters.airflow import AirflowClient  # noqa: PLC0415 - only in the bot's own process
    from bot.adapters.github import GitHubClient  # noqa: PLC0415 - likewise

    for adapter, write in zip((AirflowClient, GitHubClient), WRITES, strict=True):
        _slow_down(adapter, write, folder / write)


def _slow_down(adapter: type, write: str, file: Path) -> None:
    carry_out = getattr(adapter, write)

    def late(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the write takes
        try:
            file.unlink()
        except FileNotFoundError:
            pass
        else:
            time.sleep(SECONDS)
        return carry_out(*arguments, **more)

    setattr(adapter, write, late)
