"""Nudges the bot when a run of its own changes: a hint to go and look, never the truth.

Over HTTP where PREFLIGHT_NUDGE_URL and PREFLIGHT_NUDGE_SECRET (or PREFLIGHT_NUDGE_SECRET_FILE) are set, or
with PREFLIGHT_EVENTS=pubsub over Google Cloud Pub/Sub. Whatever happens here must not matter to Airflow: no
database, no waiting, no exception.

It also closes Airflow's processes, which hold its secrets, to steps that run as the same user.
"""

import base64
import contextlib
import ctypes
import functools
import hashlib
import hmac
import importlib
import json
import os
import queue
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
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
PUBSUB = "pubsub.googleapis.com"
GOOGLE = ("google.auth", "google.auth.transport.requests", "google.auth.jwt", "google.oauth2.service_account")
PUBSUB_SCOPE = "https://www.googleapis.com/auth/pubsub"
_WAITING = 1000
_PR_SET_DUMPABLE = 4


Post = Callable[[bytes], None]
"""Sends one hint; raises whatever went wrong."""


class Nudger:
    """Sends hints from a thread of its own. Those that don't fit in the queue are dropped."""

    def __init__(self, connect: Callable[[], Post]) -> None:
        self._connect = connect
        self._hints: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=_WAITING)
        self._process = 0  # the process whose thread sends: Airflow forks one process per task

    def nudge(self, hint: dict[str, Any]) -> None:
        """Take a hint to be sent soon."""
        if self._process != os.getpid():
            self._hints = queue.Queue(maxsize=_WAITING)
            threading.Thread(target=self._send_all, args=(self._hints,), daemon=True, name="nudge").start()
            self._process = os.getpid()
        with contextlib.suppress(queue.Full):
            self._hints.put_nowait(hint | {"sent_at": datetime.now(UTC).isoformat()})

    def flush(self, seconds: float) -> None:
        """Wait until what was taken is sent, but not for long: this process is about to end."""
        deadline = time.monotonic() + seconds
        while self._process == os.getpid() and self._hints.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)

    def _send_all(self, hints: "queue.Queue[dict[str, Any]]") -> None:
        post: Post | None = None  # made here: connections don't survive a fork
        while True:
            hint = hints.get()
            with contextlib.suppress(Exception):
                post = post or self._connect()
                post(json.dumps(hint).encode())
            hints.task_done()


def over_http(url: str, secret: bytes) -> Post:
    """Post hints to the bot's `/nudge`."""

    def post(body: bytes) -> None:
        headers = {"Content-Type": "application/json", "X-Preflight-Signature-256": signature(body, secret)}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - nudger_from lets only http(s) in
        with urllib.request.urlopen(request, timeout=SECONDS_PER_POST) as response:  # noqa: S310 - likewise
            response.read(1)

    return post


def over_pubsub(topic: str, secret: bytes, emulator: str) -> Post:
    """Publish hints to a topic (`projects/PROJECT/topics/TOPIC`), as whom Google's default credentials say.

    By REST: grpc is not safe in a process that forks, as the scheduler does, and takes 0.7 s to get the first
    message of a task out, where this takes 0.02 s.
    https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
    """
    url, token = (f"http://{emulator}", None) if emulator else (f"https://{PUBSUB}", _google_token())
    publish = functools.partial(
        importlib.import_module("requests").Session().post,
        f"{url}/v1/{topic}:publish",
        timeout=SECONDS_PER_POST,
    )

    def post(body: bytes) -> None:
        attributes = {"signature": signature(body, secret)} if secret else {}
        message = {"data": base64.b64encode(body).decode(), "attributes": attributes}
        headers = {"Authorization": f"Bearer {token()}"} if token else {}
        publish(json={"messages": [message]}, headers=headers).raise_for_status()

    return post


def _google_token() -> Callable[[], str]:
    """Return what gives a token of Application Default Credentials, renewed when it is about to expire.

    The library's own sessions would do so, too, but ask iamcredentials.googleapis.com in each task as well.
    """
    auth, transport, jwt, keys = map(importlib.import_module, GOOGLE)
    credentials, _ = auth.default(default_scopes=[PUBSUB_SCOPE])
    if isinstance(credentials, keys.Credentials):  # signs its own tokens: https://google.aip.dev/auth/4111
        credentials = jwt.Credentials.from_signing_credentials(credentials, f"https://{PUBSUB}/")
    request = functools.partial(transport.Request(), timeout=SECONDS_PER_POST)

    def token() -> str:
        if not credentials.valid:
            credentials.refresh(request)
        return str(credentials.token)

    return token


def signature(body: bytes, secret: bytes) -> str:
    """What tells the bot that a hint is ours: an HMAC, written as GitHub writes them."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


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
    """Return the nudger that the environment asks for, None for none.

    Over HTTP it needs a URL and a secret; over Pub/Sub a project, where Google says who may publish.
    """
    secret = _secret_from(environ)
    if environ.get("PREFLIGHT_EVENTS") == "pubsub":
        project = environ.get("PREFLIGHT_PUBSUB_PROJECT", "")
        topic = f"projects/{project}/topics/{environ.get('PREFLIGHT_PUBSUB_PREFIX') or 'preflight'}-events"
        emulator = environ.get("PUBSUB_EMULATOR_HOST", "")
        return Nudger(functools.partial(over_pubsub, topic, secret, emulator)) if project else None
    url = environ.get("PREFLIGHT_NUDGE_URL", "")
    if urlsplit(url).scheme not in {"http", "https"} or not secret:
        return None
    return Nudger(functools.partial(over_http, url, secret))


def _secret_from(environ: Mapping[str, str]) -> bytes:
    secret = environ.get("PREFLIGHT_NUDGE_SECRET", "")
    with contextlib.suppress(OSError, ValueError):
        if file := environ.get("PREFLIGHT_NUDGE_SECRET_FILE"):
            secret = Path(file).read_text(encoding="utf-8").strip()
    return secret.encode()


class PreflightListenerPlugin(AirflowPlugin):
    """What Airflow finds in its plugins folder."""

    name = "preflight_listener"
    listeners: list[ModuleType | object] = [NudgeListener()]  # noqa: RUF012 - Airflow wants a list here

    @classmethod
    def on_load(cls, *_args: object, **_kwargs: object) -> None:
        """Airflow calls this where it loads plugins; what that process forks, such as tasks, inherits it."""
        keep_to_itself()
        load_early(os.environ)


def load_early(environ: Mapping[str, str]) -> None:
    """Import what publishing needs, before there are threads and tasks: 0.07 s once, not in each task.

    Were it imported in the sending thread, a process forked meanwhile would inherit a lock on half a module.
    """
    with contextlib.suppress(Exception):
        if environ.get("PREFLIGHT_EVENTS") == "pubsub":
            tuple(map(importlib.import_module, GOOGLE))


def keep_to_itself() -> None:
    """Let no other process of our user read our environment, memory and open files (prctl(2), proc(5)).

    The same as steps.privileges.keep_to_itself, which can't be imported in all processes that load plugins.
    """
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
