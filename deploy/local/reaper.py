"""The process above the stack's own: whatever happens below it, nothing of it stays.

    make ── reaper ── the stack's process ─┬─ PostgreSQL, Airflow, the bot, ...
                                           └─ watchdog

On Linux, processes whose parents died become children of the reaper, so that it can end and reap also those
that no mark or record leads to. It hands signals on, and the exit code back. What it can't do is survive:
when it's killed, the stack's process notices and stops in order; when both are, the watchdog ends what they
left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil

from deploy.local import lineage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.1
_WATCHDOG_SECONDS = 15.0
_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_below(main: Callable[[], int], *, until_parent_ends: bool) -> int:
    """Run `main` in a child process, in a session of its own, and return its exit code.

    With `until_parent_ends` it is stopped, as by SIGTERM, when the process that started us is gone: `make`
    that was killed with -9 would leave us behind.
    """
    parent = os.getppid()
    _adopt_orphans()
    child = os.fork()
    if child == 0:
        _stop_when_orphaned(os.getppid())
        os.setsid()  # so that Ctrl-C reaches it once: from us
        _leave(main())

    def hand_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _HANDED_ON:
        signal.signal(number, hand_on)
    code = None
    while code is None:
        if until_parent_ends and os.getppid() != parent:
            hand_on(signal.SIGTERM, None)
            until_parent_ends = False
        code = _reap(child)
        time.sleep(_POLL_SECONDS)
    _end_all_others()
    return code if code >= 0 else 128 - code


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stop_when_orphaned(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _reap(child: int) -> int | None:
    """Take leave of all children that ended; the exit code of `child` if it's among them."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
    return code


def _end_all_others() -> None:
    """Let the watchdog do its work, if there is one left, then end and reap everything below us."""
    myself = psutil.Process()
    deadline = time.monotonic() + _WATCHDOG_SECONDS
    while any(map(_is_watchdog, myself.children())) and time.monotonic() < deadline:
        _reap(0)
        time.sleep(_POLL_SECONDS)
    while myself.children():
        lineage.destroy(
            lambda: {each for each in myself.children(recursive=True) if not lineage.is_gone(each)}
        )
        _reap(0)


def _is_watchdog(process: psutil.Process) -> bool:
    try:
        return "deploy.local.watchdog" in process.cmdline()
    except psutil.Error:
        return False
