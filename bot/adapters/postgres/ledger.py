"""What was decided: runs wanted and stopped, verdicts, answers, and who pushed which head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.database import lock_key, notify
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import decisions, heads, pull_requests, replies, runs, verdicts
from bot.errors import Overtaken
from bot.models import History, StatusState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from bot.adapters.postgres.database import Database
    from bot.models import Cancellation, Change, PullRequest, Reply, Repository, Run, Verdict

RUNS_KEPT_IN_MIND = 200


class PostgresLedger:
    """The Ledger port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record_push(self, repository: Repository, number: int, sha: str, pusher: str) -> None:
        """Remember who put that head there; the first word counts."""
        statement = insert(heads).values(repository_id=repository.id, number=number, sha=sha, pusher=pusher)
        with self.database.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[heads.c.repository_id, heads.c.number, heads.c.sha],
                    set_={"pusher": pusher},
                    where=heads.c.pusher.is_(None),
                )
            )

    def history(self, repository: Repository, number: int, head_sha: str | None) -> History:
        """What we remember of the pull request: its latest runs, oldest first, and who pushed what."""
        mine = and_(runs.c.repository_id == repository.id, runs.c.number == number)
        latest = select(runs).where(mine).order_by(runs.c.created_at.desc(), runs.c.attempt.desc())
        unfinished = latest.where(runs.c.phase != "finished")
        pushers = select(heads.c.sha, heads.c.pusher).where(
            heads.c.repository_id == repository.id, heads.c.number == number, heads.c.pusher.is_not(None)
        )
        broken = select(verdicts.c.context).where(
            verdicts.c.repository_id == repository.id,
            verdicts.c.number == number,
            verdicts.c.head_sha == head_sha,
            verdicts.c.pipeline == "",
            verdicts.c.state != StatusState.SUCCESS.value,
        )
        with self.database.begin() as connection:
            decision = _latest_decision(connection, repository, number)  # before what must not be older
            rows = [*connection.execute(latest.limit(RUNS_KEPT_IN_MIND)), *connection.execute(unfinished)]
            known = {row.id: run_from(row) for row in rows}
            return History(
                runs=tuple(sorted(known.values(), key=lambda run: (run.created_at, run.attempt))),
                pushers={row.sha: row.pusher for row in connection.execute(pushers)},
                config_broken=connection.execute(broken).scalar() is not None,
                decision=decision,
            )

    def apply(self, change: Change) -> bool:
        """Store a decision whole. False, and nothing stored, if its comment was answered before.

        Overtaken, and nothing stored, if another decision came between: a worker that lost its lease while
        it decided must not decide twice.
        """
        pull = change.pull
        with self.database.begin() as connection:
            _check_turn(connection, change)
            if change.reply is not None and not _take_comment(connection, change, change.reply):
                return False
            # Rows are locked in one order everywhere, so that no two wait for each other: runs, then the pull
            # request, then its heads.
            touched = {sha for one in change.cancellations for sha in _cancel(connection, one)}
            touched |= _remember_pull(connection, change)
            for verdict in change.verdicts:
                if verdict.run is not None:
                    _start(connection, verdict.run)
                _show(connection, pull, verdict)
            touch_report(connection, pull.repository.id, pull.number, {pull.head_sha, *touched})
            connection.execute(
                insert(decisions).values(
                    repository_id=pull.repository.id,
                    number=pull.number,
                    delivery_id=change.delivery_id,
                    actor=change.actor,
                    head_sha=pull.head_sha,
                    reason=change.reason,
                )
            )
            if change.cancellations or any(verdict.run is not None for verdict in change.verdicts):
                notify(connection, "run")
        return True


def touch_report(connection: Connection, repository_id: int, number: int, shas: Collection[str]) -> None:
    """Something about these heads changed: have the pull request reported on, now."""
    mine = and_(pull_requests.c.repository_id == repository_id, pull_requests.c.number == number)
    connection.execute(
        update(pull_requests).where(mine).values(version=pull_requests.c.version + 1, due_at=func.now())
    )
    rows = [
        {"repository_id": repository_id, "number": number, "sha": sha, "settled": False}
        for sha in sorted(shas)
    ]
    connection.execute(
        insert(heads)
        .values(rows)
        .on_conflict_do_update(
            index_elements=[heads.c.repository_id, heads.c.number, heads.c.sha], set_={"settled": False}
        )
    )
    notify(connection, "report")


def _latest_decision(connection: Connection, repository: Repository, number: int) -> int:
    latest = select(func.coalesce(func.max(decisions.c.seq), 0)).where(
        decisions.c.repository_id == repository.id, decisions.c.number == number
    )
    return int(connection.execute(latest).scalar_one())


def _check_turn(connection: Connection, change: Change) -> None:
    """Decisions about one pull request follow one another, each on what the one before it left."""
    repository, number = change.pull.repository, change.pull.number
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("decision", repository.id, number)}
    )
    if change.after is not None and _latest_decision(connection, repository, number) != change.after:
        raise Overtaken(f"{repository.full_name}#{number} was decided about by another worker", 0.1)


def _take_comment(connection: Connection, change: Change, reply: Reply) -> bool:
    """A comment's commands run once, whatever delivery brings it."""
    taken = connection.execute(
        insert(replies)
        .values(
            repository_id=change.pull.repository.id,
            comment_id=reply.comment_id,
            number=change.pull.number,
            delivery_id=change.delivery_id,
            text=reply.text,
        )
        .on_conflict_do_nothing()
        .returning(replies.c.comment_id)  # SQLAlchemy counts no rows of an INSERT
    )
    return taken.one_or_none() is not None


def _remember_pull(connection: Connection, change: Change) -> set[str]:
    """Remember the pull request; returns the head that it moved on from, which others may share."""
    pull = change.pull
    mine = and_(pull_requests.c.repository_id == pull.repository.id, pull_requests.c.number == pull.number)
    before = set(connection.execute(select(pull_requests.c.head_sha).where(mine)).scalars())
    current: dict[str, object] = {
        "full_name": pull.repository.full_name,
        "private": pull.repository.private,
        "open": pull.open,
        "head_sha": pull.head_sha,
    }
    if change.notice is not None:
        current["notice"] = change.notice
    # Where GitHub counted no comment, none of ours can be there unknown to us: no need to search for it.
    new = {"repository_id": pull.repository.id, "number": pull.number, "comment_search": pull.comments > 0}
    connection.execute(
        insert(pull_requests)
        .values(new | current)
        .on_conflict_do_update(
            index_elements=[pull_requests.c.repository_id, pull_requests.c.number], set_=current
        )
    )
    return before


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


def _start(connection: Connection, run: Run) -> None:
    earlier = select(func.coalesce(func.max(runs.c.attempt), 0) + 1).where(
        runs.c.repository_id == run.repository.id,
        runs.c.number == run.number,
        runs.c.pipeline == run.pipeline,
        runs.c.head_sha == run.head_sha,
    )
    connection.execute(
        insert(runs).values(
            id=run.id,
            repository_id=run.repository.id,
            full_name=run.repository.full_name,
            private=run.repository.private,
            clone_url=run.repository.clone_url,
            number=run.number,
            pipeline=run.pipeline,
            dag_id=run.dag_id,
            head_sha=run.head_sha,
            base_ref=run.base_ref,
            attempt=earlier.scalar_subquery(),
            actor=run.actor,
            dryrun=run.dryrun,
            conf=run.conf,
            phase=run.phase.value,
            created_at=run.created_at,
            due_at=func.now(),
        )
    )


def _show(connection: Connection, pull: PullRequest, verdict: Verdict) -> None:
    """From now on the context shows this verdict."""
    status = verdict.status
    says = {
        "pipeline": verdict.pipeline,
        "run_id": None if verdict.run is None else verdict.run.id,
        "state": None if status is None else status.state.value,
        "description": None if status is None else status.description,
    }
    where = {
        "repository_id": pull.repository.id,
        "number": pull.number,
        "head_sha": pull.head_sha,
        "context": verdict.context,
    }
    connection.execute(
        insert(verdicts).values(where | says).on_conflict_do_update(index_elements=list(where), set_=says)
    )
