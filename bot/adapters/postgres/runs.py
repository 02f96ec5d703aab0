"""Runs as a queue: those that are due are claimed, looked at, and given back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Float, and_, case, cast, func, null, or_, select, text, true, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.postgres.admission import admit, somebody_waits
from bot.adapters.postgres.archive import wants_archive
from bot.adapters.postgres.database import notify
from bot.adapters.postgres.leases import LEASE, due, next_due, waiting
from bot.adapters.postgres.rows import run_from, step_to
from bot.adapters.postgres.suites import record_tests
from bot.adapters.postgres.tables import runs
from bot.adapters.postgres.touch import touch_reports
from bot.claims import RunClaim
from bot.models import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from bot.adapters.postgres.database import Database
    from bot.claims import QueuedRun, Turn
    from bot.models import Run

CLEARED = timedelta(days=6)  # after its end, somebody may let a run go on
FRESH = timedelta(seconds=3)  # how long a nudge may be ahead of what Airflow's API shows

_TIMEOUT = func.coalesce(cast(runs.c.rules["timeout"].astext, Float), DAY)
# For what is then to be done, nobody needs Airflow.
AWAKE = (
    func.coalesce(runs.c.resumed_at, runs.c.created_at) + func.make_interval(0, 0, 0, 0, 0, 0, _TIMEOUT)
    <= func.now(),
    and_(runs.c.cancel.is_not(None), runs.c.dag_run_id.is_(None)),
)
# Locked in the order in which everybody locks runs; what changed meanwhile is looked at again at once.
GIVE_BACK = text(
    """
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:leases AS timestamptz[]), CAST(:versions AS bigint[]),
            CAST(:seconds AS float8[])
        ) AS given (id, lease, version, seconds)
    ), locked AS MATERIALIZED (
        SELECT id FROM runs WHERE id = ANY (CAST(:ids AS text[])) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE runs SET lease_owner = NULL, lease_until = NULL, due_at = now() + CASE
        WHEN runs.version = given.version THEN make_interval(secs => given.seconds) ELSE interval '0' END
    FROM given JOIN locked USING (id)
    WHERE runs.id = given.id AND runs.lease_until = given.lease
    RETURNING runs.version <> given.version AS changed
    """
)


class PostgresRuns:
    """The RunStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def admit(self, judge: Callable[[Sequence[QueuedRun], Mapping[str, int]], Sequence[Turn]]) -> None:
        """Let waiting runs take their turn, as `judge` says; one process at a time."""
        with self.database.once() as connection:
            if not somebody_waits(connection):
                return
        with self.database.begin() as connection:
            admit(connection, judge)

    def claim_runs(self, limit: int, *, asleep: Collection[str] = ()) -> Sequence[RunClaim]:
        """Take runs that are due and that nobody holds, those asked to stop first; see RunStore."""
        chosen = (
            select(runs.c.id)
            .where(due(runs), or_(runs.c.note.not_in(asleep), *AWAKE) if asleep else true())
            .order_by(runs.c.cancel.is_(None), runs.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(runs)
            .where(runs.c.id.in_(chosen))
            .values(lease_owner=self.database.owner, lease_until=func.now() + LEASE)
            .returning(runs, (runs.c.nudged_at > func.now() - FRESH).label("nudged"))
        )
        with self.database.claiming() as connection:
            rows = connection.execute(statement).all()
        claims = [
            RunClaim(
                run_from(row),
                row.version,
                cancel_sent=row.cancel_sent,
                lease=row.lease_until,
                nudged=bool(row.nudged),
            )
            for row in rows
        ]
        return sorted(claims, key=lambda claim: (claim.run.cancel is None, claim.run.created_at))

    def intend(self, claim: RunClaim, dag_run_id: str) -> bool:
        """Remember, before Airflow is asked, the id under which the run may be there.

        False if another run of ours has that id.
        """
        try:
            with self.database.once() as connection:
                connection.execute(
                    update(runs).where(runs.c.id == claim.run.id).values(dag_run_id=dag_run_id)
                )
        except IntegrityError:
            return False
        return True

    def save_run(self, claim: RunClaim, run: Run, *, cancel_sent: bool, seconds: float | None) -> None:
        """Store what the run is now and give it back; look again after `seconds`, never if None."""
        later = None if seconds is None else func.now() + timedelta(seconds=seconds)
        # A finished run wants no second look, whatever happened meanwhile.
        due_at = later if run.finished else case((runs.c.version == claim.version, later), else_=func.now())
        mine = and_(runs.c.id == run.id, runs.c.lease_until == claim.lease)
        statement = (
            update(runs)
            .where(mine)
            .values(
                phase=run.phase.value,
                dag_run_id=func.coalesce(run.dag_run_id, runs.c.dag_run_id),  # an intended name is kept
                # What somebody asked for meanwhile is what counts.
                cancel=func.coalesce(runs.c.cancel, run.cancel),
                cancel_kind=func.coalesce(
                    runs.c.cancel_kind, None if run.cancel_kind is None else run.cancel_kind.value
                ),
                note=run.note,
                outcome=None if run.outcome is None else run.outcome.value,
                reason=run.reason,
                steps=[step_to(step) for step in run.steps],
                started_at=run.started_at,
                finished_at=run.finished_at,
                cancel_sent=cancel_sent,
                due_at=due_at,
                archive_due_at=func.now() if wants_archive(run) else None,
                lease_owner=None,
                lease_until=None,
            )
            .returning(runs.c.version)
        )
        with self.database.begin() as connection:
            row = connection.execute(statement).one_or_none()
            if row is None:  # our lease ran out; whoever holds the run now sees the same truth in Airflow
                _look_again(connection, run)
                return
            record_tests(connection, claim.run, run)
            if run != claim.run:
                touch_reports(connection, [(run.repository.id, run.number, run.head_sha)])
            if run.finished or row.version != claim.version:
                notify(connection, "run")  # it left its place to others, or is due again itself
            if wants_archive(run):
                notify(connection, "archive")

    def give_back(self, unchanged: Sequence[tuple[RunClaim, float]]) -> None:
        """Give back runs in which nothing has changed; see RunStore."""
        if not unchanged:
            return
        given = {
            "ids": [claim.run.id for claim, _ in unchanged],
            "leases": [claim.lease for claim, _ in unchanged],
            "versions": [claim.version for claim, _ in unchanged],
            "seconds": [seconds for _, seconds in unchanged],
        }
        with self.database.begin() as connection:
            if any(connection.execute(GIVE_BACK, given).scalars().all()):
                notify(connection, "run")

    def revisited(
        self, claim: RunClaim, reopened: Run | None, *, cancel_sent: bool, seconds: float | None
    ) -> None:
        """Give a finished run back that was looked at again; see RunStore."""
        held = and_(runs.c.id == claim.run.id, runs.c.lease_until == claim.lease)
        unchanged = and_(held, runs.c.version == claim.version)
        due_at = null() if seconds is None else func.now() + timedelta(seconds=seconds)
        values: dict[str, object] = {"cancel_sent": cancel_sent, "due_at": due_at}
        if reopened is not None:
            values |= {
                "phase": reopened.phase.value,
                "outcome": None,
                "reason": "",
                "finished_at": None,
                "resumed_at": reopened.resumed_at,
                "archive_due_at": None,
            }
        with self.database.begin() as connection:
            mine = connection.execute(update(runs).where(unchanged).values(values)).rowcount
            connection.execute(update(runs).where(held).values(lease_owner=None, lease_until=None))
            if mine and reopened is not None:
                run = claim.run
                touch_reports(connection, [(run.repository.id, run.number, run.head_sha)])
                notify(connection, "run")

    def nudge(self, dag_run_id: str, *, began: bool = False) -> bool:
        """Have the run looked at now; False if we have none that may have changed."""
        goes = runs.c.phase != "finished"
        if began:  # nobody asked it to stop, and its steps may still share a folder
            ended = and_(runs.c.cancel.is_(None), runs.c.finished_at > func.now() - CLEARED)
            goes = or_(goes, ended)
        mine = and_(runs.c.dag_run_id == dag_run_id, goes, runs.c.admitted)
        with self.database.begin() as connection:
            nudged = connection.execute(
                update(runs)
                .where(mine)
                .values(due_at=func.now(), nudged_at=func.now(), version=runs.c.version + 1)
            )
            if nudged.rowcount:
                notify(connection, "run")
            return bool(nudged.rowcount)

    def next_due(self) -> float | None:
        """The seconds until a run is due, None if none is unfinished."""
        with self.database.once() as connection:
            return next_due(connection, waiting(runs), runs)


def _look_again(connection: Connection, run: Run) -> None:
    """Whoever ended the run meanwhile may have found nothing in Airflow, where we have just begun it."""
    if run.dag_run_id is None:  # we began none
        return
    ended = and_(runs.c.id == run.id, runs.c.phase == "finished", runs.c.due_at.is_(None))
    late = and_(ended, runs.c.dag_run_id == run.dag_run_id)
    if connection.execute(update(runs).where(late).values(due_at=func.now())).rowcount:
        notify(connection, "run")
