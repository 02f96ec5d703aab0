"""The tables, as the newest migration leaves them (`migrations/`).

Three of them are also queues: `deliveries`, `runs` and `pull_requests`. In each, `due_at` says when a row
wants attention (null: never again), and `lease_owner` with `lease_until` who holds it. `version` grows
with every change from outside, so that whoever holds a row notices that it changed meanwhile.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("id", Text, unique=True),
    Column("event", Text),
    Column("lane", Text),
    Column("body", LargeBinary),
    Column("state", Text),  # queued, working, done, ignored, parked
    Column("tries", Integer),
    Column("reason", Text),
    _time("received_at"),
    _time("finished_at"),
    _time("due_at"),
    Column("lease_owner", BigInteger),
    _time("lease_until"),
    Column("token", Text),
)

pull_requests = Table(
    "pull_requests",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("full_name", Text),
    Column("private", Boolean),
    Column("open", Boolean),
    Column("head_sha", Text),
    Column("notice", Text),
    Column("comment_id", BigInteger),
    Column("comment_digest", Text),
    Column("comment_search", Boolean),
    _time("comment_sent_at"),
    Column("version", BigInteger),
    Column("failures", Integer),
    _time("due_at"),
    Column("lease_owner", BigInteger),
    _time("lease_until"),
)

heads = Table(
    "heads",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha", Text, primary_key=True),
    Column("pusher", Text),
    Column("settled", Boolean),
    _time("seen_at"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("repository_id", BigInteger),
    Column("full_name", Text),
    Column("private", Boolean),
    Column("clone_url", Text),
    Column("number", Integer),
    Column("pipeline", Text),
    Column("dag_id", Text),
    Column("dag_run_id", Text),
    Column("head_sha", Text),
    Column("base_ref", Text),
    Column("attempt", Integer),
    Column("actor", Text),
    Column("dryrun", Boolean),
    Column("conf", JSONB),
    Column("phase", Text),
    Column("cancel", Text),
    Column("cancel_kind", Text),
    Column("cancel_sent", Boolean),
    Column("note", Text),
    Column("outcome", Text),
    Column("reason", Text),
    Column("steps", JSONB),
    _time("created_at"),
    _time("started_at"),
    _time("finished_at"),
    _time("nudged_at"),
    Column("version", BigInteger),
    _time("due_at"),
    Column("lease_owner", BigInteger),
    _time("lease_until"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("head_sha", Text, primary_key=True),
    Column("context", Text, primary_key=True),
    Column("pipeline", Text),
    Column("run_id", Text),
    Column("state", Text),
    Column("description", Text),
)

shown_statuses = Table(
    "shown_statuses",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("sha", Text, primary_key=True),
    Column("context", Text, primary_key=True),
    Column("state", Text),
    Column("description", Text),
    Column("target_url", Text),
    _time("sent_at"),
)

replies = Table(
    "replies",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("comment_id", BigInteger, primary_key=True),
    Column("number", Integer),
    Column("delivery_id", Text),
    Column("text", Text),
    Column("reacted", Boolean),
    Column("attempted", Boolean),
    Column("done", Boolean),
    _time("created_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("repository_id", BigInteger),
    Column("number", Integer),
    Column("delivery_id", Text),
    Column("actor", Text),
    Column("head_sha", Text),
    Column("reason", Text),
    _time("decided_at"),
)
