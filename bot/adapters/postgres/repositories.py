"""What rows say of their repository, where it changed: its name, and whether it is private."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, case, exists, func, or_, select, update

from bot.adapters.postgres.tables import pull_requests, runs
from bot.models import PullRequest

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

    from bot.models import Repository, Subject


def rewrite(connection: Connection, repository: Repository) -> None:
    """All rows of the repository say what it is called now, and whether it is private."""
    now = {"full_name": repository.full_name, "private": repository.private}
    for table, more in ((runs, {"clone_url": _renamed_url(repository)}), (pull_requests, {})):
        old = _lock_old(connection, table, repository)
        connection.execute(update(table).where(old).values(now | more))


def hear_of(connection: Connection, subject: Subject) -> bool:
    """Whether the subject's repository is private, as far as we know; its old runs are so from now on, too.

    A payload may be days old, so that it never opens what is closed: only what GitHub was asked for does.
    """
    repository = subject.repository
    other = exists().where(
        pull_requests.c.repository_id == repository.id,
        pull_requests.c.private.is_(not repository.private),
    )
    if not connection.execute(select(other)).scalar():
        return repository.private
    if not repository.private and not isinstance(subject, PullRequest):
        return True
    rewrite(connection, repository)
    return repository.private


def _lock_old(connection: Connection, table: Table, repository: Repository) -> ColumnElement[bool]:
    """Lock the rows that say something else, in the order of their keys; returns which they are."""
    differs = or_(table.c.full_name != repository.full_name, table.c.private.is_(not repository.private))
    old = and_(table.c.repository_id == repository.id, differs)
    keys = list(table.primary_key)
    connection.execute(select(*keys).where(old).order_by(*keys).with_for_update(key_share=True))
    return old


def _renamed_url(repository: Repository) -> ColumnElement[str]:
    """The URL that runs clone from, its path with the new name."""
    path = func.concat("/", runs.c.full_name, ".git")
    ends_so = func.right(runs.c.clone_url, func.length(path)) == path
    rest = func.left(runs.c.clone_url, -func.length(path))
    return case((ends_so, func.concat(rest, f"/{repository.full_name}.git")), else_=runs.c.clone_url)
