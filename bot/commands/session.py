"""The commands of one comment while they are carried out: what was asked, found out and is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.commands.suggest import nearest
from bot.models import CancelKind, context_of
from bot.policy import texts
from bot.policy.approval import who_is_trusted
from bot.policy.automatic import mended_configuration, waiting
from bot.policy.configuration import ConfigurationError
from bot.policy.decision import CancelRuns, DecisionKind, ResumeRun, ShowStatus, StartRun
from bot.policy.runs import at_head, cancel, has_not_run, is_going
from bot.policy.selection import listens, skip_reason
from bot.policy.trust import distrust, distrust_unapproved, is_trusted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.models import History, PullRequest, Run
    from bot.policy.configuration import Pipeline
    from bot.policy.decision import Action
    from bot.policy.facts import Base, Facts

MAX_REPLIES = 10
MAX_RUNS = 100
BEST_FIRST = (
    DecisionKind.RUN,
    DecisionKind.WAIT,
    DecisionKind.DENY,
    DecisionKind.ERROR,
    DecisionKind.IGNORE,
)
"""Which word stands for a comment whose commands fared differently."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who gives the commands, in which comment (CLICK: in none), and when it was written, if known."""

    login: str
    comment_id: int
    at: datetime | None = None


@dataclass(slots=True)
class Session:
    """What the commands of one comment share.

    `actions` and `replies` are what they have to say so far, `outcomes` how each of them fared, in a word
    and a reason. `approved` are heads that this very comment approves. `wanted` and `resumed` are the runs
    that they ask for together, by context (dry runs apart).
    """

    asker: Asker
    pull: PullRequest
    base: Base
    facts: Facts
    actions: list[Action] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    outcomes: list[tuple[DecisionKind, str]] = field(default_factory=list)
    approved: set[str] = field(default_factory=set)
    wanted: dict[tuple[str, bool], StartRun] = field(default_factory=dict)
    resumed: dict[str, Run] = field(default_factory=dict)

    @property
    def history(self) -> History:
        """What we remember of the pull request."""
        return self.facts.history()

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """All pipelines of the base branch."""
        return self.base.pipelines

    def reply(self, text: str) -> None:
        """Say something in the one reply that this comment gets."""
        if text not in self.replies and len(self.replies) < MAX_REPLIES:
            self.replies.append(text)

    def done(self, reason: str) -> None:
        """A command did what it was asked."""
        self.outcomes.append((DecisionKind.RUN, reason))

    def fail(self, reason: str, reply: str = "") -> None:
        """A command can't do what it was asked."""
        self.outcomes.append((DecisionKind.ERROR, reason))
        if reply:
            self.reply(reply)

    def spare(self, reason: str, reply: str) -> None:
        """There is nothing to do."""
        self.outcomes.append((DecisionKind.IGNORE, reason))
        self.reply(reply)

    def is_trusted(self) -> bool:
        """Whether who asks is trusted."""
        return is_trusted(self.asker.login, self.base, self.facts)

    def deny(self, what: str, who: str = "") -> None:
        """Say that who asks may not do that, and who could."""
        login = self.asker.login
        self.outcomes.append((DecisionKind.DENY, f"{login} can't {what}"))
        self.reply(texts.not_allowed(login, what, who or who_is_trusted(self.base, self.facts)))

    def is_usable(self) -> bool:
        """Whether there are pipelines to speak of; if the configuration is broken, say so, once."""
        error = self.base.configuration
        if not isinstance(error, ConfigurationError):
            return True
        self.fail(str(error), texts.config_problems(error.problems, self.pull.base_ref))
        return False

    def find(self, names: tuple[str, ...]) -> dict[str, Pipeline]:
        """The named pipelines that run on pull requests; a reply for every other name."""
        found: dict[str, Pipeline] = {}
        for name in dict.fromkeys(names):
            pipeline = self.pipelines.get(name)
            if pipeline is None:
                near = nearest(name, self.pipelines) if len(self.replies) < MAX_REPLIES else None
                self.fail(f"no pipeline {name!r}", texts.unknown_pipeline(name, near, tuple(self.pipelines)))
            elif not listens(pipeline, "pull_request"):
                self.fail(f"{name} is not for pull requests", texts.not_on_pull_requests(name))
            else:
                found[name] = pipeline
        return found

    def is_overridden(self, name: str) -> bool:
        """Whether a maintainer overrode the pipeline at this head, perhaps in this very comment."""
        context = context_of(name)
        verdict = self.history.verdicts.get(context)
        return (verdict is not None and verdict.override) or any(
            isinstance(one, ShowStatus) and one.override and one.context == context for one in self.actions
        )

    def automatic(self) -> dict[str, Pipeline]:
        """The pipelines that run on this pull request by themselves."""
        return {
            name: pipeline
            for name, pipeline in self.pipelines.items()
            if listens(pipeline, "pull_request")
            and not pipeline.manual
            and skip_reason(pipeline, self.pull, self.facts.changed_files) is None
        }

    def may_start(self, name: str, pipeline: Pipeline) -> bool:
        """Whether who asks may have the pipeline run; a reply if not."""
        if pipeline.manual and not self.is_trusted():
            self.deny(f"run the manual pipeline {name}")
            return False
        return True

    def want(
        self,
        name: str,
        pipeline: Pipeline,
        *,
        inputs: Mapping[str, object] | None = None,
        dryrun: bool = False,
    ) -> None:
        """Ask for a run, once however often it is asked for."""
        comment_id = self.asker.comment_id if dryrun else None
        start = StartRun(name, pipeline, "command", inputs or {}, dryrun=dryrun, comment_id=comment_id)
        if len(self.wanted) < MAX_RUNS:
            self.wanted.setdefault((start.context, dryrun), start)
        elif (start.context, dryrun) not in self.wanted:
            self.reply(texts.TOO_MANY_RUNS)

    def resume(self, run: Run) -> None:
        """Ask for a run that ended to go on where it failed."""
        self.resumed.setdefault(run.context, run)

    def start(self) -> None:
        """Run all that was asked for, each in the place of its older run; an untrusted head only waits."""
        self._add_needs()
        resumed = [run for context, run in self.resumed.items() if (context, False) not in self.wanted]
        if not self.wanted and not resumed:
            return
        reason = distrust(self.pull, self.base, self.facts, self.approved)
        if reason is not None:
            self._wait(reason)
            return
        contexts = {context for context, dryrun in self.wanted if not dryrun}
        stopped = {run.id for one in self.actions if isinstance(one, CancelRuns) for run in one.runs}
        replaced = [
            run
            for run in self.history.runs
            if run.context in contexts
            and at_head(run, self.pull)
            and is_going(run)
            and not run.dryrun
            and run.id not in stopped
        ]
        # What runs speaks for itself, whatever another command says of its context.
        taken = contexts | {run.context for run in resumed}
        self.actions = [
            one for one in self.actions if not (isinstance(one, ShowStatus) and one.context in taken)
        ]
        self.actions += mended_configuration(self.facts)
        self.actions += cancel(replaced, CancelKind.RERUN, texts.RERUN)
        if self.wanted:
            trusted = distrust_unapproved(self.pull, self.base, self.facts) is None
            self.actions += [replace(start, trusted=trusted) for start in self.wanted.values()]
        self.actions += [ResumeRun(run) for run in resumed]
        names = dict.fromkeys(
            (*(start.name for start in self.wanted.values()), *(run.pipeline for run in resumed))
        )
        self.done(f"{self.asker.login} asked for {', '.join(names)}")

    def _add_needs(self) -> None:
        """What the wanted pipelines need and nobody has run at this head, and so on."""
        waiting_for = [start.pipeline for start in self.wanted.values() if not start.dryrun]
        while waiting_for:
            for name in waiting_for.pop().needs:
                pipeline, context = self.pipelines.get(name), context_of(name)
                if (
                    pipeline is not None
                    and (context, False) not in self.wanted
                    and context not in self.resumed
                    and has_not_run(name, self.pull, self.history)
                    and self.may_start(name, pipeline)
                ):
                    self.want(name, pipeline)
                    waiting_for.append(pipeline)

    def _wait(self, reason: str) -> None:
        own = [
            start.name
            for start in self.wanted.values()
            if not (start.dryrun or start.inputs or start.pipeline.manual)
        ]
        self.actions += waiting(own, self.pull, self.facts)
        self.reply(texts.untrusted(reason, self.pull.head_sha, who_is_trusted(self.base, self.facts)))
        self.outcomes.append((DecisionKind.WAIT, reason))

    def outcome(self) -> tuple[DecisionKind, str]:
        """The comment's decision in a word, and its reason."""
        ranked = sorted(self.outcomes, key=lambda outcome: BEST_FIRST.index(outcome[0]))
        return ranked[0] if ranked else (DecisionKind.ERROR, "no line could be read")
