"""A decision as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import CLICK, PREFIX
from bot.policy.decision import (
    Answer,
    Approve,
    CancelRuns,
    Forget,
    Notify,
    Recheck,
    Rename,
    Rerun,
    ResumeRun,
    ShowStatus,
    StartRun,
)
from bot.report.statuses.status import fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.commands.types import ParsedComment
    from bot.policy.decision import Action, Decision

Json = dict[str, object]

ORDER = (
    "react",
    "approve",
    "cancel",
    "trigger",
    "status",
    "comment",
    "rename",
    "forget",
    "recheck",
    "rerun",
    "reply",
)
"""In which order actions are shown; those of a kind stay as they were decided."""


def show_comment(parsed: ParsedComment) -> tuple[list[Json], list[Json]]:
    """The commands of a comment, and its errors."""
    commands: list[Json] = [
        {
            "name": command.name,
            "pipelines": list(command.pipelines),
            "dryrun": command.dryrun,
            "inputs": dict(command.inputs),
            "line": command.line,
        }
        for command in parsed.commands
    ]
    errors: list[Json] = [
        {"line": error.line, "text": error.text, "suggestion": error.suggestion}
        | _unless_empty(reason=error.reason)
        for error in parsed.errors
    ]
    return commands, errors


def show_actions(decision: Decision) -> Sequence[Json]:
    """What the decision does, in a stable order; replies and comments without a word are left out."""
    shown = [each for action in decision.actions for each in _show(action) if each.get("text") != ""]
    return sorted(shown, key=lambda each: ORDER.index(str(each["do"])))


def _show(action: Action) -> Iterable[Json]:
    match action:
        case StartRun():
            yield _trigger(action.name, resume=False, dryrun=action.dryrun, inputs=dict(action.inputs))
        case ResumeRun(run):
            yield _trigger(run.pipeline, resume=True, dryrun=run.dryrun, inputs=dict(run.inputs))
        case CancelRuns():
            for run in action.runs:
                more = _unless_empty(inputs=dict(run.inputs))
                yield {"do": "cancel", "pipeline": run.pipeline, "reason": action.reason, **more}
        case ShowStatus():
            yield {
                "do": "status",
                "pipeline": action.context.removeprefix(PREFIX),
                "state": action.state.value,
                "description": fit(action.description),
                **_unless_empty(override=action.override),
            }
        case Answer():
            if action.comment_id != CLICK:
                yield {"do": "react", "content": "eyes"}
            yield {"do": "reply", "text": action.reply}
        case Notify():
            yield {"do": "comment", "text": action.text}
        case Approve() | Recheck() | Rerun() | Rename() | Forget():
            yield _show_bookkeeping(action)


def _show_bookkeeping(action: Approve | Recheck | Rerun | Rename | Forget) -> Json:
    """What changes nothing that people see at once."""
    match action:
        case Approve():
            return {"do": "approve", "sha": action.sha}
        case Recheck():
            return {"do": "recheck", "repository": action.repository.full_name, "pull_request": action.number}
        case Rerun():
            return {"do": "rerun", "repository": action.repository.full_name, "pull_request": action.number}
        case Rename():
            return {"do": "rename", "repository": action.repository.full_name}
        case Forget():
            return {"do": "forget", "repository": action.repository.full_name}


def _trigger(pipeline: str, *, resume: bool, dryrun: bool, inputs: Json) -> Json:
    return {"do": "trigger", "pipeline": pipeline, "resume": resume, "dryrun": dryrun, "inputs": inputs}


def _unless_empty(**more: object) -> Json:
    """Keys that most actions do without, where they say something."""
    return {key: value for key, value in more.items() if value}
