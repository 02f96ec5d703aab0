"""The tables, as the newest migration leaves them (`migrations/`).

Three of them are also queues: `deliveries`, `runs` and `pull_requests`. In each, `due_at` says when a row
wants attention (null: never again), and `lease_owner` with `lease_until` who holds it. `version` grows
with every change from outside, so that whoever holds a row notices that it changed meanwhile.

`number` is a pull request's, or a branch's own (below zero).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
)

from bot.adapters.postgres.storable import ExactJson, StorableJson, StorableText

metadata = MetaData()


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("id", StorableText, unique=True),
    Column("event", StorableText),
    Column("lane", StorableText),
    Column("body", LargeBinary),
    Column("state", StorableText),  # queued, working, done, ignored, parked
    Column("tries", Integer),
    Column("reason", StorableText),
    _time("received_at"),
    _time("finished_at"),
    _time("due_at"),
    Column("lease_owner", BigInteger),
    _time("lease_until"),
    Column("token", StorableText),
)

delivery_parts = Table(
    "delivery_parts",  # of those too large for one message
    metadata,
    Column("id", StorableText, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("parts", Integer),
    Column("body", LargeBinary),
    _time("received_at"),
)

marks = Table(
    "marks",  # moments up to which something is known to be done
    metadata,
    Column("name", StorableText, primary_key=True),
    _time("at"),
)

pull_requests = Table(
    "pull_requests",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("full_name", StorableText),
    Column("private", Boolean),
    Column("open", Boolean),
    Column("head_sha", StorableText),
    Column("base_ref", StorableText),  # empty where a version before wrote it last
    Column("notice", StorableText),
    Column("comment_policy", StorableText),  # always, failures, off
    Column("report_statuses", StorableText),  # pipeline, step
    Column("report_as", StorableText),  # statuses, checks, both
    Column("comment_id", BigInteger),
    Column("comment_digest", StorableText),
    Column("comment_search", Boolean),
    _time("comment_sent_at"),
    Column("comment_failing", StorableJson),
    Column("comment_posted_for", StorableText),
    Column("comment_old_id", BigInteger),
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
    Column("number", BigInteger, primary_key=True),
    Column("sha", StorableText, primary_key=True),
    Column("pusher", StorableText),
    Column("settled", Boolean),
    _time("seen_at"),
)

runs = Table(
    "runs",
    metadata,
    Column("seq", BigInteger),  # the order in which they were stored
    Column("id", StorableText, primary_key=True),
    Column("repository_id", BigInteger),
    Column("full_name", StorableText),
    Column("private", Boolean),
    Column("clone_url", StorableText),
    Column("number", BigInteger),
    Column("pipeline", StorableText),
    Column("dag_id", StorableText),
    Column("dag_run_id", StorableText),
    Column("head_sha", StorableText),
    Column("base_ref", StorableText),
    Column("attempt", Integer),
    Column("actor", StorableText),
    Column("branch", StorableText),
    Column("dryrun", Boolean),
    Column("comment_id", BigInteger),
    Column("inputs", ExactJson),
    Column("conf", StorableJson),
    Column("rules", StorableJson),
    Column("admitted", Boolean),
    Column("phase", StorableText),
    Column("cancel", StorableText),
    Column("cancel_kind", StorableText),
    Column("cancel_sent", Boolean),
    Column("note", StorableText),
    Column("outcome", StorableText),
    Column("reason", StorableText),
    Column("steps", StorableJson),
    _time("created_at"),
    _time("resumed_at"),
    _time("started_at"),
    _time("finished_at"),
    _time("nudged_at"),
    Column("version", BigInteger),
    _time("due_at"),
    Column("lease_owner", BigInteger),
    _time("lease_until"),
    _time("archive_due_at"),
    _time("archived_at"),
    # The database makes the rest of the others.
    Column("state", StorableText),
    Column("kind", StorableText),  # pull, push, group
    Column("audience", BigInteger),  # the repository's id if it is private, else 0
    Column("repository_key", StorableText),
    Column("author", StorableText),  # of the pull request, else who pushed
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("head_sha", StorableText, primary_key=True),
    Column("context", StorableText, primary_key=True),
    Column("pipeline", StorableText),
    Column("run_id", StorableText),
    Column("state", StorableText),
    Column("description", StorableText),
    Column("override", Boolean),
)

approvals = Table(
    "approvals",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("sha", StorableText, primary_key=True),
    Column("actor", StorableText),
    _time("approved_at"),
)

shown_statuses = Table(
    "shown_statuses",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("sha", StorableText, primary_key=True),
    Column("context", StorableText, primary_key=True),
    Column("state", StorableText),
    Column("description", StorableText),
    Column("target_url", StorableText),
    _time("sent_at"),
    Column("times", Integer),
)

shown_checks = Table(
    "shown_checks",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("sha", StorableText, primary_key=True),
    Column("name", StorableText, primary_key=True),
    Column("external_id", StorableText),
    Column("check_id", BigInteger),
    Column("digest", StorableText),
    _time("sent_at"),
    Column("annotated", Integer),
    Column("annotating", Boolean),
    Column("completed", Boolean),
)

replies = Table(
    "replies",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("comment_id", BigInteger, primary_key=True),
    Column("number", BigInteger),
    Column("delivery_id", StorableText),
    Column("text", StorableText),
    Column("reacted", Boolean),
    Column("attempted", Boolean),
    Column("posted_id", BigInteger),
    Column("digest", StorableText),
    Column("done", Boolean),
    _time("created_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("repository_id", BigInteger),
    Column("number", BigInteger),
    Column("delivery_id", StorableText),
    Column("actor", StorableText),
    Column("head_sha", StorableText),
    Column("kind", StorableText),
    Column("reason", StorableText),
    Column("what", StorableText),
    _time("decided_at"),
)

test_suites = Table(
    "test_suites",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("repository_id", BigInteger),
    Column("context", StorableText),
    Column("step", StorableText),
    Column("run_id", StorableText),
    Column("try", Integer),
    Column("head_sha", StorableText),
    Column("total", Integer),  # tests
    Column("complete", Boolean),  # whatever of them is not among its failures did not fail
    _time("ended_at"),
)

test_failures = Table(
    "test_failures",
    metadata,
    Column("suite_id", BigInteger),
    Column("name", StorableText),
    Column("recovered", Boolean),  # it passed in the end
)

ticket_uses = Table(
    "ticket_uses",
    metadata,
    Column("run_id", StorableText, primary_key=True),
    Column("task_id", StorableText, primary_key=True),
    Column("try", Integer, primary_key=True),
    _time("used_at"),
)

github_spending = Table(
    "github_spending",
    metadata,
    Column("id", BigInteger),
    Column("account", StorableText),
    Column("name", StorableText),
    _time("at"),
    Column("cost", Double),
)
