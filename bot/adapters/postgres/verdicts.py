"""What contexts say about a head, read as verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import runs, verdicts
from bot.models import Status, StatusState, Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
