"""Durable deliveries accepted per second: verified, stored with fsync, answered 202.

16 connections, one delivery of 24 KB after another on each, to the bot's web (2 gunicorn processes), no
worker running. The baselines are other receivers under the same server, with the same database:

- one that verifies and stores nothing, which the goals are shares of;
- one that stores each delivery by a plain INSERT, and one that defers a job with procrastinate for each;
- without a framework (`hmac_only.py`), one that verifies and stores nothing: what the server alone can do.

All are measured in turns, so that whatever else the machine does hits all of them; the load comes from two
processes on the same machine, which is part of all values.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.local import environment
from tests.bench import receiving
from tests.bench.figures import Figure, NotMeasured, median, percentile
from tests.bench.receivers import prepare_jobs
from tests.bench.system import connected, plain_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.local.postgres import Postgres
    from deploy.local.processes import Supervisor

CONNECTIONS, GENERATORS = 16, 2
SHARE_GOAL, P99_GOAL = 0.4, 3.0
OURS, VERIFYING, INSERTING, DEFERRING = "the bot", "verifying only", "a plain INSERT", "deferring a job"
BARE = "verifying only, without a framework"
_DATABASE = "bot_accepting"
_ANSWER_SECONDS = 30.0


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
    found: dict[str, list[Round]] = {}
    with _receivers(supervisor, postgres) as receivers:
        for turn in range(-1, rounds):  # the first one warms all up
            length = seconds if turn >= 0 else min(1.0, seconds)
            for number, (name, port) in enumerate(receivers.items()):
                one = measured(supervisor, f"load-{number}-{turn}", port, length)
                found.setdefault(name, []).append(one)
        kept = sum(one.accepted for name in (OURS, INSERTING) for one in found[name])
        check_stored(postgres, _DATABASE, kept)
    rates = {name: median([one.per_second for one in all_[1:]]) for name, all_ in found.items()}
    slowest = {name: median([one.p99 for one in all_[1:]]) for name, all_ in found.items()}
    name = f"durable deliveries accepted, {CONNECTIONS} connections"
    details = {
        "share": rates[OURS] / rates[VERIFYING],
        "rounds": {each: [one.per_second for one in all_[1:]] for each, all_ in found.items()},
    }
    rate, p99 = rates.pop(OURS), slowest.pop(OURS)
    goal = SHARE_GOAL * rates[VERIFYING]
    return [
        Figure(name, rate, "/s", goal, rates, at_least=True, details=details),
        Figure(f"{name}, p99", p99, "ms", P99_GOAL * slowest[VERIFYING], slowest),
        Figure(
            f"{name}, ahead of procrastinate",
            rate,
            "/s",
            rates[DEFERRING],
            {DEFERRING: rates[DEFERRING]},
            at_least=True,
        ),
    ]


@contextlib.contextmanager
def _receivers(supervisor: Supervisor, postgres: Postgres) -> Iterator[Mapping[str, int]]:
    """Where each of them listens."""
    url = postgres.create_database(_DATABASE)
    try:
        with contextlib.ExitStack() as stack:
            at = stack.enter_context(receiving.bot(supervisor, url))
            prepare_jobs(plain_url(url))
            others = {VERIFYING: "nothing", INSERTING: "insert", DEFERRING: "procrastinate"}
            yield {
                OURS: at.public,
                **{
                    name: stack.enter_context(receiving.other(supervisor, url, kind))
                    for name, kind in others.items()
                },
                BARE: stack.enter_context(receiving.bare(supervisor)),
            }
    finally:
        postgres.drop_database(_DATABASE)


def measured(
    supervisor: Supervisor, name: str, port: int, seconds: float, *, per_second: float = 0.0, lanes: int = 1
) -> Round:
    """What the receiver at that port does, as fast as it can or with so many deliveries per second.

    Raises:
        NotMeasured: it did not accept one of them.
    """
    each = [port, CONNECTIONS // GENERATORS, seconds, per_second / GENERATORS, lanes]
    children = [
        supervisor.start(
            f"{name}-{number}",
            [environment.BOT_PYTHON, "-m", "tests.bench.load", *map(str, each)],
            env=environment.base(),
            cwd=environment.ROOT,
        )
        for number in range(GENERATORS)
    ]
    milliseconds: list[float] = []
    rate = 0.0
    for child in children:
        code = child.wait(seconds=seconds + _ANSWER_SECONDS)
        supervisor.stop(child)
        if code != 0:
            raise NotMeasured(f"the load generator failed.\n{child.last_lines()}")
        found = json.loads(child.log.read_text())
        if found["problems"]:
            raise NotMeasured(f"a delivery to port {port} was not accepted: {found['problems'][0]}")
        milliseconds += found["milliseconds"]
        rate += len(found["milliseconds"]) / found["seconds"]
    return Round(len(milliseconds), rate, percentile(milliseconds, 0.99))


def check_stored(postgres: Postgres, database: str, accepted: int) -> None:
    """See that there are as many deliveries as were accepted; NotMeasured if not."""
    with connected(postgres, database) as connection:
        row = connection.execute("SELECT count(*) FROM deliveries").fetchone()
    stored = row[0] if row else 0
    if stored != accepted:
        raise NotMeasured(f"{accepted} deliveries were accepted, but {stored} are stored")
