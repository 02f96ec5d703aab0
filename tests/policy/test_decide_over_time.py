"""Any order of pushes, comments and closings, with deliveries late, repeated and reordered.

A world holds one pull request from a fork, carries out what is decided, and checks each decision against
what is true, whatever the deliveries said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.events.issue_comment import CommentEvent
from bot.events.pull_request import PullAction, PullRequestEvent
from bot.models import CancelKind, Outcome, Phase, Run
from bot.policy.decision import Answer, CancelRuns, Decision, StartRun
from tests.examples import REPOSITORY, at, pull, run, sha
from tests.policy.deciding import WRITERS, Known

if TYPE_CHECKING:
    from bot.events.types import Event
    from bot.models import PullRequest

YAML = "pipelines: {unit: {dag: checks}, docs: {dag: docs}}"
PIPELINES = ("unit", "docs")
STOPPED_BY_EVENTS = (CancelKind.PUSH, CancelKind.CLOSED)
PEOPLE = st.sampled_from(["alice", "rita", "mallory"])
BODIES = st.sampled_from(
    ["/test", "/test unit", "/cancel", "/cancel docs", "/test\n/cancel", "hello", "/tset"]
)


@dataclass
class Started:
    """A run that was started, and why."""

    trigger: str
    run: Run


@dataclass
class World:
    """What is true, and what the bot has made of it."""

    pull: PullRequest
    pushed_by: dict[str, set[str]] = field(default_factory=dict)
    """Everybody who ever made that head the pull request's."""
    heads: list[str] = field(default_factory=list)
    deliveries: list[Event] = field(default_factory=list)
    told_pushers: dict[str, str] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    starts: list[Started] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    comments: int = 0

    def tell(self, action: PullAction, sender: str) -> None:
        """GitHub sends a delivery about the pull request."""
        self.deliveries.append(
            PullRequestEvent(REPOSITORY, 12, action, self.pull.head_sha, sender, self.pull.updated_at)
        )

    def handle(self, event: Event) -> None:
        """The bot handles one delivery."""
        if isinstance(event, PullRequestEvent) and event.what.is_push:
            self.told_pushers.setdefault(event.head_sha, event.sender)
        known = Known(
            pull=self.pull, yaml=YAML, runs=tuple(self.runs.values()), pushers=dict(self.told_pushers)
        )
        decision = known.decide(event)
        if isinstance(event, CommentEvent):
            answers = [action for action in decision.actions if isinstance(action, Answer)]
            if answers and self.answered[event.comment_id]:
                return  # the ledger refuses a comment that was answered before
            self.answered[event.comment_id] += len(answers)
        self.carry_out(decision)

    def carry_out(self, decision: Decision) -> None:
        """Store what was decided, all cancellations before all starts."""
        for action in decision.actions:
            if isinstance(action, CancelRuns):
                for stopped in action.runs:
                    one = self.runs[stopped.id]
                    if not one.finished and one.cancel is None:
                        self.runs[one.id] = replace(one, cancel=action.reason, cancel_kind=action.kind)
        for action in decision.actions:
            if isinstance(action, StartRun):
                self.start(action)

    def start(self, action: StartRun) -> None:
        """A run begins: the moment at which everything must be right."""
        assert self.pull.open, "nothing starts for a closed pull request"
        assert not (self.pull.draft and action.trigger == "push"), "no push starts a draft's run"
        assert self.trusted, f"the head was pushed by {self.pushed_by[self.pull.head_sha]}"
        one = run(
            action.name,
            head_sha=self.pull.head_sha,
            base_ref=self.pull.base_ref,
            attempt=len(self.runs) + 1,
            created_at=at(len(self.runs)),
        )
        self.runs[one.id] = one
        self.starts.append(Started(action.trigger, one))

    @property
    def trusted(self) -> bool:
        """The rule itself, on what is true."""
        pushed_by_a_writer = not self.pushed_by[self.pull.head_sha].isdisjoint(WRITERS)
        return self.pull.author in WRITERS and pushed_by_a_writer

    def living(self) -> list[Run]:
        """Runs that nobody stopped."""
        return [one for one in self.runs.values() if not one.finished and one.cancel is None]


class PullRequestStory(RuleBasedStateMachine):
    """Random stories."""

    author = "alice"

    def __init__(self) -> None:
        super().__init__()
        self.world = World(pull(author=self.author, head_repository="alice/widgets", head_sha=sha(1)))
        self.world.pushed_by[sha(1)] = {self.author}
        self.world.heads.append(sha(1))
        self.world.tell(PullAction.OPENED, self.author)

    def change(self, seconds: float = 1, **fields: object) -> None:
        updated_at = at(seconds + len(self.world.deliveries))
        self.world.pull = replace(self.world.pull, updated_at=updated_at, **fields)  # type: ignore[arg-type]  # names are ours

    @rule(who=PEOPLE)
    @precondition(lambda self: self.world.pull.open)
    def push(self, who: str) -> None:
        head = sha(len(self.world.heads) + 1)
        self.world.heads.append(head)
        self.world.pushed_by[head] = {who}
        self.change(head_sha=head)
        self.world.tell(PullAction.SYNCHRONIZE, who)

    @rule(who=PEOPLE, data=st.data())
    @precondition(lambda self: self.world.pull.open and len(self.world.heads) > 1)
    def push_an_older_head_again(self, who: str, data: st.DataObject) -> None:
        head = data.draw(st.sampled_from(self.world.heads))
        self.world.pushed_by[head].add(who)
        self.change(head_sha=head)
        self.world.tell(PullAction.SYNCHRONIZE, who)

    @rule()
    @precondition(lambda self: self.world.pull.open)
    def close(self) -> None:
        self.change(open=False)
        self.world.tell(PullAction.CLOSED, "rita")

    @rule()
    @precondition(lambda self: not self.world.pull.open)
    def reopen(self) -> None:
        self.change(open=True)
        self.world.tell(PullAction.REOPENED, "rita")

    @rule()
    def convert_to_draft(self) -> None:
        self.change(draft=True)

    @rule()
    @precondition(lambda self: self.world.pull.draft)
    def make_ready(self) -> None:
        self.change(draft=False)
        self.world.tell(PullAction.READY, "alice")

    @rule(who=PEOPLE, body=BODIES)
    def comment(self, who: str, body: str) -> None:
        self.world.comments += 1
        self.world.deliveries.append(CommentEvent(REPOSITORY, 12, self.world.comments, who, body))

    @rule(data=st.data(), again=st.booleans())
    @precondition(lambda self: self.world.deliveries)
    def deliver(self, data: st.DataObject, again: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        index = data.draw(st.integers(0, len(self.world.deliveries) - 1))
        event = self.world.deliveries[index]
        if not again:
            del self.world.deliveries[index]
        self.world.handle(event)

    @rule(data=st.data())
    @precondition(lambda self: any(not one.finished for one in self.world.runs.values()))
    def a_run_ends(self, data: st.DataObject) -> None:
        unfinished = [one for one in self.world.runs.values() if not one.finished]
        one = data.draw(st.sampled_from(unfinished))
        ways = (Outcome.SUCCESS, Outcome.FAILURE) if one.cancel is None else (Outcome.CANCELLED,)
        outcome = data.draw(st.sampled_from(ways))
        self.world.runs[one.id] = replace(one, phase=Phase.FINISHED, outcome=outcome)

    @invariant()
    def no_pipeline_runs_twice_at_once(self) -> None:
        running = Counter(one.pipeline for one in self.world.living())
        assert all(times == 1 for times in running.values()), running

    @invariant()
    def pushes_start_each_pipeline_once_per_head_and_base(self) -> None:
        """Once, and once more for each time that a push or a closing stopped it there."""
        runs = [(start.trigger, self.world.runs[start.run.id]) for start in self.world.starts]
        allowed = Counter(
            (one.pipeline, one.head_sha) for _, one in runs if one.cancel_kind in STOPPED_BY_EVENTS
        )
        pushes = Counter((one.pipeline, one.head_sha) for trigger, one in runs if trigger == "push")
        for place, times in pushes.items():
            assert times <= 1 + allowed[place]

    @invariant()
    def no_comment_is_answered_twice(self) -> None:
        assert all(times <= 1 for times in self.world.answered.values())

    def teardown(self) -> None:
        """In the end all was delivered, and things are as they should be."""
        world = self.world
        for event in [*world.deliveries]:
            world.handle(event)
        world.handle(
            PullRequestEvent(
                REPOSITORY, 12, PullAction.REOPENED, world.pull.head_sha, "alice", world.pull.updated_at
            )
        )
        self.no_pipeline_runs_twice_at_once()
        self.pushes_start_each_pipeline_once_per_head_and_base()
        assert all(one.head_sha == world.pull.head_sha for one in world.living())
        if not world.pull.open:
            assert world.living() == []
        elif world.trusted and not world.pull.draft and self.the_bot_heard_of_a_trusted_push():
            tested = {one.pipeline for one in world.runs.values() if one.head_sha == world.pull.head_sha}
            assert tested == set(PIPELINES)

    def the_bot_heard_of_a_trusted_push(self) -> bool:
        """The first word about a head counts, so that no later one can vouch for a stranger's."""
        return self.world.told_pushers.get(self.world.pull.head_sha) in WRITERS


class StrangersStory(PullRequestStory):
    """The same, where the author may not write: nothing may ever run."""

    author = "mallory"


@pytest.mark.parametrize("story", [PullRequestStory, StrangersStory], ids=["writers", "strangers"])
def test_no_story_breaks_a_promise(story: type[PullRequestStory]) -> None:
    run_state_machine_as_test(
        story,
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
            phases=(
                HypothesisPhase.explicit,
                HypothesisPhase.reuse,
                HypothesisPhase.generate,
            ),  # shrinking takes minutes
        ),
    )
