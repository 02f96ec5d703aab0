"""The pages that people see, out of a history of 1,000,000 runs: milliseconds until one is there, p99.

The real web process on PostgreSQL, asked by one reader over a kept connection, all pages in turns. Of each
filter there are several addresses, such as for the busiest repository, for a sleeping one and for one that
there is not: the one with the slowest median counts. The baseline is that median, and the same page of a
history of 1,000 runs.
"""

from __future__ import annotations

import http.client
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres import Database
from deploy.local import ports
from deploy.local.bot import BotPorts, LocalBot
from tests.adapters.postgres_history import fill
from tests.bench.figures import Figure, NotMeasured, median, percentile
from tests.bench.webhook import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from deploy.local.console import Console
    from deploy.local.postgres import Postgres
    from deploy.local.processes import Supervisor

MANY, FEW = 1_000_000, 1_000
GOAL = 100.0
BUSY = "repository=acme/App-2"
PAGES: Mapping[str, Sequence[str]] = {
    "/": ("/", "/?after=500"),
    "by repository": tuple(f"/?repository=acme/App-{name}" for name in ("1", "2", "50", "none")),
    "by pull request": ("/?pull=17", "/?pull=19999", "/?pull=999999", f"/?{BUSY}&pull=17"),
    "by pipeline": ("/?pipeline=pipeline-3", "/?pipeline=none", f"/?{BUSY}&pipeline=pipeline-3"),
    "by branch": ("/?branch=main", "/?branch=none"),
    "by state": tuple(f"/?state={name}" for name in ("success", "failure", "error", "unfinished")),
    "by author": ("/?author=author-7", "/?author=nobody", f"/?{BUSY}&author=author-7"),
    "by all": (f"/?{BUSY}&pipeline=pipeline-3&state=error&author=author-7", "/?state=error&author=nobody"),
    "/pr/...": ("/pr/{pull}",),
    "/runs/ID": ("/runs/{run}",),
}
_DATABASE = "bot_pages"
_WARM_UP = 5
_SECONDS = 60.0
_PATIENCE_SECONDS = 600.0  # for what fills a history
# A run as `checks` leaves it.
_EIGHT_STEPS = text(
    """
    UPDATE runs SET outcome = 'success', steps = (
        SELECT jsonb_agg(jsonb_build_object('task_id', 'step', 'map_index', n, 'name', 'step-' || n, 'state',
            'succeeded', 'try_number', 1, 'started_at', to_jsonb(started_at), 'ended_at',
            to_jsonb(finished_at), 'excerpt', null, 'result', null)) FROM generate_series(0, 7) AS n
    ) WHERE id = :id
    """
)


def figures(
    supervisor: Supervisor, postgres: Postgres, console: Console, *, many: int = MANY, rounds: int = 200
) -> list[Figure]:
    """Milliseconds of each page.

    Raises:
        NotMeasured: a page was not there.
    """
    took = {count: _took(supervisor, postgres, console, count, rounds) for count in (FEW, many)}
    return [_figure(name, addresses, took[many], took[FEW], many) for name, addresses in PAGES.items()]


def _figure(
    name: str,
    addresses: Sequence[str],
    took: Mapping[str, Sequence[float]],
    of_few: Mapping[str, Sequence[float]],
    many: int,
) -> Figure:
    slowest = max(addresses, key=lambda address: median(took[address]))
    return Figure(
        f"{many:,} runs, page {name}, p99",
        percentile(took[slowest], 0.99),
        "ms",
        GOAL,
        {"median": median(took[slowest]), f"{FEW:,} runs": percentile(of_few[slowest], 0.99)},
        details={
            "slowest": slowest,
            "all": {each: (median(took[each]), percentile(took[each], 0.99)) for each in addresses},
        },
    )


def _took(
    supervisor: Supervisor, postgres: Postgres, console: Console, many: int, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of each page, by its address in `PAGES`."""
    took = defaultdict[str, list[float]](list)
    with (
        console.phase(f"pages of {many:,} runs"),
        _history(postgres, many) as (url, given),
        _web(supervisor, url) as port,
    ):
        connection = http.client.HTTPConnection(ports.HOST, port, timeout=_SECONDS)
        for turn in range(-_WARM_UP, rounds):
            for address in (address for addresses in PAGES.values() for address in addresses):
                milliseconds = _ask(connection, address.format(**given))
                if turn >= 0:
                    took[address].append(milliseconds)
        connection.close()
    return took


@contextmanager
def _history(postgres: Postgres, many: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """A database with so many runs, and where one run and one pull request of them are; gone afterwards."""
    url = postgres.create_database(_DATABASE)
    database = Database(url, pool_size=1, patience=_PATIENCE_SECONDS)
    try:
        database.migrate()
        fill(database, many)
        with database.begin() as connection:
            public = "SELECT id, full_name, number FROM runs WHERE NOT private AND number > 0"
            row = connection.execute(text(f"{public} ORDER BY seq DESC LIMIT 1")).one()
            connection.execute(_EIGHT_STEPS, {"id": row.id})
        with database.once() as connection:
            connection.execute(text("CHECKPOINT"))  # what was just filled in is on the disk, as a year's is
        yield url, {"run": row.id, "pull": f"{row.full_name}/{row.number}"}
    finally:
        database.close()
        postgres.drop_database(_DATABASE)


@contextmanager
def _web(supervisor: Supervisor, url: str) -> Iterator[int]:
    """The bot's web alone; where it listens."""
    nowhere = f"http://{ports.HOST}:9"
    at = BotPorts.free()
    bot = LocalBot(
        {
            "PREFLIGHT_DATABASE_URL": url,
            "PREFLIGHT_WEBHOOK_SECRETS": SECRET,
            "PREFLIGHT_GITHUB_API_URL": nowhere,
            "PREFLIGHT_GITHUB_TOKEN": "a-token-for-nobody",
            "PREFLIGHT_REPOSITORIES": "*/*",
            "PREFLIGHT_AIRFLOW_URL": nowhere,
            "PREFLIGHT_AIRFLOW_USERNAME": "nobody",
            "PREFLIGHT_AIRFLOW_PASSWORD": "nothing",
        },
        at,
        supervisor,
    )
    bot.start_web()
    try:
        bot.wait_ready()
        yield at.public
    finally:
        bot.stop_web()


def _ask(connection: http.client.HTTPConnection, address: str) -> float:
    """Milliseconds until the page was there."""
    began = time.perf_counter()
    connection.request("GET", address)
    response = connection.getresponse()
    content = response.read()
    took = (time.perf_counter() - began) * 1000
    if response.status != http.client.OK:
        raise NotMeasured(f"GET {address} was answered with {response.status}: {content[:200]!r}")
    return took
