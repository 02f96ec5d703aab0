"""What making good for missed deliveries needs: marks, the inbox, what we know of pull requests."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from bot.adapters.postgres.database import lock_key, notify, translated
from bot.adapters.postgres.tables import decisions, deliveries, heads, marks, pull_requests, verdicts
from bot.models import KnownPull, Repository, StatusState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Subquery, Table

    from bot.adapters.postgres.database import Database
    from bot.models import Delivery

LOCK = lock_key("recovery")
BEGAN = "began"
"""The mark of our first start ever."""

# A delivery is as old as the moment at which it is due: it waits on purpose.
PUT_BY_AND_BY = text(
    """
    WITH begin AS MATERIALIZED (
        SELECT greatest(now(), max(due_at) + :step) AS at FROM deliveries
        WHERE state = 'queued' AND event = ANY(:events) AND due_at > now()
    )
    INSERT INTO deliveries (id, event, lane, body, due_at, received_at)
    SELECT new.id, new.event, new.lane, new.body, new.at, new.at FROM (
        SELECT given.*, coalesce(begin.at, now()) + (given.place - 1) * CAST(:step AS interval) AS at
        FROM begin, unnest(
            CAST(:ids AS text[]), CAST(:events AS text[]), CAST(:lanes AS text[]), CAST(:bodies AS bytea[])
        ) WITH ORDINALITY AS given (id, event, lane, body, place)
        WHERE NOT EXISTS (SELECT FROM deliveries AS old WHERE old.id = given.id)
    ) AS new
    ON CONFLICT (id) DO NOTHING RETURNING id
    """
)


class PostgresRecovery:
    """The RecoveryStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._lock: Connection | None = None

    def is_alone(self) -> bool:
        """Whether this process is the one that makes good: it holds a session's lock until it dies."""
        if self._lock is not None and self._stands(self._lock):
            return True
        self._lock = None
        with translated():
            connection = self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                if connection.execute(select(func.pg_try_advisory_lock(LOCK))).scalar():
                    self._lock = connection
            finally:
                if self._lock is None:
                    connection.close()
        return self._lock is not None

    @staticmethod
    def _stands(connection: Connection) -> bool:
        """Whether the connection, and with it the lock, is still ours."""
        try:
            connection.execute(text("SELECT 1"))
        except DBAPIError:
            connection.invalidate()
            connection.close()
            return False
        return True

    def mark(self, name: str) -> datetime | None:
        """The moment of that name."""
        with self.database.once() as connection:
            found = connection.execute(select(marks.c.at).where(marks.c.name == name)).scalar()
        return None if found is None else _utc(found)

    def set_mark(self, name: str, at: datetime) -> None:
        """Remember a moment."""
        statement = insert(marks).values(name=name, at=at)
        with self.database.once() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": at}))

    def renew(self, names: Collection[str], at: datetime, since: datetime) -> Collection[str]:
        """Move these marks on to `at` if they are not older than `since`; returns those that were moved."""
        statement = update(marks).where(marks.c.name.in_(names), marks.c.at >= since).values(at=at)
        with self.database.once() as connection:
            return set(connection.execute(statement.returning(marks.c.name)).scalars())

    def known(self, guids: Collection[str]) -> Collection[str]:
        """Which of these deliveries are in our inbox, whatever became of them."""
        if not guids:
            return set()
        statement = select(deliveries.c.id).where(deliveries.c.id == func.any(list(guids)))
        with self.database.once() as connection:
            return set(connection.execute(statement).scalars())

    def repositories(self) -> Mapping[Repository, datetime]:
        """All repositories that we know pull requests or branches of, and since when.

        What we knew first may be forgotten (retention): then it is since what is left, at the latest since
        our first start ever, which was before.
        """
        table = pull_requests.c
        heard = _first(heads.c.repository_id, heads.c.seen_at)
        decided = _first(decisions.c.repository_id, decisions.c.decided_at)
        began = select(marks.c.at).where(marks.c.name == BEGAN).scalar_subquery()
        first = func.coalesce(func.least(heard.c.at, decided.c.at), began, func.now())
        statement = (
            select(
                table.repository_id,
                func.max(table.full_name).label("full_name"),
                func.bool_or(table.private).label("private"),
                first.label("at"),
            )
            .select_from(pull_requests)
            .outerjoin(heard, table.repository_id == heard.c.repository_id)
            .outerjoin(decided, table.repository_id == decided.c.repository_id)
            .group_by(table.repository_id, heard.c.at, decided.c.at)
            .order_by(table.repository_id)
        )
        with self.database.once() as connection:
            return {
                Repository(row.repository_id, row.full_name, private=row.private): _utc(row.at)
                for row in connection.execute(statement)
            }

    def pulls(self, repository: Repository, numbers: Collection[int] | None) -> Mapping[int, KnownPull]:
        """What we know of these pull requests, by number; with None, of all that we think open."""
        table = pull_requests.c
        chosen = table.open if numbers is None else table.number.in_(numbers)
        here = select(pull_requests).where(table.repository_id == repository.id, table.number > 0, chosen)
        with self.database.begin() as connection:
            rows = {row.number: row for row in connection.execute(here)}
            asked = list(rows if numbers is None else numbers)
            of_heads = _grouped(connection, heads, heads.c.sha, repository, asked)
            told = _grouped(connection, verdicts, verdicts.c.head_sha, repository, asked)
            waits = _waits(connection, repository, asked)
        return {
            number: _known(number, rows.get(number), of_heads, told, waits)
            for number in rows.keys() | of_heads.keys()
        }

    def put_by_and_by(self, deliveries: Sequence[Delivery], seconds: float) -> int:
        """Store deliveries of ours, each due so many seconds after the one before and all such ones."""
        if not deliveries:
            return 0
        given = {
            "ids": [each.id for each in deliveries],
            "events": [each.event for each in deliveries],
            "lanes": [each.lane for each in deliveries],
            "bodies": [each.body for each in deliveries],
        }
        with self.database.begin() as connection:
            new = connection.execute(PUT_BY_AND_BY, given | {"step": timedelta(seconds=seconds)}).all()
            notify(connection, "delivery")
        return len(new)


def _first(repository_id: ColumnElement[int], at: ColumnElement[datetime]) -> Subquery:
    """The earliest moment of each repository in a table."""
    return select(repository_id, func.min(at).label("at")).group_by(repository_id).subquery()


def _grouped(
    connection: Connection,
    table: Table,
    sha: ColumnElement[str],
    repository: Repository,
    numbers: Sequence[int],
) -> dict[int, set[str]]:
    """The commits of each of these pull requests that a table knows."""
    statement = (
        select(table.c.number, sha.label("sha"))
        .where(table.c.repository_id == repository.id, table.c.number.in_(numbers))
        .distinct()
    )
    return _by_number((row.number, row.sha) for row in connection.execute(statement))


def _waits(connection: Connection, repository: Repository, numbers: Sequence[int]) -> dict[int, set[str]]:
    """What stands in pending statuses at each pull request's present head where nothing runs."""
    table, pull = verdicts.c, pull_requests.c
    statement = (
        select(table.number, table.description)
        .join_from(
            verdicts,
            pull_requests,
            (pull.repository_id == table.repository_id)
            & (pull.number == table.number)
            & (pull.head_sha == table.head_sha),
        )
        .where(
            table.repository_id == repository.id,
            table.number.in_(numbers),
            table.run_id.is_(None),
            table.state == StatusState.PENDING.value,
        )
    )
    return _by_number((row.number, row.description) for row in connection.execute(statement))


def _by_number(pairs: Iterable[tuple[int, str]]) -> dict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for number, value in pairs:
        found[number].add(value)
    return dict(found)


def _known(
    number: int,
    row: Row[Any] | None,
    of_heads: Mapping[int, set[str]],
    told: Mapping[int, set[str]],
    waits: Mapping[int, set[str]],
) -> KnownPull:
    """One that we heard of without having anything to say is open, as far as we know."""
    return KnownPull(
        number=number,
        open=row is None or row.open,
        head_sha="" if row is None else row.head_sha,
        base_ref="" if row is None else row.base_ref,
        heads=frozenset(of_heads.get(number, ())),
        told=frozenset(told.get(number, ())),
        waits=frozenset(waits.get(number, ())),
    )


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
