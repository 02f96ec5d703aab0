"""Which pipelines of a pull request run, wait or are skipped, and what their contexts show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import CancelKind, StatusState
from bot.policy import texts
from bot.policy.configuration import Configuration, ConfigurationError
from bot.policy.decision import (
    CONFIG_CONTEXT,
    PREFIX,
    Action,
    CancelRuns,
    DecisionKind,
    Notify,
    ShowStatus,
    StartRun,
)
from bot.policy.selection import applies, needs_files
from bot.policy.trust import distrust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.models import History, PullRequest, Run
    from bot.policy.configuration import Pipeline
    from bot.policy.facts import Base, Facts


def configured(base: Base) -> bool:
    """Whether the repository has asked for anything; a broken file has."""
    return base.configuration is not None


def stale_runs(pull: PullRequest, history: History) -> tuple[Action, ...]:
    """Stop what still runs for an older head or another base."""
    stale = tuple(
        run.id for run in history.runs if not run.finished and run.cancel is None and not _at_head(run, pull)
    )
    return (CancelRuns(stale, CancelKind.PUSH, texts.superseded(pull.head_sha)),) if stale else ()


def latest_runs(pull: PullRequest, history: History) -> Mapping[str, Run]:
    """The newest run of each pipeline at this head and base."""
    return {run.pipeline: run for run in history.runs if _at_head(run, pull)}


def _at_head(run: Run, pull: PullRequest) -> bool:
    return run.head_sha == pull.head_sha and run.base_ref == pull.base_ref


def automatic_actions(
    pull: PullRequest, base: Base, facts: Facts
) -> tuple[DecisionKind, str, tuple[Action, ...]]:
    """What a push (or opening, reopening ...) asks for: each pipeline once per head and base.

    A run that only a push or a closing stopped is started again; one that ended, or that a person
    stopped, is not.
    """
    history = facts.history()
    if isinstance(base.configuration, ConfigurationError):
        return DecisionKind.ERROR, str(base.configuration), broken_configuration(base.configuration, pull)
    mended = mended_configuration(history)
    latest = latest_runs(pull, history)
    wanted = {
        name: pipeline
        for name, pipeline in pipelines_of(base).items()
        if name not in latest or latest[name].cancel_kind in (CancelKind.PUSH, CancelKind.CLOSED)
    }
    chosen, skipped = select(wanted, facts)
    skips = tuple(show(name, StatusState.SUCCESS, texts.SKIPPED) for name in skipped if name not in latest)
    if not chosen:
        return DecisionKind.IGNORE, "there is nothing to run", (*mended, *skips)
    reason = distrust(pull, facts)
    if reason is not None:
        return DecisionKind.WAIT, reason, (*mended, *skips, *wait_for_approval(chosen, latest))
    if pull.draft:
        drafts = tuple(show(name, StatusState.PENDING, texts.DRAFT) for name in chosen if name not in latest)
        return DecisionKind.WAIT, texts.DRAFT, (*mended, *skips, *drafts)
    starts = tuple(StartRun(name, pipeline, "push") for name, pipeline in chosen.items())
    return DecisionKind.RUN, f"to run: {', '.join(chosen)}", (*mended, *skips, *starts)


def pipelines_of(base: Base) -> Mapping[str, Pipeline]:
    """The pipelines of a configuration that can be used."""
    return base.configuration.pipelines if isinstance(base.configuration, Configuration) else {}


def select(pipelines: Mapping[str, Pipeline], facts: Facts) -> tuple[dict[str, Pipeline], tuple[str, ...]]:
    """Those that apply to what the pull request changes, and the names of those that do not."""
    if not any(needs_files(pipeline) for pipeline in pipelines.values()):
        return dict(pipelines), ()
    changed = facts.changed_files()
    chosen = {name: pipeline for name, pipeline in pipelines.items() if applies(pipeline, changed)}
    return chosen, tuple(name for name in pipelines if name not in chosen)


def wait_for_approval(names: Iterable[str], latest: Mapping[str, Run]) -> tuple[Action, ...]:
    """What an untrusted head shows instead of running; never over the result of a run."""
    return tuple(show(name, StatusState.PENDING, texts.WAITING) for name in names if name not in latest)


def broken_configuration(error: ConfigurationError, pull: PullRequest) -> tuple[Action, ...]:
    """What a configuration that can't be used shows."""
    return (
        ShowStatus(CONFIG_CONTEXT, "", StatusState.ERROR, texts.CONFIG_BROKEN),
        Notify(texts.config_problems(error.problems, pull.base_ref)),
    )


def mended_configuration(history: History) -> tuple[Action, ...]:
    """Take back what a broken configuration showed at this head."""
    if not history.config_broken:
        return ()
    return (ShowStatus(CONFIG_CONTEXT, "", StatusState.SUCCESS, texts.CONFIG_MENDED), Notify(""))


def show(name: str, state: StatusState, description: str) -> ShowStatus:
    """A fixed status in a pipeline's context."""
    return ShowStatus(PREFIX + name, name, state, description)
