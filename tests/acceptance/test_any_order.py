"""Push, comment, close, draft, approve, a new base, a merge group: in any order, late and twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.acceptance.payloads import Json, issue_comment, merge_group, pull, pull_request, sha
from tests.acceptance.simulator import TRUSTED, Outcome, facts_about, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIGURATION = """\
pipelines:
  unit: {dag: checks}
  release: {dag: checks, branches: [release]}
  early: {dag: checks, drafts: true}
  deploy: {dag: deploy, manual: true}
"""
PEOPLE = ["ada", "alice", "bob", "rita", "mallory"]
COMMANDS = [
    "/test", "/test unit", "/test all\n/test deploy", "/test release", "/dryrun", "/retest",
    "/cancel", "/help",
    "/ok-to-test", "/ok-to-test {head}", "/ok-to-test {old}", "/override unit because", "/tset",
    "> /test unit", "/test unit\n/ok-to-test {head}",
]  # fmt: skip
ENDED = {"success": "success", "failure": "failed", "error": "error"}


@dataclass
class World:
    """GitHub and Airflow as they are now, and what our bot has made of it."""

    author: str = "alice"
    pusher: str = "alice"
    head: str = field(default_factory=lambda: sha("head 0"))
    old: str = sha("no head")
    heads: int = 0
    base: str = "main"
    open: bool = True
    draft: bool = False
    approved: set[str] = field(default_factory=set)
    running: dict[str, str] = field(default_factory=dict)  # pipeline -> the head it runs on
    statuses: dict[str, str] = field(default_factory=dict)  # of the present head
    overridden: set[str] = field(default_factory=set)  # at the present head

    @property
    def trusted(self) -> bool:
        """Whether the present head may run."""
        return (self.author in TRUSTED and self.pusher in TRUSTED) or self.head in self.approved

    def pull(self) -> Json:
        """The pull request as GitHub has it now: from its author's fork."""
        return pull(
            author=self.author,
            head=self.head,
            head_repository=f"{self.author}/widgets",
            base=self.base,
            draft=self.draft,
            state="open" if self.open else "closed",
        )

    def facts(self) -> Json:
        """What the bot would look up now."""
        return facts_about(
            self.pull(),
            pusher=self.pusher,
            approved_shas=sorted(self.approved),
            statuses=dict(self.statuses),
            runs=dict.fromkeys(self.running, "running"),
        )


class AnyOrder(RuleBasedStateMachine):
    """Deliveries wait in a bag, and are handled in any order, some twice; what holds must hold at each."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.bag: list[tuple[str, Json]] = []
        self.late = False

    @initialize(author=st.sampled_from(["alice", "mallory"]), draft=st.booleans())
    def opened(self, author: str, draft: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        self.world.author = self.world.pusher = author
        self.world.draft = draft
        self.deliver("pull_request", pull_request("opened", self.world.pull()))

    @rule(by=st.sampled_from(["alice", "bob", "rita", "mallory"]))
    def push(self, by: str) -> None:
        world = self.world
        world.heads += 1
        world.old, world.head, world.pusher = world.head, sha(f"head {world.heads}"), by
        world.statuses, world.overridden = {}, set()
        self.deliver("pull_request", pull_request("synchronize", world.pull(), sender=by))

    @rule(by=st.sampled_from(PEOPLE), command=st.sampled_from(COMMANDS))
    def comment(self, by: str, command: str) -> None:
        self.say(by, command)

    @precondition(lambda self: self.world.open)
    @rule(command=st.sampled_from(COMMANDS))
    def maintain(self, command: str) -> None:
        """Whoever may do everything says it."""
        self.say("ada", command)

    @precondition(lambda self: self.world.open and not self.world.trusted)
    @rule(by=st.sampled_from(PEOPLE))
    def approve(self, by: str) -> None:
        self.say(by, "/ok-to-test {head}")

    @rule(by=st.sampled_from(PEOPLE))
    def close_or_reopen(self, by: str) -> None:
        self.world.open = not self.world.open
        action = "reopened" if self.world.open else "closed"
        self.deliver("pull_request", pull_request(action, self.world.pull(), sender=by))

    @precondition(lambda self: self.world.open)
    @rule(by=st.sampled_from(PEOPLE))
    def convert(self, by: str) -> None:
        self.world.draft = not self.world.draft
        action = "converted_to_draft" if self.world.draft else "ready_for_review"
        self.deliver("pull_request", pull_request(action, self.world.pull(), sender=by))

    @rule(base=st.sampled_from(["main", "release"]))
    def change_base(self, base: str) -> None:
        if base != self.world.base:
            changes = {"base": {"ref": {"from": self.world.base}, "sha": {"from": "0" * 40}}}
            self.world.base = base
            self.deliver(
                "pull_request", pull_request("edited", self.world.pull(), sender="ada", changes=changes)
            )

    @rule(action=st.sampled_from(["checks_requested", "destroyed"]))
    def merge_group(self, action: str) -> None:
        """A merge group has runs and statuses of its own; an override of the pull request is none of them."""
        outcome = simulate("merge_group", merge_group(action), CONFIGURATION, facts_about())

        assert outcome.runs == ({"unit", "early"} if action == "checks_requested" else set())
        no_false_green(outcome, {"release"})

    @precondition(lambda self: self.world.running)
    @rule(data=st.data(), ended=st.sampled_from(sorted(ENDED)))
    def finish(self, data: st.DataObject, ended: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.running)))
        if self.world.running.pop(name) == self.world.head and name not in self.world.overridden:
            self.world.statuses[name] = ended

    @precondition(lambda self: self.bag)
    @rule(data=st.data(), again=st.booleans())
    def handle(self, data: st.DataObject, again: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        """Any delivery that waits, whichever came first."""
        event, payload = self.bag[data.draw(st.integers(0, len(self.bag) - 1))]
        if not again:
            self.bag.remove((event, payload))
        self.carry_out(event, payload)

    def say(self, by: str, command: str) -> None:
        body = command.format(head=self.world.head, old=self.world.old)
        self.deliver("issue_comment", issue_comment(body, by=by, of=self.world.pull()))

    def deliver(self, event: str, payload: Json) -> None:
        if self.late:
            self.bag.append((event, payload))
        else:
            self.carry_out(event, payload)

    def carry_out(self, event: str, payload: Json) -> None:
        """Decide, check what always holds, and do it."""
        world = self.world
        outcome = simulate(event, payload, CONFIGURATION, world.facts())
        by = payload["sender"]["login"]
        approves = world.head in str(payload.get("comment", {}).get("body")) and by in TRUSTED
        if not (world.trusted or approves):
            assert not outcome.of("trigger"), "no untrusted head ever runs"
        if not world.open:
            assert not outcome.of("trigger"), "nothing runs on what is closed"
        if event == "pull_request" and world.draft:
            assert outcome.runs <= {"early"}
        overrides = by == "ada" and "/override" in str(payload.get("comment", {}).get("body"))
        skipped = set() if world.base == "release" else {"release"}
        no_false_green(outcome, skipped, overrides=overrides)
        if approves and world.open and outcome.decision == "run":
            world.approved.add(world.head)
        for name in outcome.cancelled:
            if world.running.pop(name, None) == world.head and name not in world.overridden:
                world.statuses[name] = "error"
        for name, (state, description) in outcome.statuses.items():
            world.statuses[name] = state
            if description.startswith("overridden by"):
                world.overridden.add(name)
        for name in outcome.runs:
            world.running[name] = world.head
            world.statuses[name] = "pending"
            world.overridden.discard(name)

    @rule()
    def be_late(self) -> None:
        """From now on deliveries wait, or from now on they are handled as they come."""
        self.late = not self.late

    @invariant()
    def nothing_runs_untrusted(self) -> None:
        assert self.world.trusted or self.world.head not in self.world.running.values()

    def teardown(self) -> None:
        """Once every delivery was handled, in whatever order, the pull request is as it should be."""
        world = self.world
        for event, payload in [one for one in self.bag if one[0] == "pull_request"]:
            self.carry_out(event, payload)
        if not world.open:
            assert not world.running, "what is closed was cancelled"
            return
        shown = set(world.statuses)
        assert {"unit", "early", "release"} <= shown, "each required context says something"
        waits = {name for name, state in world.statuses.items() if state == "pending"} - set(world.running)
        if world.trusted:
            assert waits <= ({"unit", "release"} if world.draft else set()), "nothing is pending for ever"


def no_false_green(outcome: Outcome, skipped: set[str], *, overrides: bool = False) -> None:
    """No required context turns green without its steps: only what is skipped, and what ada overrides."""
    for name, (state, description) in outcome.statuses.items():
        if state == "success":
            overridden = overrides and name == "unit" and description == "overridden by @ada: because"
            assert overridden or (name in skipped and description.startswith("skipped: "))


TestAnyOrder: Callable[[], object] = AnyOrder.TestCase
AnyOrder.TestCase.settings = settings(max_examples=15, stateful_step_count=20)
