"""What a pipeline's configuration means for its runs: their values, their limits, and when they start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import (
    CommentPolicy,
    Limit,
    LogMatcher,
    ReportAs,
    ReportPolicy,
    Rules,
    StatusPolicy,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Repository
    from bot.policy.configuration import Configuration, Input, Pipeline
    from bot.policy.operator import Operator


def values_of(pipeline: Pipeline, inputs: Mapping[str, object]) -> Mapping[str, object]:
    """The params that the DAG gets: those configured, the inputs' defaults, and what a command gave."""
    defaults = {key: one.default for key, one in pipeline.inputs.items() if one.default is not None}
    return {**pipeline.params, **defaults, **inputs}


def rules_of(
    name: str,
    pipeline: Pipeline,
    configuration: Configuration,
    operator: Operator,
    repository: Repository,
    *,
    dryrun: bool = False,
) -> Rules:
    """What holds for a run of the pipeline; a dry run waits for nothing but the installation's own limit."""
    serve = operator.serve(repository)
    own = [most for most in (configuration.max_concurrency, serve and serve.max_concurrency) if most]
    limits = {
        "installation": operator.max_concurrency,
        f"repository:{repository.id}": None if dryrun else min(own, default=None),
        f"pipeline:{repository.id}:{name}": None
        if dryrun
        else pipeline.max_concurrency or operator.defaults.max_concurrency,
    }
    return Rules(
        timeout=pipeline.timeout or operator.defaults.timeout,
        optional=pipeline.optional,
        supersede=pipeline.supersede,
        needs=() if dryrun else tuple(pipeline.needs),
        limits=tuple(Limit(key, most) for key, most in limits.items() if most is not None),
        matchers=tuple(
            LogMatcher(one.name, one.pattern, one.before, one.after) for one in configuration.report.matchers
        ),
    )


def report_policy_of(configuration: Configuration) -> ReportPolicy:
    """How the repository wants to be told."""
    report = configuration.report
    return ReportPolicy(
        CommentPolicy(report.comment), StatusPolicy(report.statuses), ReportAs(report.shown_as)
    )


def runs_on(pipeline: Pipeline) -> str:
    """When the pipeline runs, in words."""
    if pipeline.manual:
        said = "by command only"
    else:
        said = ", ".join(event.replace("_", " ") for event in pipeline.on)
        for before, patterns in (
            (" into ", pipeline.branches),
            (" not into ", pipeline.branches_ignore),
            (", changing ", pipeline.paths),
            (", not only ", pipeline.paths_ignore),
            (", labelled ", pipeline.labels),
        ):
            if patterns:
                said += before + " ".join(patterns)
        said += ", drafts too" if pipeline.drafts else ""
    return said + (f", after {', '.join(pipeline.needs)}" if pipeline.needs else "")


def takes(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """Each input's name, and in words what it may be."""
    return tuple((key, _takes(one)) for key, one in pipeline.inputs.items())


def _takes(one: Input) -> str:
    said = f"one of {', '.join(written(choice) for choice in one.choices)}" if one.choices else one.type
    if one.default is not None:
        said += f", by default {written(one.default)}"
    return f"{said}: {one.description}" if one.description else said
