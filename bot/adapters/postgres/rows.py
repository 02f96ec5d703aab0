"""Rows to dataclasses and back.

While a version is replaced by the next, each reads what the other wrote: a field that is not there has its
default, and new fields stand where the version before does not look.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.models import (
    DAY,
    CancelKind,
    CommentPolicy,
    Limit,
    LogMatcher,
    Outcome,
    Phase,
    ReportAs,
    ReportPolicy,
    Repository,
    Rules,
    Run,
    StatusPolicy,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row


def run_from(row: Row[Any]) -> Run:
    """A row of `runs`."""
    steps = tuple(step_from(step) for step in row.steps)
    return replace(listed_from(row), conf=row.conf, steps=steps)


def listed_from(row: Row[Any]) -> Run:
    """A row of `runs` without what is large: of its conf there is the author's name only, and no steps."""
    return Run(
        id=row.id,
        repository=Repository(row.repository_id, row.full_name, private=row.private, clone_url=row.clone_url),
        number=row.number,
        pipeline=row.pipeline,
        dag_id=row.dag_id,
        head_sha=row.head_sha,
        base_ref=row.base_ref,
        attempt=row.attempt,
        actor=row.actor,
        created_at=row.created_at.astimezone(UTC),
        conf={"preflight": {"untrusted": {"author": row.author}}},
        branch=row.branch,
        dryrun=row.dryrun,
        comment_id=row.comment_id,
        inputs=row.inputs,
        rules=rules_from(row.rules),
        admitted=row.admitted,
        phase=Phase(row.phase),
        dag_run_id=row.dag_run_id,
        cancel=row.cancel,
        cancel_kind=None if row.cancel_kind is None else CancelKind(row.cancel_kind),
        note=row.note,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=row.reason,
        resumed_at=_utc(row.resumed_at),
        started_at=_utc(row.started_at),
        finished_at=_utc(row.finished_at),
    )


def report_policy_from(row: Row[Any]) -> ReportPolicy:
    """How a row of `pull_requests` is reported on."""
    return ReportPolicy(
        comment=CommentPolicy(row.comment_policy),
        statuses=StatusPolicy(row.report_statuses),
        shown_as=ReportAs(row.report_as),
    )


def rules_from(fields: Mapping[str, Any]) -> Rules:
    """Rules as `rules_to` wrote them; what a version before left open has its default."""
    if not fields:
        return Rules()
    return Rules(
        timeout=DAY if fields["timeout"] is None else fields["timeout"],
        optional=fields["optional"],
        supersede=fields["supersede"],
        needs=tuple(fields["needs"]),
        limits=tuple(Limit(**limit) for limit in fields["limits"]),
        matchers=tuple(LogMatcher(**matcher) for matcher in fields.get("matchers", ())),
    )


def rules_to(rules: Rules) -> dict[str, object]:
    """The rules as JSON."""
    return {
        "timeout": rules.timeout,
        "optional": rules.optional,
        "supersede": rules.supersede,
        "needs": list(rules.needs),
        "limits": [{"key": limit.key, "most": limit.most} for limit in rules.limits],
        "matchers": [asdict(matcher) for matcher in rules.matchers],
    }


def step_from(fields: Mapping[str, Any]) -> Step:
    """A step as `step_to` wrote it."""
    result = fields["result"]
    excerpt = fields["excerpt"]
    return Step(
        task_id=fields["task_id"],
        map_index=fields["map_index"],
        name=fields["name"],
        state=StepState(fields["state"]),
        try_number=fields["try_number"],
        started_at=_parse(fields["started_at"]),
        ended_at=_parse(fields["ended_at"]),
        result=None if result is None else StepResult(**result, **_left_from(fields.get("left", {}))),
        excerpt=None if excerpt is None else tuple(excerpt),
    )


def step_to(step: Step) -> dict[str, object]:
    """The step as JSON."""
    result = step.result
    return {
        "task_id": step.task_id,
        "map_index": step.map_index,
        "name": step.name,
        "state": step.state.value,
        "try_number": step.try_number,
        "started_at": None if step.started_at is None else step.started_at.isoformat(),
        "ended_at": None if step.ended_at is None else step.ended_at.isoformat(),
        "result": None
        if result is None
        else {
            "exit_code": result.exit_code,
            "reason": result.reason,
            "reproduce": result.reproduce,
            "argv": result.argv,
        },
        "left": {} if result is None else _left_to(result),
        "excerpt": None if step.excerpt is None else list(step.excerpt),
    }


def _left_from(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a step left beside its word: tests and artifacts."""
    tests = fields.get("tests")
    return {
        "tests": None if tests is None else _tests_from(tests),
        "artifacts": fields.get("artifacts", 0),
        "dropped": fields.get("dropped", ""),
    }


def _left_to(result: StepResult) -> dict[str, object]:
    return {
        "tests": None if result.tests is None else asdict(result.tests),
        "artifacts": result.artifacts,
        "dropped": result.dropped,
    }


def _tests_from(fields: Mapping[str, Any]) -> TestResults:
    lists = {
        "failures": tuple(TestFailure(**failure) for failure in fields["failures"]),
        "flaky": tuple(fields["flaky"]),
        "notes": tuple(fields["notes"]),
    }
    return TestResults(**{**fields, **lists})


def _parse(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
