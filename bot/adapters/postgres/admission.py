"""Waiting runs take their turn: one judge at a time decides who may start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, text, update

from bot.adapters.postgres.archive import WAS_THERE
from bot.adapters.postgres.database import lock_key, notify
from bot.adapters.postgres.rows import rules_from
from bot.adapters.postgres.tables import runs
from bot.adapters.postgres.touch import touch_reports
from bot.claims import Need, QueuedRun
from bot.models import DAY, PREFIX, Outcome, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from bot.claims import Turn

# As the partial index `runs_waiting` says it.
WAITING = "runs.phase <> 'finished' AND NOT runs.admitted AND runs.cancel IS NULL"

ANY = text(f"SELECT EXISTS (SELECT FROM runs WHERE {WAITING})")  # noqa: S608 - words of our own
QUEUE = text(
    f"SELECT id, rules, note, due_at FROM runs WHERE {WAITING} "  # noqa: S608 - likewise
    "ORDER BY coalesce(resumed_at, created_at), seq"
)
# A run keeps its places until it has ended in Airflow, whatever it was asked to do.
TAKEN = text(
    """
    SELECT held.key, count(*) AS runs
    FROM runs, jsonb_to_recordset(runs.rules -> 'limits') AS held (key text)
    WHERE runs.phase <> 'finished' AND runs.admitted
    GROUP BY held.key
    """
)
NEEDS = text(
    f"""
    SELECT runs.id, need.pipeline,
        CASE WHEN said.run_id IS NULL THEN said.state ELSE coalesce(needed.outcome, 'pending') END AS state
    FROM runs
    CROSS JOIN jsonb_array_elements_text(runs.rules -> 'needs') AS need (pipeline)
    JOIN verdicts AS said
        ON said.repository_id = runs.repository_id AND said.number = runs.number
        AND said.head_sha = runs.head_sha AND said.context = :prefix || need.pipeline
    LEFT JOIN runs AS needed ON needed.id = said.run_id
    WHERE {WAITING}
    """  # noqa: S608 - likewise
)

# Whoever holds the row knows it as waiting, and has no say any more.
TAKEN_OVER = {"note": "", "version": runs.c.version + 1, "lease_owner": None, "lease_until": None}
ADMIT = update(runs).values(admitted=True, due_at=func.now(), **TAKEN_OVER)
REFUSE = (
    update(runs)
    .where(runs.c.id == bindparam("of_run"))
    .values(
        phase=Phase.FINISHED.value,
        outcome=Outcome.ERROR.value,
        reason=bindparam("because"),
        finished_at=func.now(),
        due_at=None,
        archive_due_at=WAS_THERE,
        **TAKEN_OVER,
    )
)
# A version before let runs without a timeout wait for ever.
DEADLINE = text(
    "UPDATE runs SET due_at = coalesce(resumed_at, created_at) + make_interval(secs => :seconds) "  # noqa: S608 - likewise
    f"WHERE {WAITING} AND due_at IS NULL AND lease_owner IS NULL"
)
NOTE = update(runs).where(runs.c.id == bindparam("of_run")).values(note=bindparam("said"))


def somebody_waits(connection: Connection) -> bool:
    """Whether a run waits for its turn: one look at an index that is empty most of the time."""
    return bool(connection.execute(ANY).scalar())


def admit(
    connection: Connection, judge: Callable[[Sequence[QueuedRun], Mapping[str, int]], Sequence[Turn]]
) -> None:
    """Show the judge who waits and how many places are taken, and do as it says.

    Whoever comes while another judges waits for it, and then sees what it left: nothing that was stored
    before this call is missed.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("admission")})
    queue = _queue(connection)
    if queue:
        taken = {row.key: row.runs for row in connection.execute(TAKEN)}
        turns = {turn.run_id: turn for turn in judge(tuple(queue.values()), taken)}
        _carry_out(connection, {run_id: turns[run_id] for run_id in queue if run_id in turns})


def _queue(connection: Connection) -> dict[str, QueuedRun]:
    """The waiting runs by their ids, oldest first."""
    rows = connection.execute(QUEUE).all()
    if any(row.due_at is None for row in rows):
        connection.execute(DEADLINE, {"seconds": DAY})
    rules = {row.id: rules_from(row.rules) for row in rows}
    found = {}
    if any(rule.needs for rule in rules.values()):
        found = {
            (row.id, row.pipeline): _need(row.state) for row in connection.execute(NEEDS, {"prefix": PREFIX})
        }
    return {
        row.id: QueuedRun(
            id=row.id,
            limits=rules[row.id].limits,
            needs={name: found.get((row.id, name), Need.MISSING) for name in rules[row.id].needs},
            note=row.note,
        )
        for row in rows
    }


def _need(state: str) -> Need:
    """What a status or an outcome means to who waits for it."""
    return {"success": Need.PASSED, "pending": Need.PENDING}.get(state, Need.FAILED)


def _carry_out(connection: Connection, turns: Mapping[str, Turn]) -> None:
    """Change those of the runs that still wait: one may have been stopped while the judge thought."""
    waiting = connection.execute(
        select(runs.c.id, runs.c.repository_id, runs.c.number, runs.c.head_sha, runs.c.note)
        .where(runs.c.id.in_(turns), text(WAITING))
        .order_by(runs.c.id)
        .with_for_update(key_share=True)
    ).all()
    admitted = [row for row in waiting if turns[row.id].admitted]
    refused = [row for row in waiting if not turns[row.id].admitted and turns[row.id].refusal]
    others = [row for row in waiting if not turns[row.id].admitted and not turns[row.id].refusal]
    noted = [row for row in others if turns[row.id].note != row.note]
    if admitted:
        connection.execute(ADMIT.where(runs.c.id.in_([row.id for row in admitted])))
    if refused:
        says = [{"of_run": row.id, "because": turns[row.id].refusal} for row in refused]
        connection.execute(REFUSE, says)
        notify(connection, "run")  # those that need it are refused next
        notify(connection, "archive")
    if noted:
        connection.execute(NOTE, [{"of_run": row.id, "said": turns[row.id].note} for row in noted])
    seen = [*refused, *noted, *(row for row in admitted if row.note)]
    touch_reports(connection, [(row.repository_id, row.number, row.head_sha) for row in seen])
