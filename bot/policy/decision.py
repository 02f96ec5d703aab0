"""What a decision answers with: actions as data, carried out by others."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.models import PREFIX, context_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.models import CancelKind, Repository, Run, StatusState, Subject
    from bot.policy.configuration import Pipeline
    from bot.policy.facts import Base


class DecisionKind(enum.Enum):
    """The decision in one word."""

    RUN = "run"
    IGNORE = "ignore"
    DENY = "deny"
    WAIT = "wait"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StartRun:
    """Run a pipeline at the subject's head. `trigger` is what asked for it: push or command.

    `inputs` are those that a command gave. With `dryrun`, the comment `comment_id` is answered with what
    would run, and no context shows it. `trusted` is False where the head runs only because somebody approved
    it.
    """

    name: str
    pipeline: Pipeline
    trigger: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    dryrun: bool = False
    comment_id: int | None = None
    trusted: bool = True

    @property
    def context(self) -> str:
        """Where the run's word is shown."""
        return context_of(self.name, self.inputs)


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Let a run that ended go on where it failed."""

    run: Run


@dataclass(frozen=True, slots=True)
class CancelRuns:
    """Stop these runs of ours; `reason` is shown in their status."""

    runs: tuple[Run, ...]
    kind: CancelKind
    reason: str


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Show a fixed status in a context; `pipeline` is empty for a context that is not a pipeline's.

    An `override` outlives later results.
    """

    context: str
    pipeline: str
    state: StatusState
    description: str
    override: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """React to a comment, and reply to it where there is something to say (Markdown, our own words)."""

    comment_id: int
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Notify:
    """Show this above the table of the pull request's comment (Markdown); empty takes it away."""

    text: str


@dataclass(frozen=True, slots=True)
class Approve:
    """This head may run from now on."""

    sha: str


@dataclass(frozen=True, slots=True)
class Recheck:
    """Decide again about another pull request, as if something had happened to it."""

    repository: Repository
    number: int


@dataclass(frozen=True, slots=True)
class Rerun:
    """Run all of a pull request again, if that is still its head: as if who decided had clicked there."""

    repository: Repository
    number: int
    sha: str


@dataclass(frozen=True, slots=True)
class Rename:
    """The repository of that id has this name from now on, and is private or not."""

    repository: Repository


@dataclass(frozen=True, slots=True)
class Forget:
    """What we remember of our access to the repository may be wrong now."""

    repository: Repository


Action = (
    StartRun
    | ResumeRun
    | CancelRuns
    | ShowStatus
    | Answer
    | Notify
    | Approve
    | Recheck
    | Rerun
    | Rename
    | Forget
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why.

    `subject`, `base` and `after` (our latest decision before) are what it was decided on, None where that
    was not needed.
    """

    kind: DecisionKind
    reason: str
    actions: tuple[Action, ...] = ()
    subject: Subject | None = None
    base: Base | None = None
    actor: str = ""
    after: int | None = None


def describe(actions: Iterable[Action]) -> str:
    """What the actions do, in words, for the audit: "run unit, lint; cancel e2e"."""
    done: dict[str, list[str]] = {}
    for action in actions:
        verb, names = _words(action)
        done.setdefault(verb, []).extend(name.removeprefix(PREFIX) for name in names)
    return "; ".join(f"{verb} {', '.join(dict.fromkeys(names))}" for verb, names in done.items() if names)


def _words(action: Action) -> tuple[str, Iterable[str]]:
    words: tuple[str, Iterable[str]] = ("", ())
    match action:
        case StartRun():
            words = "dry-run" if action.dryrun else "run", [action.context]
        case ResumeRun():
            words = "resume", [action.run.context]
        case CancelRuns():
            words = "cancel", [run.context for run in action.runs]
        case ShowStatus():
            words = "override" if action.override else f"show {action.state.value} for", [action.context]
        case Approve():
            words = "approve", [action.sha[:12]]
        case Recheck():
            words = "look again at", [f"{action.repository.full_name}#{action.number}"]
        case Rerun():
            words = "run all again of", [f"{action.repository.full_name}#{action.number}"]
    return words
