"""What the runs that we remember mean for a decision: which count for the head, which are out of date."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models import PREFIX, CancelKind, Outcome, StatusState, context_of
from bot.policy import texts
from bot.policy.decision import CancelRuns
from bot.policy.rules import values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bot.models import History, Run, Subject, Verdict
    from bot.policy.configuration import Pipeline
    from bot.policy.decision import Action
    from bot.policy.facts import Base

STOPPED_BY_EVENTS = frozenset({CancelKind.PUSH, CancelKind.CLOSED, CancelKind.DRAFT})
"""What stops a run without anybody's asking: it runs again once the reason is gone."""

RESUMABLE = timedelta(days=6)
"""How long after its end a run can go on: the tree that its steps share is kept for a week."""


def is_going(run: Run) -> bool:
    """Whether the run goes on, and nobody asked it to stop."""
    return not run.finished and run.cancel is None


def at_head(run: Run, subject: Subject) -> bool:
    """Whether the run's word is about what the pull request is now."""
    return run.head_sha == subject.head_sha and run.base_ref == subject.base_ref


def stale_runs(subject: Subject, history: History) -> tuple[Action, ...]:
    """Stop what still runs for another base, or for an older head unless its pipeline lets it."""
    stale = tuple(
        run
        for run in history.runs
        if is_going(run)
        and not at_head(run, subject)
        and (run.rules.supersede or run.dryrun or run.base_ref != subject.base_ref)
    )
    return cancel(stale, CancelKind.PUSH, texts.superseded(subject.head_sha))


def cancel(runs: Iterable[Run], kind: CancelKind, reason: str) -> tuple[Action, ...]:
    """Stop these, if there are any."""
    stopped = tuple(runs)
    return (CancelRuns(stopped, kind, reason),) if stopped else ()


def latest_runs(subject: Subject, history: History) -> Mapping[str, Run]:
    """The newest run by context at this head and base, dry runs apart."""
    return {run.context: run for run in history.runs if at_head(run, subject) and not run.dryrun}


def is_settled(name: str, latest: Mapping[str, Run], history: History, *, rebased: bool = False) -> bool:
    """Whether the pipeline ran (or runs) at this head for good, or a maintainer overrode it.

    `latest` are the newest runs at this head. Where it was `rebased`, an override was meant for another base.
    """
    verdict = history.verdicts.get(PREFIX + name)
    if verdict is not None and verdict.override and not rebased:
        return True
    run = latest.get(PREFIX + name)
    return run is not None and run.cancel_kind not in STOPPED_BY_EVENTS


def verdict_of(name: str, subject: Subject, history: History) -> Verdict | None:
    """What the pipeline's context says about this head; a run for another base says nothing."""
    verdict = history.verdicts.get(context_of(name))
    if verdict is None or (verdict.run is not None and not at_head(verdict.run, subject)):
        return None
    return verdict


def has_not_run(name: str, subject: Subject, history: History) -> bool:
    """Whether the pipeline has no result at this head and no run: its context is silent, or only waits."""
    verdict = verdict_of(name, subject, history)
    return verdict is None or (verdict.status is not None and verdict.status.state is StatusState.PENDING)


def last_result(verdict: Verdict | None) -> str:
    """The verdict in a word or two, for people."""
    if verdict is None:
        return "not run yet"
    if verdict.status is not None:
        return verdict.status.description or verdict.status.state.value
    run = verdict.run
    if run is None or run.outcome is None:
        return "running"
    return {Outcome.SUCCESS: "passed", Outcome.FAILURE: "failed", Outcome.TIMED_OUT: "timed out"}.get(
        run.outcome, run.outcome.value
    )


def is_bad(verdict: Verdict) -> bool:
    """Whether it failed, erred or was cancelled."""
    if verdict.run is not None:
        return verdict.run.outcome not in (None, Outcome.SUCCESS)
    return verdict.status is not None and verdict.status.state in (StatusState.FAILURE, StatusState.ERROR)


def can_resume(run: Run, pipeline: Pipeline, base: Base, now: datetime) -> bool:
    """Whether the same DAG run can go on: it ended, and base and what it was given are as they were."""
    return (
        run.dag_run_id is not None
        and bool(run.steps)
        and run.base_sha == base.sha
        and run.dag_id == pipeline.dag
        and _was_given(run, values_of(pipeline, run.inputs))
        and run.finished_at is not None
        and now - run.finished_at < RESUMABLE
    )


def _was_given(run: Run, values: Mapping[str, object]) -> bool:
    return all(run.conf.get(key) == value for key, value in values.items())
