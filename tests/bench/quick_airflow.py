"""An Airflow for bursts: the part of Airflow's REST API that the bot asks, before runs that only sleep.

900 task instances in a minute are more than a real Airflow does on two cores. This one runs nothing: the DAG
`checks` takes steps of the form "sleep SECONDS", and what each is doing is told by the time that has passed.
What it answers goes through Airflow's own client, whose models check it; its hints are those of our plugin.
"""

from __future__ import annotations

import bisect
import json
import re
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from deploy.local import ports
from deploy.local.ports import HOST
from tests.bench.quick_hints import Hints
from tests.bench.sleeping_run import DAG, SleepingRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.bench.sleeping_run import Json

PAGE = 100
OK, CREATED, NOT_FOUND, CONFLICT = 200, 201, 404, 409
_API = "/api/v2/dags"
_RUN_ID = re.compile(r"/dagRuns/preflight[^/]+")
_DAG_RUNS = f"{_API}/{DAG}/dagRuns"


class QuickAirflow:
    """It listens from the beginning until `close`."""

    username, password = "preflight", "a password for nothing"

    def __init__(self, nudge_url: str, nudge_secret: str) -> None:
        self.runs: dict[str, SleepingRun] = {}
        """By the DAG run's id."""
        self.calls: list[tuple[float, str]] = []
        """All that it was asked: when, and method and path without the run's id."""
        self._hints = Hints(nudge_url, nudge_secret)
        self._server = ThreadingHTTPServer((HOST, ports.choose_any()), partial(_Handler, self))
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, name="quick-airflow", daemon=True).start()

    def close(self) -> None:
        """Listen no more, and send no more hints."""
        self._hints.close()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Json) -> tuple[int, object]:
        """The status and the JSON of the answer to one request."""
        self.calls.append((time.time(), f"{method} {_RUN_ID.sub('/dagRuns/ID', path)}"))
        for wanted, pattern, act in self._ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == wanted:
                return act(self, found.groupdict(), query, body)
        return NOT_FOUND, {"detail": f"no such thing here: {method} {path}"}

    def _log_in(self, *_: object) -> tuple[int, object]:
        return CREATED, {"access_token": "a token"}

    def _details(self, *_: object) -> tuple[int, object]:
        return OK, _DETAILS

    def _tasks(self, *_: object) -> tuple[int, object]:
        return OK, {"tasks": _TASKS, "total_entries": len(_TASKS)}

    def _trigger(self, _: Mapping[str, str], __: Mapping[str, str], body: Json) -> tuple[int, object]:
        dag_run_id = str(body["dag_run_id"])
        if dag_run_id in self.runs:
            return CONFLICT, {"detail": "there is one of that id"}
        run = SleepingRun.begin(dag_run_id, body["conf"], time.time())
        self.runs[dag_run_id] = run
        for at, hint in run.hints():
            self._hints.plan(at, hint)
        return OK, run.as_dag_run(time.time())

    def _listed(self, _: Mapping[str, str], query: Mapping[str, str], __: Json) -> tuple[int, object]:
        now = time.time()
        found = [self.runs[name] for name in _beginning(self.runs, query["run_id_prefix_pattern"].split("|"))]
        page = _page(found, int(query["offset"]), min(int(query["limit"]), PAGE))
        return OK, {"dag_runs": [run.as_dag_run(now) for run in page], "total_entries": len(found)}

    def _one(self, at: Mapping[str, str], _: Mapping[str, str], __: Json) -> tuple[int, object]:
        run = self.runs.get(at["run"])
        return (NOT_FOUND, {"detail": "no such run"}) if run is None else (OK, run.as_dag_run(time.time()))

    def _instances(self, _: Mapping[str, str], __: Mapping[str, str], body: Json) -> tuple[int, object]:
        now = time.time()
        wanted = [self.runs[name] for name in body["dag_run_ids"] if name in self.runs]
        found = [instance for run in wanted for instance in run.as_instances(now)]
        page = _page(found, body["page_offset"], body["page_limit"])
        return OK, {"task_instances": page, "total_entries": len(found)}

    def _xcom(self, at: Mapping[str, str], query: Mapping[str, str], _: Json) -> tuple[int, object]:
        run = self.runs[at["run"]]
        return OK, {"value": run.xcom(at["task"], int(query.get("map_index", -1)))}

    _ROUTES: Sequence[tuple[str, str, Callable[..., tuple[int, object]]]] = (
        ("POST", "/auth/token", _log_in),
        ("GET", f"{_API}/{DAG}/details", _details),
        ("GET", f"{_API}/{DAG}/tasks", _tasks),
        ("POST", _DAG_RUNS, _trigger),
        ("GET", f"{_API}/~/dagRuns", _listed),
        ("GET", f"{_DAG_RUNS}/(?P<run>[^/]+)", _one),
        ("POST", f"{_API}/~/dagRuns/~/taskInstances/list", _instances),
        (
            "GET",
            f"{_DAG_RUNS}/(?P<run>[^/]+)/taskInstances/(?P<task>[^/]+)/xcomEntries/preflight",
            _xcom,
        ),
    )


def _beginning(names: Iterable[str], prefixes: Sequence[str]) -> Iterator[str]:
    """Those that begin with one of them; thousands of names and a hundred prefixes take a millisecond."""
    in_order = sorted(names)
    for prefix in sorted(prefixes):
        for index in range(bisect.bisect_left(in_order, prefix), len(in_order)):
            if not in_order[index].startswith(prefix):
                break
            yield in_order[index]


def _page(found: Sequence[Any], offset: int, limit: int) -> Sequence[Any]:
    return found[offset : offset + limit]


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and writes its answer, in one packet."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def __init__(self, airflow: QuickAirflow, *arguments: Any) -> None:  # noqa: ANN401 - as the server has it
        self.airflow = airflow
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Json) -> None:
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        status, answer = self.airflow.answer(self.command, unquote(address.path), query, body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing."""


_DETAILS = {
    "dag_id": DAG,
    "dag_display_name": DAG,
    "catchup": False,
    "concurrency": 64,
    "file_token": "",
    "fileloc": f"/dags/{DAG}.py",
    "has_import_errors": False,
    "has_task_concurrency_limits": False,
    "is_backfillable": False,
    "is_paused": False,
    "is_stale": False,
    "max_active_tasks": 64,
    "max_consecutive_failed_dag_runs": 0,
    "owners": ["nobody"],
    "params": {"steps": {"schema": {"type": "object"}}},
    "render_template_as_native_obj": False,
    "tags": [{"name": "preflight", "dag_id": DAG, "dag_display_name": DAG}],
    "timetable_partitioned": False,
    "timetable_periodic": False,
}
_TASKS = [
    {
        "task_id": name,
        "downstream_task_ids": following,
        "trigger_rule": "all_success",
        "depends_on_past": False,
        "extra_links": [],
        "retry_exponential_backoff": 0,
        "wait_for_downstream": False,
    }
    for name, following in (("clone", ["step"]), ("step", []))
]
