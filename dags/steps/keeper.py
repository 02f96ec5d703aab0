"""Runs one command within limits, and leaves nothing of it behind, however either of them ends.

It stands between a task's process and its step: the parent that adopts what the step's processes leave, and
that counts what they use. When the task's process ends, even by SIGKILL, it ends the step all the same.

Exit code: the command's own, or its signal. What else there is to say goes to --verdict, as JSON.
"""

import argparse
import contextlib
import functools
import json
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import Any

from steps import landlock, privileges, sockets
from steps.step_limits import StepLimits
from steps.tree import descendants, end_below, kill_below, threads_of
from steps.usage import Usage
from steps.workspace import remove

_TICK = 0.2
_SHARE = 20  # looking at processes may take one 20th of the time
_TOLD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _ToldToEnd(BaseException):
    """Somebody wants the command ended: raised in the middle of whatever is done."""


class _Keeper:
    """One command, from its start to the end of all that it started."""

    def __init__(self, args: argparse.Namespace, limits: StepLimits) -> None:
        self._args = args
        self._limits = limits
        self._child = 0
        self._status: int | None = None
        self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> tuple[int, str]:
        """Run it; returns its exit code (negative: the signal) and which limit it went beyond.

        Raises:
            OSError: it can't be started.
        """
        exceeded = ""
        privileges.adopt_orphans()
        signal.set_wakeup_fd(self._bell[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in _TOLD:
            signal.signal(number, _told)
        try:
            privileges.end_with_parent(signal.SIGTERM)
            if os.getppid() == self._args.parent:
                self._start()
                exceeded = self._watch()
        except _ToldToEnd:
            pass
        finally:
            for number in _TOLD:
                signal.signal(number, signal.SIG_IGN)
            self._end(hurry=bool(exceeded))
        exit_code = os.waitstatus_to_exitcode(self._status or 0)
        return exit_code, exceeded or self._limits.broken_by(exit_code)

    def _start(self) -> None:
        confine = _confinement(self._args, self._limits)
        process = subprocess.Popen(
            self._args.command,
            env=_environment(),
            preexec_fn=confine,  # noqa: PLW1509 - this process has one thread
        )
        self._child = process.pid
        process.returncode = 0  # it is buried here, with all others

    def _watch(self) -> str:
        """Wait until the command ends, or is over a limit: returns which."""
        usage = Usage(self._limits, self._args.watch)
        pause = _TICK
        while self._status is None:
            started = time.monotonic()
            if exceeded := usage.exceeded(descendants(os.getpid())):
                return exceeded
            pause = max(_TICK, (time.monotonic() - started) * _SHARE)
            ends = time.monotonic() + pause
            self._bury()
            while self._status is None and (left := ends - time.monotonic()) > 0:
                self._hear(left)
                self._bury()
        return ""

    def _hear(self, seconds: float) -> None:
        """Wait for a signal, such as that of a child's end."""
        select.select([self._bell[0]], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell[0], 4096)

    def _end(self, *, hurry: bool) -> None:
        """End what is left: with a sandbox the command's end is all others', without one we look for them."""
        me = os.getpid()
        if not hurry:
            end_below(me, self._args.grace, spare=self._child if self._args.boxed else 0, reap=self._bury)
        kill_below(me, reap=self._bury)
        self._bury()

    def _bury(self) -> None:
        """Take the exit codes of all that ended."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._child:
                    self._status = ended[1]


def _told(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise _ToldToEnd


def _environment() -> dict[str, str]:
    """Tell our own binaries whose end is theirs (process.end_with_parent)."""
    return {**os.environ, "STEP_PARENT": str(os.getpid())}


def _confinement(args: argparse.Namespace, limits: StepLimits) -> Callable[[], None]:
    """Return what the command's process does before it becomes the command."""
    running = threads_of(os.geteuid())
    rules = landlock.rules(writable=args.writable, readable=args.readable, hidden=args.hidden)

    def confine() -> None:
        privileges.end_with_parent(signal.SIGKILL)  # where even the keeper is killed, with the task's process
        limits.apply(running)
        if args.drop_privileges:
            privileges.drop_privileges()
        if args.hidden:
            landlock.restrict(rules)
        if args.no_sockets:
            sockets.refuse()

    return confine


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and end as it ended."""
    args = _parser().parse_args(argv)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limits = StepLimits(**{field.name: getattr(args, field.name) for field in fields(StepLimits)})
    verdict: dict[str, Any] = {}
    exit_code = 127
    try:
        exit_code, verdict["exceeded"] = _Keeper(args, limits).run()
    except (OSError, subprocess.SubprocessError) as error:
        verdict["error"] = [
            getattr(error, "errno", None) or 0,
            getattr(error, "strerror", None) or str(error),
        ]
    if os.getppid() != args.parent:  # nobody is there who would do it
        for folder in args.remove:
            remove(folder)
    if args.verdict is not None:
        with contextlib.suppress(BrokenPipeError):
            os.write(args.verdict, json.dumps(verdict).encode())
    _end_as(exit_code)


def _end_as(exit_code: int) -> None:
    if exit_code < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no disposition
            signal.signal(-exit_code, signal.SIG_DFL)
        os.kill(os.getpid(), -exit_code)
    raise SystemExit(exit_code if exit_code >= 0 else 128 - exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m steps.keeper", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--parent", type=int, default=os.getppid(), help="end when that process does")
    parser.add_argument("--grace", type=float, default=3, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("--verdict", type=int, metavar="FD", help="open file for what else there is to say")
    for field in fields(StepLimits):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=int, default=0, metavar="N")
    folders = functools.partial(parser.add_argument, type=Path, action="append", default=[], metavar="PATH")
    folders("--watch", help="folder whose size counts as disk use")
    folders("--remove", help="folder to remove when --parent has ended before us")
    parser.add_argument("--boxed", action="store_true", help="the command is a sandbox around the step")
    parser.add_argument("--drop-privileges", action="store_true", help="no capabilities, none to be had")
    parser.add_argument("--no-sockets", action="store_true", help="no sockets that have names")
    folders("--hidden", help="what the kernel's Landlock is to hide from the command")
    folders("--readable", help="what it leaves readable of that")
    folders("--writable", help="what it leaves writable; nothing else is")
    parser.add_argument("command", nargs="+", help="the command; put -- before it")
    return parser


if __name__ == "__main__":
    main()
