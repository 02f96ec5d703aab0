"""`push`: commits on a branch. Tests what listens to pushes, and looks again at who waits for the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MalformedPayload
from bot.events.branch import decide_branch
from bot.events.payload import take, take_repository
from bot.events.types import Ignored, Told
from bot.models import Branch
from bot.policy.configuration import PATH, SHARED_PATH
from bot.policy.decision import Decision, DecisionKind, Forget, Recheck
from bot.policy.selection import listens
from bot.policy.trust import APP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Repository
    from bot.policy.decision import Action
    from bot.policy.facts import Base, Facts

HEADS = "refs/heads/"
QUEUE = "gh-readonly-queue/"
MERGE_QUEUE = "github-merge-queue[bot]"
"""Who pushes what a merge queue merged."""

SHARED_REPOSITORY = ".github"
MOST_COMMITS = 2048
"""GitHub lists no more commits of a push."""


@dataclass(frozen=True, slots=True)
class PushEvent:
    """A branch moved. `changes_configuration` is whether the file may have changed with it."""

    branch: Branch
    sender: str
    changes_configuration: bool
    action: str = ""

    @property
    def repository(self) -> Repository:
        """Where the branch is."""
        return self.branch.repository

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told(replaced=self.branch.before)

    def subject(self, facts: Facts) -> Branch:
        """The branch at the pushed commit."""
        del facts
        return self.branch

    def decide(self, facts: Facts) -> Decision:
        """Test the commit if a pipeline listens; decide again where the configuration could not be used."""
        branch = self.branch
        rechecks: tuple[Action, ...] = ()
        if self.changes_configuration:
            rechecks = tuple(Recheck(repository, number) for repository, number in facts.broken_pulls())
            if branch.repository.name == SHARED_REPOSITORY:
                rechecks = (Forget(branch.repository), *rechecks)  # what we remember of its file
        base = facts.base()
        reason = self._ignore(base, facts, looks_again=bool(rechecks))
        if reason is not None:
            return Decision(DecisionKind.IGNORE, reason, rechecks, branch, base, self.sender)
        return decide_branch(branch, "push", self.sender, facts, rechecks)

    def _ignore(self, base: Base, facts: Facts, *, looks_again: bool) -> str | None:
        """Why the commit is not tested, None if it is."""
        listened = _listens(base)
        # Asked for also where others look again: they must not see the branch as it was before.
        if (listened or looks_again) and facts.tip(self.branch.name) != self.branch.head_sha:
            return "the branch has moved on: the newer push is tested"
        if not listened:
            return "no pipeline listens to pushes"
        if self.sender.endswith(APP) and self.sender.lower() not in (MERGE_QUEUE, *_apps(facts)):
            return f"{self.sender}, who pushed, is not trusted by the operator"
        return None


def _apps(facts: Facts) -> tuple[str, ...]:
    """The Apps that the operator lists; what was pushed can't vouch for who pushed it."""
    return tuple(group.lower() for group in facts.operator().trust if group.endswith(APP))


def _listens(base: Base) -> bool:
    return any(listens(pipeline, "push") for pipeline in base.pipelines.values())


def parse(payload: Mapping[str, object]) -> Ignored | PushEvent:
    """Read the payload; tags, deletions and a merge queue's own branches are ignored."""
    ref = take(payload, "ref", str)
    repository = take_repository(payload)
    head = take(payload, "after", str)
    if not ref.startswith(HEADS):
        return Ignored("only branches are tested", "", repository)
    if take(payload, "deleted", bool) or not head.strip("0"):
        return Ignored("the branch was deleted", "", repository)
    name = ref.removeprefix(HEADS)
    if name.startswith(QUEUE):
        return Ignored("a merge queue's branch is tested as a merge group", "", repository)
    before = take(payload, "before", str)
    return PushEvent(
        branch=Branch(repository, name, head, name, before if before.strip("0") else ""),
        sender=take(payload, "sender.login", str),
        changes_configuration=_may_change(payload, repository),
    )


def _may_change(payload: Mapping[str, object], repository: Repository) -> bool:
    """Whether a commit touches the file; where not all commits are told, one may."""
    path = SHARED_PATH if repository.name == SHARED_REPOSITORY else PATH
    try:
        commits = take(payload, "commits", list)
        if take(payload, "forced", bool) or not 0 < len(commits) < MOST_COMMITS:
            return True
        return any(
            path in take(commit, key, list) for commit in commits for key in ("added", "modified", "removed")
        )
    except (MalformedPayload, AttributeError):
        return True
