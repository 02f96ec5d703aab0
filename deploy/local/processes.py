"""Child processes in hand: a log file and a session for each, an orderly end, and none left behind.

For example:

    with Supervisor(Path(".preflight/demo")) as supervisor:
        web = supervisor.start("web", [python, "-m", "bot", "web"], env=environment, cwd=checkout)
        web.wait_until(lambda: ports.answers(8080), "it listened", seconds=20)
        supervisor.kill(web)      # as a crash would; start another one with the same name

At the end of the block all are stopped. If we are killed instead, the watchdog ends them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import psutil

from deploy.local import lineage
from deploy.local.child import Child, Stop, last_lines
from deploy.local.errors import AlreadyRunningError, StackError
from deploy.local.record import Record, Started, load, sweep
from deploy.local.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["Child", "Stop", "Supervisor"]

_KEEP_THE_MARK = {"SPT_NOENV": "1"}
"""Airflow's processes name themselves by setproctitle, which writes over their environment without this."""


class Supervisor:
    """Starts children and answers for their end; one at a time per directory."""

    def __init__(self, directory: Path) -> None:
        """Keep logs, lock and record in `directory`, which is made if missing.

        Raises:
            AlreadyRunningError: another process supervises there.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.logs = directory / "logs"
        self._children: list[Child] = []
        self._record_path = directory / "processes.json"
        self._record = Record(mark=secrets.token_hex(8))
        self._one_at_a_time = threading.Lock()
        self._closed = False
        self._hurry = threading.Event()
        self._lock_file = self._take_lock()
        try:
            if (left := load(self._record_path)) is not None:
                sweep(left)
            shutil.rmtree(self.logs, ignore_errors=True)
            self.logs.mkdir()
            self._record.save(self._record_path)
            self._watchdog = Watchdog(self._record_path, self._record.mark)
        except BaseException:
            os.close(self._lock_file)
            raise

    def start(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stop: Stop | None = None,
        user: int | None = None,
        group: int | None = None,
    ) -> Child:
        """Start `command` with exactly that environment and a mark in it; its output goes to `logs/NAME.log`.

        A second child may have the name of one that ended. `user` and `group` are for programs that refuse
        root.
        """
        stop = stop or Stop()
        mark = f"{self._record.mark}:{secrets.token_hex(4)}"
        log_path = self.logs / f"{name}.log"
        with self._one_at_a_time, log_path.open("ab") as log:
            if self._closed:
                raise StackError(f"{name} is not started: everything is being stopped.")
            try:
                process = subprocess.Popen(
                    command,
                    env={**env, lineage.MARK_VARIABLE: mark, **_KEEP_THE_MARK},
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    user=user,
                    group=group,
                    extra_groups=None if user is None else [],
                )
            except OSError as error:
                raise StackError(
                    f"{name} can't be started: {error}. If it's missing, run `make env`."
                ) from error
            child = Child(process, name=name, log=log_path, mark=mark, stop=stop, hurry=self._hurry)
            started = Started(name, process.pid, psutil.Process(process.pid).create_time(), stop.quick)
            self._record.started.append(started)
            self._record.save(self._record_path)
            self._children.append(child)
        return child

    def last_lines(self, name: str, count: int) -> str:
        """The end of that child's log, for an error message."""
        return last_lines(self.logs / f"{name}.log", count)

    def ended(self) -> list[Child]:
        """The children that ended without having been stopped."""
        return [child for child in self._children if not child.running]

    def stop(self, child: Child) -> None:
        """Stop that child; it's no longer ours to watch."""
        child.stop()
        self._forget(child)

    def kill(self, child: Child) -> None:
        """SIGKILL that child and its descendants; it's no longer ours to watch."""
        child.kill()
        self._forget(child)

    def stop_all(self) -> None:
        """Stop all children at once, and then those that the others needed for their stop."""
        for after_others in (False, True):
            children = [child for child in self._children if child.stop_after_others is after_others]
            with ThreadPoolExecutor() as pool:
                try:
                    list(pool.map(self.stop, children))
                except BaseException:  # a second Ctrl-C
                    self._hurry.set()
                    raise

    def close(self) -> None:
        """Stop all children, start no more, and let others supervise in this directory."""
        with self._one_at_a_time:
            self._closed = True
        try:
            self.stop_all()
        finally:
            sweep(self._record)
            self._record_path.unlink(missing_ok=True)
            self._watchdog.dismiss()
            os.close(self._lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _forget(self, child: Child) -> None:
        with self._one_at_a_time:
            self._children[:] = [each for each in self._children if each is not child]
            self._record.started[:] = [each for each in self._record.started if each.pid != child.pid]
            self._record.save(self._record_path)

    def _take_lock(self) -> int:
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode().strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunningError(
                f"It already runs here (process {owner} holds {self.directory}). Stop that one first."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        return descriptor
