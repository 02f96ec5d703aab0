"""A folder of a step's own, removed however the step ends."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
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
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    for parent, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(parent).chmod(stat.S_IRWXU)
    # Not by rmtree: it gives up on folders that are nested some hundred levels deep.
    subprocess.run(["rm", "-rf", "--", folder], check=False, stderr=subprocess.DEVNULL)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
