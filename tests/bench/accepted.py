"""Durable deliveries accepted per second: verified, stored with fsync, answered 202.

16 connections, one delivery of 24 KB after another on each, to the bot's web (2 gunicorn processes), no
worker running. The baseline is `hmac_only.py` under the same gunicorn. Both are measured in turns, so that
whatever else the machine does hits both; the load comes from two processes on the same machine, which is
part of both values.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from deploy.local import environment, ports
from deploy.local.bot import BotPorts, LocalBot
from tests.bench.figures import Figure, NotMeasured, median, percentile
from tests.bench.webhook import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres
    from deploy.local.processes import Supervisor

CONNECTIONS, GENERATORS = 16, 2
WEB_PROCESSES = 2
SHARE_GOAL, P99_GOAL = 0.4, 3.0
_DATABASE = "bot_accepting"
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Round:
    """What one server did in one turn."""

    accepted: int
    per_second: float
    p99: float
    """Milliseconds."""


def figures(supervisor: Supervisor, postgres: Postgres, *, rounds: int, seconds: float) -> list[Figure]:
    """Deliveries per second and the p99 of their answers, the median of all rounds.

    Raises:
        NotMeasured: one was refused, or accepted and not stored.
    """
    ours: list[Round] = []
    bare: list[Round] = []
    with _bot_web(supervisor, postgres) as port, _hmac_only(supervisor) as bare_port:
        for turn in range(-1, rounds):  # the first one warms both up
            length = seconds if turn >= 0 else min(1.0, seconds)
            ours.append(_round(supervisor, f"load-bot-{turn}", port, length))
            bare.append(_round(supervisor, f"load-bare-{turn}", bare_port, length))
        _check_stored(postgres, sum(each.accepted for each in ours))
    rate, bare_rate = (median([each.per_second for each in all_[1:]]) for all_ in (ours, bare))
    p99, bare_p99 = (median([each.p99 for each in all_[1:]]) for all_ in (ours, bare))
    name = f"durable deliveries accepted, {CONNECTIONS} connections"
    return [
        Figure(
            name,
            rate,
            "/s",
            SHARE_GOAL * bare_rate,
            {"verifying only": bare_rate},
            at_least=True,
            details={"share": rate / bare_rate, "rounds": [each.per_second for each in ours[1:]]},
        ),
        Figure(
            f"{name}, p99",
            p99,
            "ms",
            P99_GOAL * bare_p99,
            {"verifying only": bare_p99},
            details={"rounds": [each.p99 for each in ours[1:]]},
        ),
    ]


@contextlib.contextmanager
def _bot_web(supervisor: Supervisor, postgres: Postgres) -> Iterator[int]:
    """The bot's web alone; it asks neither GitHub nor Airflow, so none are there."""
    nowhere = f"http://{ports.HOST}:9"
    at = BotPorts.free()
    bot = LocalBot(
        {
            "PREFLIGHT_DATABASE_URL": postgres.create_database(_DATABASE),
            "PREFLIGHT_WEBHOOK_SECRETS": SECRET,
            "PREFLIGHT_GITHUB_API_URL": nowhere,
            "PREFLIGHT_GITHUB_TOKEN": "a token for nobody",
            "PREFLIGHT_REPOSITORIES": "*/*",
            "PREFLIGHT_AIRFLOW_URL": nowhere,
            "PREFLIGHT_AIRFLOW_USERNAME": "nobody",
            "PREFLIGHT_AIRFLOW_PASSWORD": "nothing",
            "PREFLIGHT_WEB_PROCESSES": str(WEB_PROCESSES),
        },
        at,
        supervisor,
    )
    bot.migrate()
    bot.start_web()
    try:
        bot.wait_ready()
        yield at.public
    finally:
        bot.stop_web()
        postgres.drop_database(_DATABASE)


@contextlib.contextmanager
def _hmac_only(supervisor: Supervisor) -> Iterator[int]:
    """The baseline, with the settings of the bot's own server."""
    port = ports.choose_any()
    child = supervisor.start(
        "hmac-only",
        [
            *(environment.BOT_PYTHON, "-m", "gunicorn", "tests.bench.hmac_only:app"),
            *("--bind", f"{ports.HOST}:{port}", "--workers", str(WEB_PROCESSES), "--no-control-socket"),
            *("--worker-class", "gthread", "--threads", "8", "--keep-alive", "5", "--log-level", "warning"),
        ],
        env=environment.base(),
        cwd=environment.ROOT,
    )
    try:
        child.wait_until(lambda: ports.answers(port), "it listened", seconds=_START_SECONDS)
        yield port
    finally:
        supervisor.stop(child)


def _round(supervisor: Supervisor, name: str, port: int, seconds: float) -> Round:
    connections = CONNECTIONS // GENERATORS
    children = [
        supervisor.start(
            f"{name}-{number}",
            [environment.BOT_PYTHON, "-m", "tests.bench.load", str(port), str(connections), str(seconds)],
            env=environment.base(),
            cwd=environment.ROOT,
        )
        for number in range(GENERATORS)
    ]
    accepted, per_second, milliseconds = 0, 0.0, []
    for child in children:
        code = child.wait(seconds=seconds + _START_SECONDS)
        supervisor.stop(child)
        if code != 0:
            raise NotMeasured(f"the load generator failed.\n{child.last_lines()}")
        found = json.loads(child.log.read_text())
        if found["problems"]:
            raise NotMeasured(f"a delivery to port {port} was not accepted: {found['problems'][0]}")
        accepted += len(found["milliseconds"])
        per_second += len(found["milliseconds"]) / found["seconds"]
        milliseconds += found["milliseconds"]
    return Round(accepted, per_second, percentile(milliseconds, 0.99))


def _check_stored(postgres: Postgres, accepted: int) -> None:
    url = postgres.url(_DATABASE).replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM deliveries").fetchone()
    stored = row[0] if row else 0
    if stored != accepted:
        raise NotMeasured(f"{accepted} deliveries were accepted, but {stored} are stored")
