"""The domain's words, as frozen dataclasses that know no I/O.

What strangers control as free text (titles, branch names, labels) is carried as data and never
interpreted; whoever renders it is responsible for escaping it (see `bot.prose`).
All times are aware datetimes in UTC.
"""

from __future__ import annotations

from bot.models.airflow import (
    FINISHED_STEPS,
    Dag,
    DagRun,
    DagRunState,
    LogLine,
    RunRef,
    Step,
    StepResult,
    StepState,
)
from bot.models.change import Audit, Cancellation, Change, CommentPolicy, History, PullView, Reply, Verdict
from bot.models.github import (
    Branch,
    ChangedFiles,
    Delivery,
    Permission,
    PullRequest,
    Repository,
    Status,
    StatusState,
    Subject,
)
from bot.models.run import (
    CONFIG_CONTEXT,
    PREFIX,
    PROPOSED_CONTEXT,
    CancelKind,
    Limit,
    Outcome,
    Phase,
    Rules,
    Run,
    context_of,
    written,
)

__all__ = [
    "CONFIG_CONTEXT",
    "FINISHED_STEPS",
    "PREFIX",
    "PROPOSED_CONTEXT",
    "Audit",
    "Branch",
    "CancelKind",
    "Cancellation",
    "Change",
    "ChangedFiles",
    "CommentPolicy",
    "Dag",
    "DagRun",
    "DagRunState",
    "Delivery",
    "History",
    "Limit",
    "LogLine",
    "Outcome",
    "Permission",
    "Phase",
    "PullRequest",
    "PullView",
    "Reply",
    "Repository",
    "Rules",
    "Run",
    "RunRef",
    "Status",
    "StatusState",
    "Step",
    "StepResult",
    "StepState",
    "Subject",
    "Verdict",
    "context_of",
    "written",
]
