"""The database: is it there, has it our schema, and what does it say of the bot's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, fine, or_fine, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.models.doctor import SeenSchema, SeenWork
    from bot.ports.doctor import DatabaseLook

PART = "database"
SCHEMA = f"{PART}.schema"
OLDEST = 14
"""PostgreSQL's oldest release that we use."""

SLOW = 60.0
"""Seconds that a delivery may wait before somebody should look."""

UNKNOWN = 3600.0
"""Seconds since GitHub's delivery log was last read to its end, after which somebody should look."""

REACH = "Start PostgreSQL, and see that PREFLIGHT_DATABASE_URL names its host, user, password and database."
WORKER = "Start a worker: `python -m bot worker`, or see its log."
REPLAY = "After mending the cause, `python -m bot replay --parked`."


def database_checks(database: DatabaseLook, *, nudged: bool) -> list[Check]:
    """What is looked at; `nudged`: whether Airflow's plugin is to tell us of changes."""
    return [
        Check(PART, "schema", lambda: judge_schema(database.schema()), REACH),
        Check(PART, "settings", lambda: judge_durability(database.schema()), REACH, (SCHEMA,)),
        Check("worker", "alive", lambda: (judge_workers(database.work()),), REACH, (SCHEMA,)),
        Check("worker", "deliveries", lambda: judge_deliveries(database.work()), REACH, (SCHEMA,)),
        Check("worker", "runs", lambda: judge_runs(database.work(), nudged=nudged), REACH, (SCHEMA,)),
    ]


def judge_schema(seen: SeenSchema) -> tuple[Diagnosis, ...]:
    """Whether program and schema fit."""
    major = seen.version // 10_000
    if major < OLDEST:
        return (broken(f"PostgreSQL {major} is too old", f"Upgrade it to {OLDEST} or newer."),)
    if seen.read_only:
        return (
            broken(
                "the database is read-only: a standby, or one that was closed",
                "Let PREFLIGHT_DATABASE_URL lead to the primary.",
            ),
        )
    if seen.found is None:
        return (broken("the database is empty", "Run `python -m bot migrate`."),)
    if seen.found < seen.wanted:
        return (
            broken(
                f"the schema is at {seen.found}, this version needs {seen.wanted}",
                "Run `python -m bot migrate`.",
            ),
        )
    if seen.found > seen.wanted:
        return (
            warning(
                f"the schema is at {seen.found}, made by a newer version than this one ({seen.wanted})",
                "Right in the middle of an upgrade: else bring this program up to date.",
            ),
        )
    return (fine(f"PostgreSQL {major}, schema {seen.found}, {_size(seen.size)}"),)


def judge_durability(seen: SeenSchema) -> tuple[Diagnosis, ...]:
    """Whether what we have answered 202 to survives a power cut."""
    return or_fine(_volatile(seen), "what is committed is durable")


def judge_workers(seen: SeenWork) -> Diagnosis:
    """Whether anybody works."""
    if seen.workers:
        return fine(f"{_many(seen.workers, 'worker')} at work")
    return broken("no worker is at work: deliveries wait, and runs are not followed", WORKER)


def judge_deliveries(seen: SeenWork) -> tuple[Diagnosis, ...]:
    """What waits, and what could not be handled."""
    last = (
        "none has ever arrived" if seen.newest_delivery is None else f"the last {_ago(seen.newest_delivery)}"
    )
    return or_fine(_stuck(seen), f"{_many(seen.waiting, 'delivery', 'deliveries')} waiting; {last}")


def judge_runs(seen: SeenWork, *, nudged: bool) -> tuple[Diagnosis, ...]:
    """Whether runs are followed and reported in time."""
    return or_fine(_late(seen, nudged=nudged), "runs are followed and reported")


def _volatile(seen: SeenSchema) -> Iterator[Diagnosis]:
    if not seen.fsync:
        yield warning(
            "the server runs with fsync = off: a power cut can destroy the whole database",
            "Set fsync = on in postgresql.conf.",
        )
    if not seen.synchronous_commit:
        yield warning(
            "synchronous_commit is off: a crash loses deliveries that GitHub believes to be with us",
            "Set synchronous_commit = on for the server, the database and the role.",
        )


def _stuck(seen: SeenWork) -> Iterator[Diagnosis]:
    if seen.oldest_waiting is not None and seen.oldest_waiting > SLOW:
        many = _many(seen.waiting, "delivery", "deliveries")
        yield warning(
            f"{many} waiting, the oldest for {_span(seen.oldest_waiting)}",
            WORKER if not seen.workers else "See the worker's log: is GitHub down, or another worker needed?",
        )
    if seen.workers and seen.last_good is not None and seen.last_good > UNKNOWN:
        yield warning(
            f"nobody knows what GitHub could not deliver in the last {_span(seen.last_good)}",
            "The worker's log says why it can't read GitHub's delivery log (\"what was missed\").",
        )
    if seen.parked:
        reasons = "; ".join(seen.parked_reasons)
        yield warning(f"{_many(seen.parked, 'delivery', 'deliveries')} parked: {reasons}", REPLAY)


def _late(seen: SeenWork, *, nudged: bool) -> Iterator[Diagnosis]:
    if seen.overdue_runs:
        yield warning(
            f"{_many(seen.overdue_runs, 'run')} should have been looked at minutes ago",
            WORKER if not seen.workers else "See the worker's log; does Airflow answer quickly?",
        )
    if seen.refused:
        yield warning(
            f"{_many(seen.refused, 'pull request')} could not be reported on several times in a row",
            'The worker\'s log says why ("a report"): mostly a missing permission, or GitHub was down.',
        )
    if nudged and seen.followed and not seen.nudged:
        yield warning(
            f"Airflow nudged us about none of the last {_many(seen.followed, 'run')}: changes show late",
            "In Airflow's environment set PREFLIGHT_NUDGE_URL to http://HOST:PORT/nudge, where web's "
            "PREFLIGHT_INTERNAL_LISTEN is reached, and PREFLIGHT_NUDGE_SECRET as here; web's "
            'preflight_nudges_total{result="unsigned"} grows where the secrets differ.',
        )


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one}" if count == 1 else f"{count} {several or one + 's'}"


def _ago(seconds: float) -> str:
    return f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
