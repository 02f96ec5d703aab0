"""Have pull requests reported on, because something about their heads changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.database import notify
from bot.adapters.postgres.tables import heads, pull_requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

DUE = (
    update(pull_requests)
    .where(
        pull_requests.c.repository_id == bindparam("of_repository"),
        pull_requests.c.number == bindparam("of_number"),
    )
    .values(version=pull_requests.c.version + 1, due_at=func.now())
)
UNSETTLED = insert(heads).on_conflict_do_update(
    index_elements=[heads.c.repository_id, heads.c.number, heads.c.sha], set_={"settled": False}
)


def touch_reports(connection: Connection, changed: Iterable[tuple[int, int, str]]) -> None:
    """Heads changed, each given as (repository's id, number, sha): report on them now.

    Rows are locked in the order of their keys, pull requests before heads.
    """
    changed = sorted(set(changed))
    if not changed:
        return
    pulls = sorted({(repository_id, number) for repository_id, number, _ in changed})
    connection.execute(
        DUE, [{"of_repository": repository_id, "of_number": number} for repository_id, number in pulls]
    )
    connection.execute(
        UNSETTLED,
        [
            {"repository_id": repository_id, "number": number, "sha": sha, "settled": False}
            for repository_id, number, sha in changed
        ],
    )
    notify(connection, "report")
