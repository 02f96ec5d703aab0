"""A folder of a step's own, removed however the step ends."""

import contextlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """Make a fresh folder; SIGTERM, SIGINT and SIGHUP end the step only after it is removed."""
    before = {number: signal.signal(number, _stop) for number in _SIGNALS}
    folder = Path(tempfile.mkdtemp(prefix="preflight-"))
    try:
        yield folder
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        remove(folder)
        for number, handler in before.items():
            signal.signal(number, handler)


def remove(folder: Path) -> None:
    """Remove `folder` and what is in it, folders that somebody made read-only too."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for parent, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(parent).chmod(stat.S_IRWXU)
        shutil.rmtree(folder, ignore_errors=True)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
