"""One program that a step runs: fed, heard as it speaks, and ended with all that it started."""

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from steps.process import end_all
from steps.signals import held_back

GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL; less than process.GRACE, so that a step sees its program's end."""
_TICK = 0.2
_DRAIN = 1.0
_PIECE = 65_536

Listener = Callable[[bytes], None]


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    exit_code: int
    """Negative: the signal that killed it."""
    timed_out: bool = False


def hear(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    on_output: Listener,
    on_error: Listener | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    timeout: float | None = None,
    sweep: bool = False,
) -> Ended:
    """Run a program to its end; what it prints goes to the listeners as it comes, however much it is.

    Without `on_error` both streams go to `on_output`. After `timeout` seconds, and when a listener or a
    signal handler raises, the program and what it started are ended. What it leaves behind when it ends by
    itself is not waited for; with `sweep` it is ended, too.

    Raises:
        OSError: it can't be started.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    timed_out = False
    with (
        started(
            argv,
            cwd=cwd,
            env=env,
            bufsize=0,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if on_error else subprocess.STDOUT,
        ) as process,
        _Pipes(process, stdin, on_output, on_error) as pipes,
    ):
        while process.poll() is None:
            pipes.move(_TICK if deadline is None else max(0.0, min(_TICK, deadline - time.monotonic())))
            if deadline is not None and time.monotonic() >= deadline and process.poll() is None:
                timed_out = True
                end_all("group", process.pid, GRACE)
        if sweep:
            end_all("group", process.pid, GRACE)
        pipes.drain(time.monotonic() + _DRAIN)
    return Ended(process.returncode, timed_out)


@contextlib.contextmanager
def started(argv: Sequence[str], **how: Any) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ANN401 - Popen's own
    """Start a program in a process group of its own, which is ended when the body raises.

    A signal that comes while it is being started is heeded once it can be ended.

    Raises:
        OSError: it can't be started.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with held_back():
            process = subprocess.Popen(argv, process_group=0, **how)
        yield process
    except BaseException:
        if process is not None:
            end_all("group", process.pid, GRACE)
        raise
    finally:
        if process is not None:
            with process:  # closes its pipes and waits for it
                pass


class _Pipes:
    """The pipes of a process, none of which ever keeps us waiting for another."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes,
        on_output: Listener,
        on_error: Listener | None,
    ) -> None:
        self._process = process
        self._left = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        for pipe, listener in ((process.stdout, on_output), (process.stderr, on_error)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ, listener)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    def move(self, seconds: float) -> bool:
        """Pass on what comes within `seconds`, or until the process ends; False when nothing came."""
        if not self._selector.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return False
        ready = self._selector.select(seconds)
        for key, _ in ready:
            if key.data is None:
                self._feed()
            elif chunk := os.read(key.fd, _PIECE):
                key.data(chunk)
            else:
                self._selector.unregister(key.fileobj)
        return bool(ready)

    def drain(self, deadline: float) -> None:
        """Pass on what is left: all of it, unless somebody whom the process left behind goes on talking."""
        self._stop_feeding()
        while self._selector.get_map() and self.move(0) and time.monotonic() < deadline:
            pass

    def _feed(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - tells the type checker: it was registered
        try:
            self._left = self._left[os.write(self._process.stdin.fileno(), self._left[:_PIECE]) :]
        except BrokenPipeError:  # it reads no more
            self._left = self._left[:0]
        if not self._left:
            self._stop_feeding()

    def _stop_feeding(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._selector.unregister(self._process.stdin)
            self._process.stdin.close()
