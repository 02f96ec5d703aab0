"""What `decide` answers with: actions as data, carried out by others."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.models import CancelKind, PullRequest, StatusState
    from bot.policy.configuration import Pipeline
    from bot.policy.facts import Base

PREFIX = "preflight/"
CONFIG_CONTEXT = f"{PREFIX}config"


class DecisionKind(enum.Enum):
    """The decision in one word."""

    RUN = "run"
    IGNORE = "ignore"
    DENY = "deny"
    WAIT = "wait"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StartRun:
    """Run a pipeline at the pull request's head. `trigger` is what asked for it: push or command."""

    name: str
    pipeline: Pipeline
    trigger: str

    @property
    def context(self) -> str:
        """Where the run's word is shown."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True)
class CancelRuns:
    """Stop these runs of ours; `reason` is shown in their status."""

    run_ids: tuple[str, ...]
    kind: CancelKind
    reason: str


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Show a fixed status in a context; `pipeline` is empty for a context that is not a pipeline's."""

    context: str
    pipeline: str
    state: StatusState
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """React to a comment, and reply to it where there is something to say (Markdown, our own words)."""

    comment_id: int
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Notify:
    """Show this above the table of the pull request's comment (Markdown); empty takes it away."""

    text: str


Action = StartRun | CancelRuns | ShowStatus | Answer | Notify


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why.

    `pull`, `base` and `after` (our latest decision before) are what it was decided on, None where that was
    not needed.
    """

    kind: DecisionKind
    reason: str
    actions: tuple[Action, ...] = ()
    pull: PullRequest | None = None
    base: Base | None = None
    actor: str = ""
    after: int | None = None
