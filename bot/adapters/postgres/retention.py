"""The Retention port on PostgreSQL: rows that are finished, old, and shown by nothing that is open.

Each statement takes so many rows at most, skips those that somebody works on, and finds them without
reading what is newer: deliveries, decisions and suites are numbered in their order, finished runs indexed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.adapters.postgres.database import lock_key
from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.adapters.postgres.database import Database
    from bot.claims import Keep

MOST = 1000
ALONE = text("SELECT pg_try_advisory_xact_lock(:key)")

# An open pull request shows what is known of its head, whatever the age of that. A branch does so while the
# latest decision about it is young: we don't hear that it was deleted.
_STILL_OPEN = """pull.open AND (pull.number > 0 OR (
        SELECT decided_at FROM decisions AS latest
        WHERE latest.repository_id = pull.repository_id AND latest.number = pull.number
        ORDER BY seq DESC LIMIT 1) >= now() - :runs)"""
_SHOWN = f"""EXISTS (
    SELECT FROM pull_requests AS pull WHERE pull.repository_id = old.repository_id
    AND pull.number = old.number AND pull.head_sha = old.{{sha}} AND {_STILL_OPEN})"""
# The number of the first row that is too young, where numbers grow with time.
_YOUNG = """coalesce((
    SELECT {number} FROM {table} WHERE {at} >= now() - :{kept} ORDER BY {number} LIMIT 1
), 9223372036854775807)"""

DELIVERIES = f"""
    WITH old AS (
        SELECT seq FROM deliveries
        WHERE seq < {_YOUNG.format(number="seq", table="deliveries", at="received_at", kept="deliveries")}
        AND (state IN ('done', 'ignored') AND finished_at < now() - :deliveries
             OR state = 'parked' AND finished_at < now() - :runs)
        ORDER BY seq LIMIT :most FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM deliveries USING old WHERE deliveries.seq = old.seq)
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
PARTS = """
    WITH old AS (
        DELETE FROM delivery_parts WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM delivery_parts WHERE received_at < now() - :deliveries LIMIT :most))
        RETURNING id
    )
    SELECT count(*) FROM old
"""
# Of a finished run's steps all stays but the lines of their logs.
LOGS = f"""
    WITH old AS (
        SELECT id, finished_at FROM runs AS old
        WHERE finished_at < now() - :logs
        AND finished_at >= coalesce((SELECT at FROM marks WHERE name = 'logs forgotten'), '-infinity')
        AND steps @? '$[*] ? (@.excerpt != null)' AND NOT {_SHOWN.format(sha="head_sha")}
        ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), marked AS (
        INSERT INTO marks (name, at) SELECT 'logs forgotten', max(finished_at) FROM old HAVING count(*) > 0
        ON CONFLICT (name) DO UPDATE SET at = excluded.at
    ), stripped AS (
        UPDATE runs SET steps = (
            SELECT jsonb_agg(step || '{{"excerpt": null}}' ORDER BY place)
            FROM jsonb_array_elements(steps) WITH ORDINALITY AS of (step, place))
        FROM old WHERE runs.id = old.id
    )
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
RUNS = f"""
    WITH old AS (
        SELECT id FROM runs AS old
        WHERE finished_at < now() - :runs AND phase = 'finished' AND due_at IS NULL
        AND NOT {_SHOWN.format(sha="head_sha")}
        ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED
    ),
    said AS (DELETE FROM verdicts USING old WHERE verdicts.run_id = old.id),
    used AS (DELETE FROM ticket_uses USING old WHERE ticket_uses.run_id = old.id),
    gone AS (DELETE FROM runs USING old WHERE runs.id = old.id)
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
SUITES = f"""
    WITH old AS (
        SELECT id FROM test_suites
        WHERE id < {_YOUNG.format(number="id", table="test_suites", at="ended_at", kept="runs")}
        ORDER BY id LIMIT :most
    ), gone AS (DELETE FROM test_suites USING old WHERE test_suites.id = old.id)
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
HEADS = f"""
    WITH old AS (
        SELECT repository_id, number, sha FROM heads AS old
        WHERE seen_at < now() - :runs AND settled AND NOT {_SHOWN.format(sha="sha")}
        LIMIT :most FOR UPDATE SKIP LOCKED
    ), said AS (
        DELETE FROM verdicts AS one USING old
        WHERE (one.repository_id, one.number, one.head_sha) = (old.repository_id, old.number, old.sha)
    ), approved AS (
        DELETE FROM approvals AS one USING old
        WHERE (one.repository_id, one.number, one.sha) = (old.repository_id, old.number, old.sha)
    ), gone AS (
        DELETE FROM heads AS one USING old
        WHERE (one.repository_id, one.number, one.sha) = (old.repository_id, old.number, old.sha)
    )
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
# Each decision names the one before it, so that the latest about a subject is needed.
DECISIONS = f"""
    WITH old AS (
        SELECT seq FROM decisions AS old
        WHERE seq < {_YOUNG.format(number="seq", table="decisions", at="decided_at", kept="runs")}
        AND EXISTS (
            SELECT FROM decisions AS next WHERE next.repository_id = old.repository_id
            AND next.number = old.number AND next.seq > old.seq)
        ORDER BY seq LIMIT :most
    ), gone AS (DELETE FROM decisions USING old WHERE decisions.seq = old.seq)
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
# A comment that was obeyed must be known for as long as its pull request is. The newest of each repository
# stays: that we serve it must be known where somebody asks what was missed.
PULLS = """
    WITH old AS (
        SELECT repository_id, number FROM pull_requests AS old
        WHERE (NOT open OR number < 0) AND due_at IS NULL AND lease_owner IS NULL
        AND EXISTS (
            SELECT FROM pull_requests AS newer
            WHERE newer.repository_id = old.repository_id AND newer.number > old.number)
        AND NOT EXISTS (
            SELECT FROM heads WHERE (repository_id, number) = (old.repository_id, old.number))
        AND NOT EXISTS (
            SELECT FROM runs WHERE (repository_id, number) = (old.repository_id, old.number))
        AND NOT EXISTS (
            SELECT FROM decisions WHERE (repository_id, number) = (old.repository_id, old.number)
            AND decided_at >= now() - :runs)
        LIMIT :most FOR UPDATE SKIP LOCKED
    ), answered AS (
        DELETE FROM replies AS one USING old
        WHERE (one.repository_id, one.number) = (old.repository_id, old.number)
    ), decided AS (
        DELETE FROM decisions AS one USING old
        WHERE (one.repository_id, one.number) = (old.repository_id, old.number)
    ), gone AS (
        DELETE FROM pull_requests AS one USING old
        WHERE (one.repository_id, one.number) = (old.repository_id, old.number)
    )
    SELECT count(*) FROM old
"""
# A status and a check run belong to the commit, whichever pull request it is the head of.
_OF_COMMITS = f"""
    WITH old AS (
        DELETE FROM {{table}} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {{table}} AS old WHERE sent_at < now() - :runs AND NOT EXISTS (
                SELECT FROM pull_requests AS pull
                WHERE pull.repository_id = old.repository_id AND pull.head_sha = old.sha AND {_STILL_OPEN})
            LIMIT :most))
        RETURNING sha
    )
    SELECT count(*) FROM old
"""  # noqa: S608 - our own words
SPENDING = """
    WITH old AS (
        DELETE FROM github_spending WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM github_spending WHERE at < now() - interval '1 day' LIMIT :most))
        RETURNING id
    )
    SELECT count(*) FROM old
"""
STATEMENTS = {
    "deliveries": DELIVERIES,
    "parts of deliveries": PARTS,
    "logs": LOGS,
    "runs": RUNS,
    "test suites": SUITES,
    "heads": HEADS,
    "decisions": DECISIONS,
    "pull requests": PULLS,
    "statuses": _OF_COMMITS.format(table="shown_statuses"),
    "check runs": _OF_COMMITS.format(table="shown_checks"),
    "spending": SPENDING,
}


class PostgresRetention:
    """The Retention port on PostgreSQL. Rows are locked in the order of all: runs, pull requests, heads."""

    def __init__(self, database: Database, *, most: int = MOST) -> None:
        self.database = database
        self.most = most

    def prune(self, keep: Keep) -> Mapping[str, int]:
        """Forget a bounded part; how many rows, by kind. Empty if nothing is left, or another is at it.

        A kind that can't be forgotten holds up no other: its error is raised once nothing is left of those.
        """
        pruned: dict[str, int] = {}
        failed: Exception | None = None
        for kind, statement in STATEMENTS.items():
            try:
                pruned[kind] = self._prune(statement, keep)
            except StoreUnavailable as error:
                failed = failed or StoreUnavailable(f"{kind} can't be forgotten: {error}", error.retry_after)
            except DBAPIError as error:
                failed = failed or error
        found = {kind: rows for kind, rows in pruned.items() if rows}
        if failed is not None and not found:
            raise failed
        return found

    def _prune(self, statement: str, keep: Keep) -> int:
        values = {
            "deliveries": keep.deliveries,
            "logs": keep.logs,
            "runs": keep.runs,
            "most": self.most,
        }
        with self.database.begin() as connection:
            if not connection.execute(ALONE, {"key": lock_key("retention")}).scalar_one():
                return 0
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            return int(connection.execute(text(statement), wanted).scalar_one())
