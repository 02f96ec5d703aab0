"""What contexts say about a head: verdicts, read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import runs, verdicts
from bot.models import Status, StatusState, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from bot.models import Subject


def verdicts_on(
    connection: Connection, repository_id: int, sha: str, number: int | None = None
) -> dict[int, list[Verdict]]:
    """What pull requests and branches (or the one of that number) say about the head, by context."""
    mine = and_(verdicts.c.repository_id == repository_id, verdicts.c.head_sha == sha)
    if number is not None:
        mine = and_(mine, verdicts.c.number == number)
    fixed = select(verdicts).where(mine, verdicts.c.run_id.is_(None))
    running = (
        select(runs, verdicts.c.context).join_from(verdicts, runs, verdicts.c.run_id == runs.c.id).where(mine)
    )
    found: dict[int, list[Verdict]] = {}
    for row in connection.execute(fixed):
        status = Status(row.context, StatusState(row.state), row.description)
        said = Verdict(row.context, row.pipeline, status=status, override=row.override)
        found.setdefault(row.number, []).append(said)
    for row in connection.execute(running):
        run = run_from(row)
        found.setdefault(row.number, []).append(Verdict(row.context, run.pipeline, run=run))
    return {of: sorted(says, key=lambda one: one.context) for of, says in found.items()}


def put_verdict(connection: Connection, subject: Subject, verdict: Verdict) -> None:
    """From now on the context says this about the subject's head."""
    status = verdict.status
    says = _says(
        verdict.pipeline,
        run_id=None if verdict.run is None else verdict.run.id,
        state=None if status is None else status.state.value,
        description=None if status is None else status.description,
        override=verdict.override,
    )
    _put(connection, subject, subject.head_sha, verdict.context, says, over_override=True)


def put_run(
    connection: Connection, subject: Subject, *, sha: str, context: str, pipeline: str, run_id: str
) -> None:
    """The context shows that run again, unless somebody overrode it."""
    _put(connection, subject, sha, context, _says(pipeline, run_id=run_id), over_override=False)


def _says(
    pipeline: str,
    *,
    run_id: str | None = None,
    state: str | None = None,
    description: str | None = None,
    override: bool = False,
) -> dict[str, object]:
    return {
        "pipeline": pipeline,
        "run_id": run_id,
        "state": state,
        "description": description,
        "override": override,
    }


def _put(
    connection: Connection,
    subject: Subject,
    sha: str,
    context: str,
    says: Mapping[str, object],
    *,
    over_override: bool,
) -> None:
    key = {
        "repository_id": subject.repository.id,
        "number": subject.number,
        "head_sha": sha,
        "context": context,
    }
    replaceable = None if over_override else verdicts.c.override.is_(False)
    connection.execute(
        insert(verdicts)
        .values(key | dict(says))
        .on_conflict_do_update(index_elements=list(key), set_=says, where=replaceable)
    )
