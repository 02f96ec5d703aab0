"""How a decision is stored: everything that one `Change` says, in one transaction.

Rows are locked in one order everywhere, so that no two transactions wait for each other: runs (by their
ids), then pull requests, then their heads.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Float, and_, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.database import lock_key, notify
from bot.adapters.postgres.repositories import hear_of
from bot.adapters.postgres.rows import rules_to
from bot.adapters.postgres.tables import approvals, decisions, pull_requests, replies, runs
from bot.adapters.postgres.touch import touch_reports
from bot.adapters.postgres.verdicts import put_run, put_verdict
from bot.errors import Overtaken
from bot.models import DAY, Branch, Phase, PullRequest, context_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.models import Cancellation, Change, Reply, Repository, Run, Subject


def store(connection: Connection, change: Change) -> bool:
    """Store the change. False, and nothing stored, if its comment was answered before.

    Overtaken, and nothing stored, if another decision came between.
    """
    subject = change.subject
    _check_turn(connection, change)
    if change.reply is not None and not _take_comment(connection, change, change.reply):
        return False
    private = hear_of(connection, subject)
    _lock_runs(connection, change)
    touched = {subject.head_sha}
    for cancellation in change.cancellations:
        touched |= _cancel(connection, cancellation)
    resumed = _resume(connection, change)
    touched |= set(resumed.values())
    touched |= _remember(connection, change, private=private)
    for run in change.dry_runs:
        _start(connection, run, private=private)
    for verdict in change.verdicts:
        if verdict.run is not None:
            _start(connection, verdict.run, private=private)
        put_verdict(connection, subject, verdict)
    if change.approved is not None:
        _approve(connection, change, change.approved)
    _audit(connection, change)
    touch_reports(connection, {(subject.repository.id, subject.number, sha) for sha in touched})
    if change.verdicts or change.dry_runs or change.cancellations or resumed:
        notify(connection, "run")  # they, or those that wait for them, may take their turn
    return True


def latest_decision(connection: Connection, repository: Repository, number: int) -> int:
    """The number of the latest decision about the pull request or branch, 0 if there is none."""
    latest = select(func.coalesce(func.max(decisions.c.seq), 0)).where(
        decisions.c.repository_id == repository.id, decisions.c.number == number
    )
    return int(connection.execute(latest).scalar_one())


def _check_turn(connection: Connection, change: Change) -> None:
    """Decisions about one subject follow one another, each on what the one before it left."""
    repository, number = change.subject.repository, change.subject.number
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("decision", repository.id, number)}
    )
    if change.after is not None and latest_decision(connection, repository, number) != change.after:
        raise Overtaken(f"{_name(change.subject)} was decided about by another worker", 0.1)


def _name(subject: Subject) -> str:
    mark = f"@{subject.name}" if isinstance(subject, Branch) else f"#{subject.number}"
    return subject.repository.full_name + mark


def _take_comment(connection: Connection, change: Change, reply: Reply) -> bool:
    """A comment's commands run once, whatever delivery brings it."""
    taken = connection.execute(
        insert(replies)
        .values(
            repository_id=change.subject.repository.id,
            comment_id=reply.comment_id,
            number=change.subject.number,
            delivery_id=change.delivery_id,
            text=reply.text,
        )
        .on_conflict_do_nothing()
        .returning(replies.c.comment_id)  # SQLAlchemy counts no rows of an INSERT
    )
    return taken.one_or_none() is not None


def _lock_runs(connection: Connection, change: Change) -> None:
    """Lock all runs that the change stops or resumes, in the order that everybody locks them."""
    ids = {run_id for one in change.cancellations for run_id in one.run_ids} | set(change.resumed)
    if ids:
        locked = select(runs.c.id).where(runs.c.id.in_(ids)).order_by(runs.c.id)
        connection.execute(locked.with_for_update(key_share=True))


def _cancel(connection: Connection, cancellation: Cancellation) -> set[str]:
    """Ask the runs to stop, and return their heads.

    The first reason counts, and a run that has ended stays what it is.
    """
    stopped = connection.execute(
        update(runs)
        .where(runs.c.id.in_(cancellation.run_ids), runs.c.phase != "finished", runs.c.cancel.is_(None))
        .values(
            cancel=cancellation.reason,
            cancel_kind=cancellation.kind.value,
            due_at=func.now(),
            version=runs.c.version + 1,
        )
        .returning(runs.c.head_sha)
    )
    return set(stopped.scalars())


def _resume(connection: Connection, change: Change) -> dict[str, str]:
    """Let the subject's runs that ended in Airflow go on there; returns their heads by their ids.

    Their contexts show them again, except where a maintainer's word stands.
    """
    if not change.resumed:
        return {}
    subject = change.subject
    timeout = func.coalesce(cast(runs.c.rules["timeout"].astext, Float), DAY)  # none in old rows
    resumed = connection.execute(
        update(runs)
        .where(
            runs.c.id.in_(change.resumed),
            runs.c.repository_id == subject.repository.id,
            runs.c.number == subject.number,
            runs.c.phase == Phase.FINISHED.value,
            runs.c.dag_run_id.is_not(None),
        )
        .values(
            phase=Phase.RESUMING.value,
            admitted=False,
            resumed_at=func.now(),
            outcome=None,
            reason="",
            note="",
            cancel=None,
            cancel_kind=None,
            cancel_sent=False,
            finished_at=None,
            archive_due_at=None,
            lease_owner=None,  # whoever archives it has no say any more
            lease_until=None,
            due_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, timeout),
            version=runs.c.version + 1,
        )
        .returning(runs.c.id, runs.c.pipeline, runs.c.inputs, runs.c.head_sha, runs.c.dryrun)
    ).all()
    for row in resumed:
        if not row.dryrun:
            context = context_of(row.pipeline, row.inputs)
            put_run(
                connection,
                subject,
                sha=row.head_sha,
                context=context,
                pipeline=row.pipeline,
                run_id=row.id,
            )
    return {row.id: row.head_sha for row in resumed}


def _remember(connection: Connection, change: Change, *, private: bool) -> set[str]:
    """Remember the pull request or branch; returns the head that it moved on from, which others may share."""
    subject = change.subject
    mine = and_(
        pull_requests.c.repository_id == subject.repository.id, pull_requests.c.number == subject.number
    )
    before = set(connection.execute(select(pull_requests.c.head_sha).where(mine)).scalars())
    current: dict[str, object] = {
        "full_name": subject.repository.full_name,
        "private": private,
        "open": subject.open,
        "head_sha": subject.head_sha,
        "base_ref": subject.base_ref,
    }
    if change.notice is not None:
        current["notice"] = change.notice
    if change.report is not None:
        current["comment_policy"] = change.report.comment.value
        current["report_statuses"] = change.report.statuses.value
        current["report_as"] = change.report.shown_as.value
    # Where GitHub counted no comment, none of ours can be there unknown to us: no need to search for it.
    # A branch never has one.
    commented = isinstance(subject, PullRequest) and subject.comments > 0
    key = {"repository_id": subject.repository.id, "number": subject.number}
    connection.execute(
        insert(pull_requests)
        .values(key | {"comment_search": commented} | current)
        .on_conflict_do_update(
            index_elements=list(key),
            set_=current,
            # A merge group can be made anew under its name: a late word about the one before is not about it.
            where=None
            if subject.open or isinstance(subject, PullRequest)
            else pull_requests.c.head_sha == subject.head_sha,
        )
    )
    return before


def _start(connection: Connection, run: Run, *, private: bool) -> None:
    """Store a new run, with the next attempt of its pipeline at its head."""
    earlier = select(func.coalesce(func.max(runs.c.attempt), 0) + 1).where(
        runs.c.repository_id == run.repository.id,
        runs.c.number == run.number,
        runs.c.pipeline == run.pipeline,
        runs.c.head_sha == run.head_sha,
    )
    deadline = func.now() + timedelta(seconds=run.rules.timeout)
    connection.execute(
        insert(runs).values(
            id=run.id,
            repository_id=run.repository.id,
            full_name=run.repository.full_name,
            private=private,
            clone_url=run.repository.clone_url,
            number=run.number,
            branch=run.branch,
            pipeline=run.pipeline,
            dag_id=run.dag_id,
            head_sha=run.head_sha,
            base_ref=run.base_ref,
            attempt=earlier.scalar_subquery(),
            actor=run.actor,
            dryrun=run.dryrun,
            comment_id=run.comment_id,
            inputs=dict(run.inputs),
            conf=run.conf,
            rules=rules_to(run.rules),
            admitted=run.admitted,
            phase=run.phase.value,
            created_at=run.created_at,
            due_at=func.now() if run.admitted else deadline,  # admission makes it due
        )
    )


def _approve(connection: Connection, change: Change, sha: str) -> None:
    """Somebody lets that head run; the first word counts."""
    connection.execute(
        insert(approvals)
        .values(
            repository_id=change.subject.repository.id,
            number=change.subject.number,
            sha=sha,
            actor=change.actor,
        )
        .on_conflict_do_nothing()
    )


def _audit(connection: Connection, change: Change) -> None:
    connection.execute(
        insert(decisions).values(
            repository_id=change.subject.repository.id,
            number=change.subject.number,
            delivery_id=change.delivery_id,
            actor=change.actor,
            head_sha=change.subject.head_sha,
            kind=change.kind,
            reason=change.reason,
            what=change.what,
        )
    )
