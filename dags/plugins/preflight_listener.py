"""Nudges the bot over HTTP when a run of its own changes: a hint to go and look, never the truth.

PREFLIGHT_NUDGE_URL and PREFLIGHT_NUDGE_SECRET (or PREFLIGHT_NUDGE_SECRET_FILE) turn it on. Whatever happens
here must not matter to Airflow: no database, no waiting, no exception.

It also closes Airflow's processes, which hold its secrets, to steps that run as the same user.
"""

import contextlib
import ctypes
import functools
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

RUN_PREFIX = "preflight~"
SECONDS_PER_POST = 2.0
SECONDS_AT_EXIT = 0.5
_WAITING = 1000
_PR_SET_DUMPABLE = 4


class Nudger:
    """Sends hints from a thread of its own. Those that don't fit in the queue are dropped."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret
        self._hints: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=_WAITING)
        self._process = 0  # the process whose thread sends: Airflow forks one process per task

    def nudge(self, hint: dict[str, Any]) -> None:
        """Take a hint to be sent soon."""
        if self._process != os.getpid():
            self._hints = queue.Queue(maxsize=_WAITING)
            threading.Thread(target=self._send_all, args=(self._hints,), daemon=True, name="nudge").start()
            self._process = os.getpid()
        with contextlib.suppress(queue.Full):
            self._hints.put_nowait(hint)

    def flush(self, seconds: float) -> None:
        """Wait until what was taken is sent, but not for long: this process is about to end."""
        deadline = time.monotonic() + seconds
        while self._process == os.getpid() and self._hints.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)

    def _send_all(self, hints: "queue.Queue[dict[str, Any]]") -> None:
        while True:
            hint = hints.get()
            with contextlib.suppress(Exception):
                self._send(hint)
            hints.task_done()

    def _send(self, hint: dict[str, Any]) -> None:
        body = json.dumps(hint | {"sent_at": datetime.now(UTC).isoformat()}).encode()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Preflight-Signature-256": f"sha256={signature}"}
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310 - nudger_from lets only http(s) in
        with urllib.request.urlopen(request, timeout=SECONDS_PER_POST) as response:  # noqa: S310 - likewise
            response.read(1)


class NudgeListener:
    """Turns Airflow's hooks into hints. Those of tasks run in the task, those of runs in the scheduler."""

    @functools.cached_property
    def _nudger(self) -> Nudger | None:
        """Read the environment when the first hook is called, not when the module is imported."""
        return nudger_from(os.environ)

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:  # noqa: ANN401 - Airflow has several classes of it
        """A task started."""
        self._task(task_instance, "running")

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:  # noqa: ANN401 - likewise
        """A task succeeded."""
        self._task(task_instance, "success")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any) -> None:  # noqa: ANN401 - likewise
        """A task failed, for good or to be tried again."""
        self._task(task_instance, "failed")

    @hookimpl
    def on_dag_run_running(self, dag_run: Any) -> None:  # noqa: ANN401 - as the specification has it
        """A run started."""
        self._run(dag_run, "running")

    @hookimpl
    def on_dag_run_success(self, dag_run: Any) -> None:  # noqa: ANN401 - likewise
        """A run succeeded."""
        self._run(dag_run, "success")

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any) -> None:  # noqa: ANN401 - likewise
        """A run failed."""
        self._run(dag_run, "failed")

    @hookimpl
    def before_stopping(self) -> None:
        """Let the last hint out before the process ends."""
        with contextlib.suppress(Exception):
            if self._nudger:
                self._nudger.flush(SECONDS_AT_EXIT)

    def _task(self, ti: Any, state: str) -> None:  # noqa: ANN401 - likewise
        with contextlib.suppress(Exception):
            map_index = ti.map_index if isinstance(ti.map_index, int) and ti.map_index >= 0 else None
            place = {"task_id": ti.task_id, "map_index": map_index, "try_number": ti.try_number}
            self._nudge(ti.dag_id, ti.run_id, state, place)

    def _run(self, dag_run: Any, state: str) -> None:  # noqa: ANN401 - likewise
        with contextlib.suppress(Exception):
            place = {"task_id": None, "map_index": None, "try_number": None}
            self._nudge(dag_run.dag_id, dag_run.run_id, state, place)

    def _nudge(self, dag_id: str, dag_run_id: str, state: str, place: dict[str, Any]) -> None:
        if self._nudger and dag_run_id.startswith(RUN_PREFIX):
            self._nudger.nudge({"dag_id": dag_id, "dag_run_id": dag_run_id, **place, "state": state})


def nudger_from(environ: Mapping[str, str]) -> Nudger | None:
    """Return the nudger that the environment asks for: none without a URL and a secret."""
    url = environ.get("PREFLIGHT_NUDGE_URL", "")
    secret = environ.get("PREFLIGHT_NUDGE_SECRET", "")
    with contextlib.suppress(OSError):
        if file := environ.get("PREFLIGHT_NUDGE_SECRET_FILE"):
            secret = Path(file).read_text(encoding="utf-8").strip()
    if urlsplit(url).scheme not in {"http", "https"} or not secret:
        return None
    return Nudger(url, secret.encode())


class PreflightListenerPlugin(AirflowPlugin):
    """What Airflow finds in its plugins folder."""

    name = "preflight_listener"
    listeners: list[ModuleType | object] = [NudgeListener()]  # noqa: RUF012 - Airflow wants a list here

    @classmethod
    def on_load(cls, *_args: object, **_kwargs: object) -> None:
        """Airflow calls this where it loads plugins; what that process forks, such as tasks, inherits it."""
        keep_to_itself()


def keep_to_itself() -> None:
    """Let no other process of our user read our environment, memory and open files (prctl(2), proc(5)).

    The same as steps.privileges.keep_to_itself, which can't be imported in all processes that load plugins.
    """
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
