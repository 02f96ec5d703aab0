"""One sweep over all unfinished runs: how many calls to Airflow, and how long.

A bot whose worker was down for a while has so many runs in Airflow, of eight steps each, of which nobody told
it anything: when the worker starts all of them are due for a look, and nothing has changed. Counted until
each was looked at. The real worker, PostgreSQL with fsync, and the quick Airflow, whose pages are as long as
Airflow's. The baseline is what as many runs would take if they were asked for one after another.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_client.client.models.task_instance_response import TaskInstanceResponse

from bot.adapters.airflow import AirflowClient
from bot.adapters.airflow.steps import step_of
from bot.adapters.postgres import Database
from bot.adapters.postgres.rows import step_to
from bot.models import RunRef
from bot.runs.results import read_result
from deploy.local.bot import BotPorts, LocalBot
from tests.bench import receiving
from tests.bench.figures import Figure, NotMeasured
from tests.bench.quick_airflow import QuickAirflow
from tests.bench.sleeping_run import DAG, SleepingRun
from tests.bench.system import connected
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from deploy.local.console import Console
    from deploy.local.postgres import Postgres
    from deploy.local.processes import Supervisor

COUNTS = (1_000, 10_000)
CALLS_GOAL, SECONDS_GOAL, LINEAR_GOAL = 0.025, 0.005, 1.5
"""Calls and seconds for each run, and how much more each may take among ten times as many."""
_DATABASE = "bot_sweeping"
_ALONE = 50
_AGO = 600.0
_PATIENCE_SECONDS = 300.0
_STEPS = {f"step-{number}": "sleep 86400" for number in range(1, 9)}

REPOSITORY = 7777
"""Its id."""

RUNS = """
INSERT INTO runs (id, repository_id, full_name, private, clone_url, number, branch, pipeline, dag_id,
    dag_run_id, head_sha, base_ref, attempt, actor, dryrun, conf, rules, admitted, phase, steps, created_at,
    started_at, due_at)
SELECT 'run-' || n, 7777, 'acme/app', false, 'https://github.example/acme/app.git', n, '', 'unit', %(dag)s,
    'preflight~sweep~acme~app~' || n || '~unit~' || left(md5(n::text), 12) || '~1',
    md5(n::text) || '00000000', 'main', 1, 'somebody', false,
    '{"preflight": {"untrusted": {"author": "somebody"}}}', '{}', true, 'active', %(steps)s,
    to_timestamp(%(began)s), to_timestamp(%(began)s), now() - interval '1 hour'
FROM generate_series(1, %(count)s) AS n
"""
PULLS = """
INSERT INTO pull_requests (repository_id, number, full_name, private, open, head_sha, comment_search)
SELECT repository_id, number, full_name, private, true, head_sha, false FROM runs WHERE phase = 'active'
"""
# One that was looked at is due at another time, some of them again before the last is looked at.
LEFT = "SELECT count(*) FROM runs WHERE due_at < now() - interval '10 minutes'"


@dataclass(frozen=True)
class Sweep:
    """What one took."""

    count: int
    calls: Mapping[str, int]
    seconds: float
    alone_calls: float
    """As many runs one after another, by what some of them took."""
    alone_seconds: float


def figures(
    supervisor: Supervisor, postgres: Postgres, console: Console, *, quick: bool = False
) -> list[Figure]:
    """Calls and seconds of both sweeps, and how much more a run costs among many.

    Raises:
        NotMeasured: not all runs were looked at.
    """
    sweeps = []
    for count in (100, 1_000) if quick else COUNTS:
        with console.phase(f"a sweep over {count:,} unfinished runs"):
            sweeps.append(_sweep(supervisor, postgres, count))
    few, many = sweeps
    found = [figure for sweep in sweeps for figure in _figures(sweep)]
    share = (many.seconds / many.count) / (few.seconds / few.count)
    name = f"a run in a sweep over {many.count:,}, as many times as slow as in one over {few.count:,}"
    return [*found, Figure(name, share, "x", LINEAR_GOAL, {"linear": 1.0})]


def _figures(sweep: Sweep) -> list[Figure]:
    name = f"one sweep over {sweep.count:,} unfinished runs"
    alone = "one after another"
    calls = sum(sweep.calls.values())
    return [
        Figure(
            f"{name}: Airflow calls",
            calls,
            "calls",
            CALLS_GOAL * sweep.count,
            {alone: sweep.alone_calls},
            details={"by_endpoint": dict(sweep.calls), "airflow": "quick"},
        ),
        Figure(f"{name}: time", sweep.seconds, "s", SECONDS_GOAL * sweep.count, {alone: sweep.alone_seconds}),
    ]


def _sweep(supervisor: Supervisor, postgres: Postgres, count: int) -> Sweep:
    url = postgres.create_database(_DATABASE)
    airflow = QuickAirflow("http://127.0.0.1:9/nudge", "nobody listens")
    settings = {
        **receiving.settings(url),
        "PREFLIGHT_AIRFLOW_URL": airflow.url,
        "PREFLIGHT_AIRFLOW_USERNAME": airflow.username,
        "PREFLIGHT_AIRFLOW_PASSWORD": airflow.password,
    }
    bot = LocalBot(settings, BotPorts.free(), supervisor)
    try:
        Database(url, pool_size=1).migrate()
        with connected(postgres, _DATABASE) as connection:
            refs = _fill(connection, airflow, count)
            alone = _alone(airflow, refs[:_ALONE])
            airflow.calls.clear()
            bot.start_worker()
            try:
                bot.wait_ready()
                return _measured(connection, airflow, count, alone)
            finally:
                bot.stop_worker()
    finally:
        airflow.close()
        postgres.drop_database(_DATABASE)


def add_unfinished(connection: psycopg.Connection, count: int) -> float:
    """So many runs that are due, each of a pull request of its own; when Airflow began them."""
    began = round(time.time() - _AGO)
    one = SleepingRun.begin("any", {"steps": _STEPS}, began)
    values = {"dag": DAG, "steps": json.dumps(known_steps(one)), "began": began, "count": count}
    connection.execute(RUNS.encode(), values)
    connection.execute(PULLS.encode())
    connection.execute(b"ANALYZE")
    return began


def _fill(connection: psycopg.Connection, airflow: QuickAirflow, count: int) -> list[RunRef]:
    """The same runs in the database and in Airflow, where nothing has happened to them since."""
    began = add_unfinished(connection, count)
    refs = []
    for run_id, dag_run_id in connection.execute("SELECT id, dag_run_id FROM runs ORDER BY seq").fetchall():
        conf = {"steps": _STEPS, "preflight": {"run_id": run_id}}
        airflow.runs[dag_run_id] = SleepingRun.begin(dag_run_id, conf, began)
        refs.append(RunRef(DAG, dag_run_id))
    return refs


def known_steps(run: SleepingRun) -> list[dict[str, object]]:
    """The run's steps as the bot remembers them."""
    found = []
    for instance in run.as_instances(time.time()):
        step = step_to(step_of(TaskInstanceResponse.model_validate(instance)))
        if instance["state"] == "success":
            result = read_result(run.xcom(instance["task_id"], instance["map_index"]))
            step["result"] = {"exit_code": 0, "reason": "", "reproduce": result.reproduce, "argv": ""}
        found.append(step)
    return found


def _alone(airflow: QuickAirflow, refs: list[RunRef]) -> tuple[float, float]:
    """Calls and seconds for one run that is asked for alone."""
    client = AirflowClient(airflow.url, airflow.username, airflow.password)
    client.look(refs[:1])  # it has to log in
    airflow.calls.clear()
    began = time.perf_counter()
    for ref in refs:
        client.look([ref])
    return len(airflow.calls) / len(refs), (time.perf_counter() - began) / len(refs)


def _measured(
    connection: psycopg.Connection,
    airflow: QuickAirflow,
    count: int,
    alone: tuple[float, float],
) -> Sweep:
    """From the first question to Airflow until no run is left that nobody looked at."""

    def done() -> bool:
        row = connection.execute(LEFT).fetchone()
        return row is not None and row[0] == 0

    try:
        wait_for(done, _PATIENCE_SECONDS, 0.1)
    except TimeoutError as error:
        raise NotMeasured(f"not all of {count} runs were looked at") from error
    seconds = time.time() - airflow.calls[0][0]
    calls = Counter(what for _, what in airflow.calls)
    return Sweep(count, calls, seconds, alone[0] * count, alone[1] * count)
