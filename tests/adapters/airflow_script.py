"""An Airflow that says what a test tells it to, for answers that a real one cannot be made to give."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


class Asked(NamedTuple):
    """A request, but for its login."""

    method: str
    path: str
    query: dict[str, str]
    token: str
    body: dict[str, object]


@dataclass
class Said:
    """An answer. `body` is bytes, an iterator of them (sent in chunks), or what JSON can say."""

    status: int = 200
    body: object = b""
    headers: dict[str, str] = field(default_factory=dict)


class ScriptedAirflow(ThreadingHTTPServer):
    """Logs everybody in, with the tokens "token-1", "token-2" and so on; `answer` says all the rest."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Callable[[Asked], Said] = lambda _: Said(404, {"detail": "nothing scripted"})
        self.login: Callable[[], Said] | None = None
        self.logins = 0
        self.asked: list[Asked] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, asked: Asked) -> Said:
        if asked.path != "/auth/token":
            with self.lock:
                self.asked.append(asked)
            return self.answer(asked)
        with self.lock:
            self.logins += 1
            return self.login() if self.login else Said(201, {"access_token": f"token-{self.logins}"})


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedAirflow
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = self.server.say(
            Asked(
                self.command,
                parts.path,
                {name: values[0] for name, values in parse_qs(parts.query).items()},
                self.headers.get("Authorization", "").removeprefix("Bearer "),
                json.loads(body or "{}"),
            )
        )
        try:
            self._send(said)
        except ConnectionError:  # the other side's, or one that the script raises to break off
            self.close_connection = True

    do_POST = do_PATCH = do_GET  # noqa: N815 -- the library's names

    def _send(self, said: Said) -> None:
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if isinstance(said.body, Iterator):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in said.body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
            return
        body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name in the library
        """Keep quiet."""


@contextlib.contextmanager
def scripted_airflow() -> Iterator[ScriptedAirflow]:
    """A server on a port of its own."""
    with ScriptedAirflow() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def details(dag_id: str = "checks", **changes: object) -> dict[str, object]:
    """What Airflow says of a DAG."""
    return {
        "dag_id": dag_id,
        "dag_display_name": dag_id,
        "is_paused": False,
        "is_stale": False,
        "has_import_errors": False,
        "timetable_partitioned": False,
        "timetable_periodic": False,
        "tags": [],
        "max_active_tasks": 16,
        "max_consecutive_failed_dag_runs": 0,
        "has_task_concurrency_limits": False,
        "owners": [],
        "catchup": False,
        "render_template_as_native_obj": False,
        "is_backfillable": False,
        "file_token": "x",
        "fileloc": "/dags/checks.py",
        "concurrency": 16,
        "params": {},
        **changes,
    }


def dag_run(dag_run_id: str, **changes: object) -> dict[str, object]:
    """What Airflow says of a DAG run."""
    return {
        "dag_id": "checks",
        "dag_run_id": dag_run_id,
        "dag_display_name": "checks",
        "dag_versions": [],
        "run_after": "2026-01-01T00:00:00Z",
        "run_type": "manual",
        "state": "running",
        "conf": {},
        **changes,
    }


def task_instance(dag_run_id: str, task_id: str, state: str | None, **changes: object) -> dict[str, object]:
    """What Airflow says of a task instance."""
    return {
        "id": "01a20426-3d2e-7b18-a207-59f14fa96a8b",
        "dag_id": "checks",
        "dag_run_id": dag_run_id,
        "dag_display_name": "checks",
        "task_id": task_id,
        "task_display_name": task_id,
        "map_index": -1,
        "try_number": 1,
        "max_tries": 0,
        "state": state,
        "executor_config": "{}",
        "pool": "default_pool",
        "pool_slots": 1,
        "run_after": "2026-01-01T00:00:00Z",
        **changes,
    }
