"""What a comment's commands do: union of all of them, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import commands
from bot.commands.suggest import nearest
from bot.models import CancelKind, StatusState
from bot.policy import texts
from bot.policy.configuration import PATH, ConfigurationError
from bot.policy.decision import Action, Answer, CancelRuns, Decision, DecisionKind, StartRun
from bot.policy.pipelines import (
    broken_configuration,
    configured,
    latest_runs,
    mended_configuration,
    pipelines_of,
    select,
    show,
    stale_runs,
    wait_for_approval,
)
from bot.policy.trust import distrust

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.commands.types import Command, ParsedComment
    from bot.events.types import CommentEvent
    from bot.models import PullRequest
    from bot.policy.configuration import Pipeline
    from bot.policy.facts import Base, Facts

MAX_REPLIES = 10


def decide_command(event: CommentEvent, facts: Facts) -> Decision:
    """What the comment asks for, if its author may ask."""
    parsed = commands.parse(event.body)
    if not parsed.commands and not parsed.errors:
        return Decision(DecisionKind.IGNORE, "the comment holds no command")
    if event.author.lower() == facts.bot_login().lower():
        return Decision(DecisionKind.IGNORE, "the comment is our own")
    pull = facts.pull_request()
    if not pull.open:
        return Decision(DecisionKind.IGNORE, "the pull request is closed", pull=pull)
    if not facts.permission(event.author).can_write:
        answer = Answer(event.comment_id, texts.not_allowed(event.author))
        return Decision(DecisionKind.DENY, f"{event.author} has no write access", (answer,), pull)
    return _Commands(event, parsed, pull, facts).decide()


class _Commands:
    """The commands of one comment by somebody who may give them; collects actions and replies."""

    def __init__(self, event: CommentEvent, parsed: ParsedComment, pull: PullRequest, facts: Facts) -> None:
        self.event, self.parsed, self.pull, self.facts = event, parsed, pull, facts
        self.history = facts.history()
        self.actions: list[Action] = list(stale_runs(pull, self.history))
        self.replies = [texts.misread(error) for error in parsed.errors]
        self.kind, self.reason = DecisionKind.ERROR, "no line could be read"
        self.base: Base | None = None

    def decide(self) -> Decision:
        """Cancel first, then test, whatever their order in the comment."""
        for name, act in (("cancel", self.cancel), ("test", self.test)):
            asked = [command for command in self.parsed.commands if command.name == name]
            if asked:
                act(asked)
        reply = (
            "\n".join(f"- {line}" for line in self.replies)
            if len(self.replies) > 1
            else "".join(self.replies)
        )
        answer = Answer(self.event.comment_id, reply)
        actions = (answer, *self.actions)
        after = self.history.decision
        return Decision(self.kind, self.reason, actions, self.pull, self.base, self.event.author, after)

    def cancel(self, asked: Sequence[Command]) -> None:
        """Stop the named runs, or all."""
        running = [run for run in self.history.runs if not run.finished and run.cancel is None]
        names = _union(asked)
        chosen = tuple(run.id for run in running if names is None or run.pipeline in names)
        if chosen:
            reason = texts.cancelled_by(self.event.author)
            self.actions.append(CancelRuns(chosen, CancelKind.COMMAND, reason))
        if names is None and not chosen:
            self.reply(texts.NOTHING_RUNS)
        for name in sorted((names or frozenset()) - {run.pipeline for run in running})[:MAX_REPLIES]:
            self.reply(texts.not_running(name))
        self.kind, self.reason = DecisionKind.RUN, f"{len(chosen)} runs are stopped"

    def test(self, asked: Sequence[Command]) -> None:
        """Run the named pipelines, or all that apply."""
        self.base = base = self.facts.base()
        if not configured(base):
            self.reply(texts.no_configuration(PATH, self.pull.base_ref))
            self.kind, self.reason = DecisionKind.ERROR, "the repository has no preflight.yaml"
            return
        if isinstance(base.configuration, ConfigurationError):
            self.actions += broken_configuration(base.configuration, self.pull)
            self.reply(texts.config_problems(base.configuration.problems, self.pull.base_ref))
            self.kind, self.reason = DecisionKind.ERROR, str(base.configuration)
            return
        self.actions += mended_configuration(self.history)
        self.start(self.choose(asked, pipelines_of(base)))

    def choose(self, asked: Sequence[Command], known: Mapping[str, Pipeline]) -> dict[str, Pipeline]:
        """Those that are named, filtered out or not; and all that apply, if a command names none."""
        names = _union(asked)
        named = {name for command in asked for name in command.pipelines}
        for name in sorted(named - known.keys())[:MAX_REPLIES]:
            self.reply(texts.unknown_pipeline(name, nearest(name, known), tuple(known)))
        if names is not None:
            return {name: pipeline for name, pipeline in known.items() if name in names}
        applying, skipped = select(known, self.facts)
        latest = latest_runs(self.pull, self.history)
        self.actions += [
            show(name, StatusState.SUCCESS, texts.SKIPPED)
            for name in skipped
            if name not in latest and name not in named
        ]
        return {name: pipeline for name, pipeline in known.items() if name in applying or name in named}

    def start(self, chosen: Mapping[str, Pipeline]) -> None:
        """Run them, each in the place of its older run at this head; an untrusted head only waits."""
        if not chosen:
            self.kind, self.reason = DecisionKind.ERROR, "no pipeline to run"
            if not self.replies:
                self.reply(texts.NOTHING_APPLIES)
            return
        distrusted = distrust(self.pull, self.facts)
        if distrusted is not None:
            self.actions += wait_for_approval(chosen, latest_runs(self.pull, self.history))
            self.reply(texts.untrusted(distrusted))
            self.kind, self.reason = DecisionKind.WAIT, distrusted
            return
        replaced = tuple(
            run.id
            for run in self.history.runs
            if run.pipeline in chosen and not run.finished and run.cancel is None
        )
        if replaced:
            self.actions.append(CancelRuns(replaced, CancelKind.RERUN, texts.RERUN))
        self.actions += [StartRun(name, pipeline, "command") for name, pipeline in chosen.items()]
        self.kind, self.reason = DecisionKind.RUN, f"{self.event.author} asked for {', '.join(chosen)}"

    def reply(self, text: str) -> None:
        """Say something in the one reply that this comment gets."""
        if len(self.replies) < MAX_REPLIES:
            self.replies.append(text)


def _union(asked: Sequence[Command]) -> frozenset[str] | None:
    """The names that the commands hold together, None if one of them means all."""
    if any(not command.pipelines for command in asked):
        return None
    return frozenset(name for command in asked for name in command.pipelines)
