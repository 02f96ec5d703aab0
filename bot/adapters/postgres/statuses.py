"""What heads should show and do show: statuses and check runs."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.rows import report_policy_from
from bot.adapters.postgres.tables import pull_requests, shown_checks, shown_statuses, verdicts
from bot.adapters.postgres.verdicts import verdicts_on
from bot.claims import ShownCheck, ShownStatus
from bot.models import Status, StatusState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.adapters.postgres.database import Database
    from bot.models import ReportPolicy, Repository, Verdict


class PostgresStatuses:
    """The StatusStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def verdicts(self, repository: Repository, sha: str) -> Mapping[int, Sequence[Verdict]]:
        """What each pull request with that head wants its contexts to show.

        Where one that is open has this head now, closed ones and those that moved on have no say. Where a
        pull request ran a pipeline itself, or somebody overrode it there, a branch's run of the same commit
        has none either: nobody can comment on a branch to mend it.
        """
        current = select(pull_requests.c.number).where(
            pull_requests.c.repository_id == repository.id,
            pull_requests.c.head_sha == sha,
            pull_requests.c.open,
        )
        with self.database.begin() as connection:
            found = verdicts_on(connection, repository.id, sha)
            heard = set(connection.execute(current).scalars())
        found = {number: says for number, says in found.items() if not heard or number in heard}
        own = {
            verdict.context
            for number, says in found.items()
            for verdict in says
            if number > 0 and (verdict.run is not None or verdict.override)
        }
        return {
            number: says if number > 0 else [verdict for verdict in says if verdict.context not in own]
            for number, says in found.items()
        }

    def policies(self, repository: Repository, sha: str) -> Mapping[int, ReportPolicy]:
        """How each pull request or branch with that head, or that once had it, is reported on."""
        table = pull_requests.c
        have_it = select(table.number).where(table.repository_id == repository.id, table.head_sha == sha)
        had_it = select(verdicts.c.number).where(
            verdicts.c.repository_id == repository.id, verdicts.c.head_sha == sha
        )
        statement = select(pull_requests).where(
            table.repository_id == repository.id, table.number.in_(have_it.union(had_it))
        )
        with self.database.once() as connection:
            return {row.number: report_policy_from(row) for row in connection.execute(statement)}

    def shown(self, repository: Repository, sha: str) -> Mapping[str, ShownStatus]:
        """What the head's contexts show, by context."""
        table = shown_statuses.c
        statement = select(shown_statuses).where(table.repository_id == repository.id, table.sha == sha)
        with self.database.once() as connection:
            return {
                row.context: ShownStatus(
                    Status(row.context, StatusState(row.state), row.description, row.target_url),
                    row.sent_at.astimezone(UTC),
                    row.times,
                )
                for row in connection.execute(statement)
            }

    def set_shown(self, repository: Repository, sha: str, status: Status) -> None:
        """A context was made to show this, once more."""
        where = {"repository_id": repository.id, "sha": sha, "context": status.context}
        says = {
            "state": status.state.value,
            "description": status.description,
            "target_url": status.target_url,
            "sent_at": func.now(),
        }
        again = says | {"times": shown_statuses.c.times + 1}
        with self.database.once() as connection:
            connection.execute(
                insert(shown_statuses)
                .values(where | says)
                .on_conflict_do_update(index_elements=list(where), set_=again)
            )

    def shown_checks(self, repository: Repository, sha: str) -> Mapping[str, ShownCheck]:
        """What the head's check runs show, by name."""
        table = shown_checks.c
        statement = select(shown_checks).where(table.repository_id == repository.id, table.sha == sha)
        with self.database.once() as connection:
            return {
                row.name: ShownCheck(
                    name=row.name,
                    external_id=row.external_id,
                    id=row.check_id,
                    digest=row.digest,
                    sent_at=row.sent_at.astimezone(UTC),
                    annotated=row.annotated,
                    annotating=row.annotating,
                    completed=row.completed,
                )
                for row in connection.execute(statement)
            }

    def set_shown_check(self, repository: Repository, sha: str, check: ShownCheck) -> None:
        """A check run was made to show this, or is about to be."""
        where = {"repository_id": repository.id, "sha": sha, "name": check.name}
        says = {
            "external_id": check.external_id,
            "check_id": check.id,
            "digest": check.digest,
            "sent_at": check.sent_at,
            "annotated": check.annotated,
            "annotating": check.annotating,
            "completed": check.completed,
        }
        with self.database.once() as connection:
            connection.execute(
                insert(shown_checks)
                .values(where | says)
                .on_conflict_do_update(index_elements=list(where), set_=says)
            )
