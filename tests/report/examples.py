"""Runs and pull requests to show: small builders with the defaults of an ordinary day."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.models import (
    CancelKind,
    CommentPolicy,
    Outcome,
    Past,
    Phase,
    PullView,
    ReportPolicy,
    Repository,
    Rules,
    Run,
    Status,
    StatusState,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
    Verdict,
)
from bot.report.links import Links

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
REPOSITORY = Repository(id=1, full_name="acme/widgets", clone_url="https://github.example/acme/widgets.git")
HEAD = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
LINKS = Links("https://preflight.example", "https://airflow.example")
OURS = (
    "https://preflight.example/",
    "https://airflow.example/",
    f"https://github.example/acme/widgets/blob/{HEAD}/",
)
"""How the addresses begin that a report may link to."""
MARKER = "<!-- preflight demo pull 12 -->"


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def step(
    name: str,
    state: StepState = StepState.SUCCEEDED,
    *,
    start: float | None = 0,
    end: float | None = None,
    tries: int = 1,
    result: StepResult | None = None,
    excerpt: tuple[str, ...] | None = None,
) -> Step:
    """A step of that name; times in seconds after noon."""
    return Step(
        task_id=name,
        map_index=-1,
        name=name,
        state=state,
        try_number=tries,
        started_at=None if start is None else at(start),
        ended_at=None if end is None else at(end),
        result=result,
        excerpt=excerpt,
    )


def passed(name: str, start: float, end: float) -> Step:
    """A step that passed."""
    return step(name, start=start, end=end)


def failed(
    name: str,
    reason: str = "",
    *,
    code: int | None = 1,
    start: float = 0,
    end: float = 42,
    tries: int = 1,
    reproduce: str = "",
    excerpt: tuple[str, ...] | None = None,
    tests: TestResults | None = None,
) -> Step:
    """A step that failed, with what its binary left."""
    result = StepResult(exit_code=code, reason=reason, reproduce=reproduce, tests=tests)
    return step(name, StepState.FAILED, start=start, end=end, tries=tries, result=result, excerpt=excerpt)


def red_tests(
    *names: str, total: int = 0, failed: int = 0, message: str = "", notes: tuple[str, ...] = ()
) -> TestResults:
    """Results of tests of which those failed; that of "tests/test_app.py::test_add" is on line 7."""
    failures = tuple(
        TestFailure(name, message, name.split("::")[0] if "::" in name else "", 7 if "::" in name else None)
        for name in names
    )
    return TestResults(total or len(names), failed or len(names), failures=failures, notes=notes)


def run(
    pipeline: str = "unit",
    *steps: Step,
    outcome: Outcome | None = None,
    reason: str = "",
    cancel: str | None = None,
    cancel_kind: CancelKind | None = None,
    note: str = "",
    phase: Phase | None = None,
    took: float | None = None,
    inputs: Mapping[str, object] | None = None,
    optional: bool = False,
    dryrun: bool = False,
) -> Run:
    """A run of that pipeline; finished if it has an outcome, else in Airflow."""
    if phase is None:
        phase = Phase.ACTIVE if outcome is None else Phase.FINISHED
    return Run(
        id=hashlib.sha256(pipeline.encode(errors="replace")).hexdigest()[:32],
        repository=REPOSITORY,
        number=12,
        pipeline=pipeline,
        dag_id="checks",
        head_sha=HEAD,
        base_ref="main",
        attempt=1,
        actor="octocat",
        created_at=NOON,
        conf={},
        dryrun=dryrun,
        inputs=inputs or {},
        rules=Rules(optional=optional),
        phase=phase,
        cancel=cancel,
        cancel_kind=cancel_kind,
        note=note,
        outcome=outcome,
        reason=reason,
        steps=steps,
        dag_run_id=f"preflight~{len(pipeline)}" if phase in (Phase.ACTIVE, Phase.FINISHED) else None,
        started_at=None if took is None else NOON,
        finished_at=None if took is None else at(took),
    )


def ran(of: Run) -> Verdict:
    """The word of a run."""
    return Verdict(context=of.context, pipeline=of.pipeline, run=of)


def fixed(pipeline: str, state: StatusState, description: str, context: str = "") -> Verdict:
    """A word where nothing runs."""
    context = context or f"preflight/{pipeline}"
    return Verdict(context=context, pipeline=pipeline, status=Status(context, state, description))


def overridden(pipeline: str, login: str = "hubot", reason: str = "the runner is down") -> Verdict:
    """A maintainer's word."""
    status = Status(f"preflight/{pipeline}", StatusState.SUCCESS, f"overridden by @{login}: {reason}")
    return Verdict(status.context, pipeline, status=status, override=True)


def view(
    *verdicts: Verdict,
    notice: str = "",
    comment: CommentPolicy = CommentPolicy.ALWAYS,
    past: Mapping[str, Past] | None = None,
) -> PullView:
    """Pull request 12; `past` is by the pipeline's name."""
    by_run = {
        verdict.run.id: (past or {})[verdict.pipeline]
        for verdict in verdicts
        if verdict.run and verdict.pipeline in (past or {})
    }
    return PullView(REPOSITORY, 12, HEAD, verdicts, notice, ReportPolicy(comment), by_run)
