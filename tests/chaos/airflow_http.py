"""The fake Airflow behind Airflow's REST API, as far as the bot asks: what it answers, and how it fails.

The adapter that talks to it is the real one, and it passes the contract suite that the real Airflow passes
(tests/adapters/airflow_worlds.py, HttpWorld). `trouble` makes it fail as networks and api-servers do.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from bot.errors import AirflowRefused, DagNotFound, DagRunNotFound, ParamsRefused
from bot.models import RunRef, Step, StepState
from tests.chaos import airflow_json as say
from tests.chaos.airflow_trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.chaos.airflow_json import Json
    from tests.fakes.airflow import FakeAirflow, FakeRun

OK, CREATED, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT = 200, 201, 400, 401, 403, 404, 409
UNPROCESSABLE = 422
HOST = "127.0.0.1"
_RUN = r"/api/v2/dags/(?P<dag>[^/]+)/dagRuns/(?P<run>[^/]+)"
_TASK = rf"{_RUN}/taskInstances/(?P<task>[^/]+)"
_ALL = r"/api/v2/dags/~/dagRuns"


class AirflowOverHttp:
    """Listens from the beginning until `close`.

    `began` and `went_on` are told of each run that a request created or let go on.
    """

    username, password = "preflight", "a password for nothing"

    def __init__(
        self,
        fake: FakeAirflow,
        *,
        began: Callable[[RunRef], None] = lambda _: None,
        went_on: Callable[[RunRef], None] = lambda _: None,
        port: int = 0,
    ) -> None:
        self.fake = fake
        self.trouble = Trouble()
        self._began, self._went_on = began, went_on
        self._stopped: set[RunRef] = set()
        self._token = secrets.token_hex(8)
        self._server = ThreadingHTTPServer((HOST, port), partial(_Handler, self))
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def is_stopped(self, ref: RunRef) -> bool:
        """Whether the run was stopped, and does not go on since."""
        return ref in self._stopped

    def answer(
        self, method: str, path: str, query: Mapping[str, str], body: Json, token: str
    ) -> tuple[int, object]:
        """The status of the answer to one request, and its JSON (or its lines)."""
        if path == "/auth/token":
            return self._log_in(body)
        if token != self._token:
            return FORBIDDEN, {"detail": "Forbidden"}
        for wanted, pattern, act in self._ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == wanted:
                return self._said(partial(act, self, found.groupdict(), query, body))
        return NOT_FOUND, {"detail": f"no such thing here: {method} {path}"}

    def _said(self, act: Callable[[], tuple[int, object]]) -> tuple[int, object]:
        """What is done, or refused as Airflow refuses it."""
        try:
            return act()
        except (DagNotFound, DagRunNotFound) as error:
            return NOT_FOUND, {"detail": str(error)}
        except ParamsRefused as error:
            status = BAD_REQUEST if str(error).startswith("Invalid input") else UNPROCESSABLE
            return status, {"detail": str(error)}
        except AirflowRefused as error:
            return BAD_REQUEST, {"detail": str(error)}

    def _log_in(self, body: Json) -> tuple[int, object]:
        if (body.get("username"), body.get("password")) != (self.username, self.password):
            return UNAUTHORIZED, {"detail": "Invalid credentials"}
        return CREATED, {"access_token": self._token}

    def _details(self, at: Mapping[str, str], *_: object) -> tuple[int, object]:
        return OK, say.details(self.fake.dag(at["dag"]))

    def _dags(self, _: object, query: Mapping[str, str], __: object) -> tuple[int, object]:
        prefixes = tuple(query["dag_id_prefix_pattern"].split("|"))
        names = [name for name in self.fake.dag_ids() if name.startswith(prefixes)]
        found = [say.dag(self.fake.dag(name), self.fake.tasks(name)) for name in names]
        return OK, {"dags": found[: int(query["limit"])], "total_entries": len(found)}

    def _dag(self, at: Mapping[str, str], *_: object) -> tuple[int, object]:
        return OK, say.dag(self.fake.dag(at["dag"]), self.fake.tasks(at["dag"]))

    def _pools(self, _: object, query: Mapping[str, str], __: object) -> tuple[int, object]:
        found = [say.pool(name, pool) for name, pool in self.fake.pools.items()]
        page = _page(found, int(query["offset"]), int(query["limit"]))
        return OK, {"pools": page, "total_entries": len(found)}

    def _health(self, *_: object) -> tuple[int, object]:
        return OK, say.health(self.fake.scheduler_silent_since)

    def _tasks(self, at: Mapping[str, str], *_: object) -> tuple[int, object]:
        tasks = self.fake.tasks(at["dag"])
        return OK, {"tasks": [say.task(tasks, name) for name in tasks.order], "total_entries": 0}

    def _trigger(self, at: Mapping[str, str], _: object, body: Json) -> tuple[int, object]:
        ref = RunRef(at["dag"], str(body["dag_run_id"]))
        if not self.fake.trigger(ref, body["conf"] or {}, body.get("note") or ""):
            return CONFLICT, {"detail": "DAGRun with that run id already exists"}
        self._began(ref)
        return OK, self._shown(ref)

    def _one(self, at: Mapping[str, str], *_: object) -> tuple[int, object]:
        return OK, self._shown(_ref(at))

    def _patch_run(self, at: Mapping[str, str], _: object, body: Json) -> tuple[int, object]:
        ref = _ref(at)
        if body["state"] == "failed":
            if not self._run(ref).state.finished:
                self._stopped.add(ref)
            self.fake.cancel(ref)
        else:
            self._run(ref)
            self.fake.go_on(ref)
            self._go_on(ref)
        return OK, self._shown(ref)

    def _listed(self, _: object, query: Mapping[str, str], __: Json) -> tuple[int, object]:
        prefixes = tuple(query["run_id_prefix_pattern"].split("|"))
        dags = tuple(query["dag_id_prefix_pattern"].split("|"))
        found = [
            (ref, run)
            for ref, run in list(self.fake.runs.items())
            if ref.dag_run_id.startswith(prefixes) and ref.dag_id.startswith(dags)
        ]
        page = _page(found, int(query["offset"]), int(query["limit"]))
        return OK, {"dag_runs": [say.dag_run(*each) for each in page], "total_entries": len(found)}

    def _instances(self, _: object, __: object, body: Json) -> tuple[int, object]:
        wanted = [RunRef(dag, run) for dag in body["dag_ids"] for run in body["dag_run_ids"]]
        looked = self.fake.look(wanted)
        found = [say.instance(ref, step) for ref, run in looked.items() if run for step in run.steps]
        page = _page(found, body["page_offset"], body["page_limit"])
        return OK, {"task_instances": page, "total_entries": len(found)}

    def _instance(self, at: Mapping[str, str], *_: object) -> tuple[int, object]:
        run = self.fake.look([_ref(at)])[_ref(at)]
        steps = () if run is None else run.steps
        found = next((step for step in steps if step.key == (at["task"], -1)), None)
        return (
            (NOT_FOUND, {"detail": "no such task"}) if found is None else (OK, say.instance(_ref(at), found))
        )

    def _call_successful(
        self, at: Mapping[str, str], query: Mapping[str, str], _: Json
    ) -> tuple[int, object]:
        self.fake.call_successful(_ref(at), (at["task"], int(query.get("map_index", -1))))
        return OK, {"task_instances": [], "total_entries": 0}

    def _clear(self, at: Mapping[str, str], _: object, body: Json) -> tuple[int, object]:
        ref = RunRef(at["dag"], body["dag_run_id"])
        keys = {(name, -1) if isinstance(name, str) else (name[0], name[1]) for name in body["task_ids"]}
        self.fake.clear(ref, keys, go=body["reset_dag_runs"])
        if body["reset_dag_runs"]:
            self._go_on(ref)
        return OK, {"task_instances": [], "total_entries": 0}

    def _xcom(self, at: Mapping[str, str], query: Mapping[str, str], _: Json) -> tuple[int, object]:
        step = Step(at["task"], int(query.get("map_index", -1)), "", StepState.SUCCEEDED)
        key = (*step.key, at["key"])
        run = self.fake.runs.get(_ref(at))
        if run is None or key not in run.xcoms:
            return NOT_FOUND, {"detail": "XCom entry not found"}
        return OK, {"value": run.xcoms[key]}

    def _xcoms(self, at: Mapping[str, str], query: Mapping[str, str], _: Json) -> tuple[int, object]:
        ref = _ref(at)
        found = [key for key in self._run(ref).xcoms if key[2] == query["xcom_key"] and key[1] < 0]
        return OK, {"xcom_entries": [say.xcom_entry(ref, key) for key in found], "total_entries": len(found)}

    def _log(self, at: Mapping[str, str], query: Mapping[str, str], _: Json) -> tuple[int, object]:
        state, index = StepState.SUCCEEDED, int(query.get("map_index", -1))
        step = Step(at["task"], index, "", state, try_number=int(at["number"]))
        return OK, [say.log_line(line) for line in self.fake.log(_ref(at), step)]

    def _go_on(self, ref: RunRef) -> None:
        self._stopped.discard(ref)
        self._went_on(ref)

    def _run(self, ref: RunRef) -> FakeRun:
        self.fake.conf(ref)  # DagRunNotFound
        return self.fake.runs[ref]

    def _shown(self, ref: RunRef) -> Json:
        return say.dag_run(ref, self._run(ref))

    _ROUTES: Sequence[tuple[str, str, Callable[..., tuple[int, object]]]] = (
        ("GET", r"/api/v2/dags/(?P<dag>[^/]+)/details", _details),
        ("GET", r"/api/v2/dags/(?P<dag>[^/]+)/tasks", _tasks),
        ("GET", r"/api/v2/dags", _dags),
        ("GET", r"/api/v2/dags/(?P<dag>[^/]+)", _dag),
        ("GET", r"/api/v2/pools", _pools),
        ("GET", r"/api/v2/monitor/health", _health),
        ("POST", rf"{_ALL}/~/taskInstances/list", _instances),
        ("GET", _ALL, _listed),
        ("POST", r"/api/v2/dags/(?P<dag>[^/]+)/dagRuns", _trigger),
        ("GET", _RUN, _one),
        ("PATCH", _RUN, _patch_run),
        ("POST", r"/api/v2/dags/(?P<dag>[^/]+)/clearTaskInstances", _clear),
        ("GET", _TASK, _instance),
        ("PATCH", rf"{_TASK}(?:/(?P<index>-?\d+))?", _call_successful),
        ("GET", rf"{_RUN}/taskInstances/~/xcomEntries", _xcoms),
        ("GET", rf"{_TASK}/xcomEntries/(?P<key>.+)", _xcom),
        ("GET", rf"{_TASK}/logs/(?P<number>\d+)", _log),
    )


def _ref(at: Mapping[str, str]) -> RunRef:
    return RunRef(at["dag"], at["run"])


def _page(found: Sequence[Any], offset: int, limit: int) -> Sequence[Any]:
    return found[offset : offset + limit]


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and writes its answer, in one packet; or does to it what the trouble wants."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, airflow: AirflowOverHttp, *arguments: Any) -> None:  # noqa: ANN401 - as the server has it
        self.airflow = airflow
        super().__init__(*arguments)

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        path = unquote(address.path)
        harm = self.airflow.trouble.meets(self.command, path)
        if harm is not None and not harm.before():
            self.close_connection = True
            return
        if harm is not None and harm.status and not harm.executed:
            self._send(harm.status, {"detail": "not now"})
            return
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, answer = self.airflow.answer(self.command, path, query, json.loads(body or "{}"), token)
        if harm is not None and harm.lost:
            self.close_connection = True
        elif harm is not None and harm.status:
            self._send(harm.status, {"detail": "done, and yet"})
        else:
            self._send(status, answer)

    do_POST = do_PATCH = do_GET  # noqa: N815 -- the library's names

    def _send(self, status: int, answer: object) -> None:
        lines = answer if isinstance(answer, list) else [answer]
        content = b"\n".join(json.dumps(line).encode() for line in lines)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing."""
