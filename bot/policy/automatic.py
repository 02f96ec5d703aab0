"""What happens by itself: which pipelines of a pull request or branch run, wait or are skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.models import (
    CONFIG_CONTEXT,
    PREFIX,
    PROPOSED_CONTEXT,
    Branch,
    CancelKind,
    PullRequest,
    StatusState,
)
from bot.policy import texts
from bot.policy.approval import approval_notice
from bot.policy.configuration import Configuration, ConfigurationError
from bot.policy.decision import Action, DecisionKind, Notify, ShowStatus, StartRun
from bot.policy.runs import at_head, cancel, is_going, is_settled, latest_runs
from bot.policy.selection import listens, skip_reason
from bot.policy.trust import distrust, distrust_unapproved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.models import History, Run, Subject
    from bot.policy.configuration import Pipeline
    from bot.policy.facts import Base, Facts


@dataclass(slots=True)
class Outlook:
    """What is to be done, and in one word what that amounts to; `notices` stand above the comment's table."""

    kind: DecisionKind = DecisionKind.IGNORE
    reason: str = "there is nothing to run"
    actions: list[Action] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def all_actions(self, subject: Subject, facts: Facts) -> tuple[Action, ...]:
        """The actions; a pull request's comment says what is the matter now, and nothing else."""
        notice = "\n\n".join(self.notices)
        if isinstance(subject, Branch) or facts.history().notice == notice:
            return tuple(self.actions)
        return (*self.actions, Notify(notice))


def automatic(
    subject: Subject,
    base: Base,
    facts: Facts,
    event: str,
    *,
    approved: Collection[str] = frozenset(),
    rebased: bool = False,
) -> Outlook:
    """What a push (or opening, reopening, approval ...) asks for: each pipeline once per head and base.

    A run that only an event stopped (push, closing, draft) is started again; one that ended, or that a
    person stopped, is not. `event` is GitHub's name of what pipelines listen to. `rebased`: the pull request
    has just got another base.
    """
    outlook = _outlook(subject, base, facts, event, approved=approved, rebased=rebased)
    if isinstance(subject, PullRequest) and base.configuration is not None:
        outlook.actions += _of_another_base(subject, facts, outlook, rebased=rebased)
    return outlook


def _outlook(
    subject: Subject,
    base: Base,
    facts: Facts,
    event: str,
    *,
    approved: Collection[str],
    rebased: bool,
) -> Outlook:
    outlook = Outlook()
    if isinstance(subject, PullRequest):
        _check_proposed(facts, outlook)
    if base.configuration is None:
        outlook.reason = texts.NOT_CONFIGURED
        outlook.actions += mended_configuration(facts)
        return outlook
    if isinstance(base.configuration, ConfigurationError):
        outlook.kind, outlook.reason = DecisionKind.ERROR, str(base.configuration)
        outlook.actions.append(config_status(StatusState.FAILURE, texts.CONFIG_BROKEN))
        outlook.notices.insert(0, texts.config_problems(base.configuration.problems, subject.base_ref))
        return outlook
    outlook.actions += mended_configuration(facts)
    pipelines = {
        name: pipeline
        for name, pipeline in base.pipelines.items()
        if listens(pipeline, event) and not pipeline.manual
    }
    outlook.actions += _abandoned(base.pipelines, facts)
    chosen = _select(pipelines, subject, facts, outlook, rebased=rebased)
    trusted = True
    if isinstance(subject, PullRequest):
        chosen = _hold_drafts(chosen, subject, outlook)
        untrusted = distrust(subject, base, facts, approved) if chosen else None
        if untrusted is not None:
            outlook.kind, outlook.reason = DecisionKind.WAIT, untrusted
            outlook.actions += waiting(chosen, subject, facts)
            outlook.notices.append(approval_notice(subject, base, facts, untrusted))
            return outlook
        trusted = not chosen or distrust_unapproved(subject, base, facts) is None
    if chosen:
        outlook.kind, outlook.reason = DecisionKind.RUN, f"to run: {', '.join(chosen)}"
        trigger = "push" if isinstance(subject, PullRequest) else event
        outlook.actions += [
            StartRun(name, pipeline, trigger, trusted=trusted) for name, pipeline in chosen.items()
        ]
    return outlook


def _of_another_base(
    pull: PullRequest, facts: Facts, outlook: Outlook, *, rebased: bool
) -> tuple[Action, ...]:
    """What was said about this head for another base, and not anew for this one, is no word for it."""
    said = {action.context for action in outlook.actions if isinstance(action, StartRun | ShowStatus)}
    return tuple(
        ShowStatus(verdict.context, verdict.pipeline, StatusState.ERROR, texts.not_run_for(pull.base_ref))
        for verdict in facts.history().verdicts.values()
        if verdict.pipeline
        and verdict.context not in said
        and (
            (rebased and verdict.override)
            or (verdict.run is not None and verdict.run.base_ref != pull.base_ref)
        )
    )


def _select(
    pipelines: Mapping[str, Pipeline], subject: Subject, facts: Facts, outlook: Outlook, *, rebased: bool
) -> dict[str, Pipeline]:
    """Those that are still to run; the ones that do not apply report so, that no required check blocks."""
    history = facts.history()
    latest = latest_runs(subject, history)
    chosen: dict[str, Pipeline] = {}
    for name, pipeline in pipelines.items():
        if is_settled(name, latest, history, rebased=rebased):
            continue
        skipped = skip_reason(pipeline, subject, facts.changed_files)
        if skipped is None:
            chosen[name] = pipeline
        elif PREFIX + name not in latest or _only_waits(name, history):
            outlook.actions.append(show(name, StatusState.SUCCESS, texts.skipped(skipped)))
    return chosen


def _only_waits(name: str, history: History) -> bool:
    """Whether the context waits for a run, such as one that a draft stopped."""
    verdict = history.verdicts.get(PREFIX + name)
    return verdict is not None and verdict.status is not None and verdict.status.state is StatusState.PENDING


def _abandoned(known: Mapping[str, Pipeline], facts: Facts) -> tuple[Action, ...]:
    """A context that waits for a pipeline that is gone must not wait for ever."""
    return tuple(
        show(verdict.pipeline, StatusState.SUCCESS, texts.skipped("no such pipeline any more"))
        for verdict in facts.history().verdicts.values()
        if verdict.pipeline
        and verdict.pipeline not in known
        and verdict.status is not None
        and verdict.status.state is StatusState.PENDING
    )


def _hold_drafts(chosen: Mapping[str, Pipeline], pull: PullRequest, outlook: Outlook) -> dict[str, Pipeline]:
    """In a draft, only pipelines that ask for drafts run; what runs of the others is stopped."""
    if not pull.draft:
        return dict(chosen)
    held = [name for name, pipeline in chosen.items() if not pipeline.drafts]
    outlook.actions += [show(name, StatusState.PENDING, texts.DRAFT) for name in held]
    if held:
        outlook.kind, outlook.reason = DecisionKind.WAIT, texts.DRAFT
    return {name: pipeline for name, pipeline in chosen.items() if pipeline.drafts}


def drafted(pull: PullRequest, base: Base, facts: Facts) -> tuple[Action, ...]:
    """What becoming a draft stops: runs of pipelines that start by themselves and don't ask for drafts.

    Not what somebody has run on it when it already was a draft, of which we may hear later.
    """
    if not pull.draft:
        return ()
    held = {name for name, pipeline in base.pipelines.items() if not pipeline.drafts and not pipeline.manual}
    stopped = [
        run
        for run in facts.history().runs
        if is_going(run) and not run.dryrun and run.pipeline in held and not _is_of_a_draft(run)
    ]
    verdicts = facts.history().verdicts
    shown = dict.fromkeys(
        run.pipeline
        for run in stopped
        if not run.inputs
        and at_head(run, pull)
        and not (run.context in verdicts and verdicts[run.context].override)
    )
    return (
        *cancel(stopped, CancelKind.DRAFT, texts.DRAFTED),
        *(_show_held(name, base.pipelines[name], pull, facts) for name in shown),
    )


def _is_of_a_draft(run: Run) -> bool:
    told = run.conf.get("preflight")
    return isinstance(told, Mapping) and told.get("draft") is True


def _show_held(name: str, pipeline: Pipeline, pull: PullRequest, facts: Facts) -> ShowStatus:
    """A pipeline runs again once the draft is ready; one that ran only because somebody named it does not."""
    skipped = skip_reason(pipeline, pull, facts.changed_files)
    if skipped is None:
        return show(name, StatusState.PENDING, texts.DRAFT)
    return show(name, StatusState.SUCCESS, texts.skipped(skipped))


def waiting(names: Iterable[str], pull: PullRequest, facts: Facts) -> tuple[Action, ...]:
    """What an untrusted head shows instead of running; never over the result of a run."""
    history = facts.history()
    latest = latest_runs(pull, history)
    overridden = {verdict.context for verdict in history.verdicts.values() if verdict.override}
    return tuple(
        show(name, StatusState.PENDING, texts.WAITING)
        for name in names
        if PREFIX + name not in latest and PREFIX + name not in overridden
    )


def mended_configuration(facts: Facts) -> tuple[Action, ...]:
    """Take back what a broken configuration showed at this head."""
    verdict = facts.history().verdicts.get(CONFIG_CONTEXT)
    if verdict is None or verdict.status is None or verdict.status.state is StatusState.SUCCESS:
        return ()
    return (config_status(StatusState.SUCCESS, texts.CONFIG_MENDED),)


def config_status(state: StatusState, description: str) -> ShowStatus:
    """What `preflight/config` says."""
    return ShowStatus(CONFIG_CONTEXT, "", state, description)


def _check_proposed(facts: Facts, outlook: Outlook) -> None:
    """A pull request's own version of the file is checked, though not used."""
    match facts.proposed():
        case ConfigurationError() as error:
            outlook.actions.append(
                ShowStatus(PROPOSED_CONTEXT, "", StatusState.FAILURE, texts.proposed_broken(error.problems))
            )
            outlook.notices.append(texts.proposed_problems(error.problems))
        case Configuration():
            outlook.actions.append(ShowStatus(PROPOSED_CONTEXT, "", StatusState.SUCCESS, texts.PROPOSED_FINE))


def show(name: str, state: StatusState, description: str) -> ShowStatus:
    """A fixed status in a pipeline's context."""
    return ShowStatus(PREFIX + name, name, state, description)
