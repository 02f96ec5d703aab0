"""What the inner folders need from the world, as narrow Protocols that `bot.adapters` fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from bot.claims import (
        DeliveryClaim,
        PendingReply,
        PullClaim,
        Receipt,
        RunClaim,
        ShownComment,
        ShownStatus,
    )
    from bot.models import (
        Change,
        ChangedFiles,
        Dag,
        DagRun,
        Delivery,
        History,
        LogLine,
        Permission,
        PullRequest,
        Repository,
        Run,
        RunRef,
        Status,
        Step,
        Verdict,
    )


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
        ...


class PullRequestReader(Protocol):
    """What a decision may have to look up on GitHub.

    Each method raises GitHubUnavailable or GitHubRateLimited where a retry may help, GitHubRefused and
    GitHubNotFound where it will not.
    """

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do; NONE for a user who is no collaborator or does not exist."""
        ...

    def tip(self, repository: Repository, branch: str) -> str:
        """The SHA that the branch points at now."""
        ...

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit, None where there is none."""
        ...

    def changed_files(self, repository: Repository, number: int) -> ChangedFiles:
        """The files that the pull request changes, renames with both names."""
        ...


class PullRequestWriter(Protocol):
    """What the reporter sends. Raises as PullRequestReader does. None of these retries a write itself."""

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status."""
        ...

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our own comment (by the bot's user id) whose body contains the marker, else None."""
        ...

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id."""
        ...

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body; GitHubNotFound if somebody deleted it."""
        ...

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction ("eyes") to an issue comment; doing it twice is harmless."""
        ...


class DagTrigger(Protocol):
    """What starting and stopping a run needs from Airflow.

    Raises AirflowUnavailable where a retry may help, AirflowRefused and its children where not.
    """

    def dag(self, dag_id: str) -> Dag:
        """The DAG's description, at most a minute old; DagNotFound if there is none."""
        ...

    def trigger(self, ref: RunRef, conf: Mapping[str, object], note: str) -> bool:
        """Create the DAG run. False if one of that id exists already; ParamsRefused for a bad conf."""
        ...

    def conf(self, ref: RunRef) -> Mapping[str, object]:
        """The conf that the existing DAG run was created with; DagRunNotFound if it is gone."""
        ...

    def cancel(self, ref: RunRef) -> None:
        """Stop the DAG run; stopping one that has ended is harmless; DagRunNotFound if it is gone."""
        ...


class DagRunReader(Protocol):
    """What following runs needs from Airflow. Raises as DagTrigger does."""

    def look(self, refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        """Many runs in few calls, each with its steps; None for a run that Airflow does not have."""
        ...

    def log(self, ref: RunRef, step: Step) -> Iterator[LogLine]:
        """The log of the step's last try as a stream; bounded by the reader, who may stop at any line."""
        ...

    def xcom(self, ref: RunRef, step: Step, key: str) -> object | None:
        """The value that the step handed on under `key`, None if there is none."""
        ...


class Inbox(Protocol):
    """The queue of deliveries. All methods raise StoreUnavailable."""

    def put(self, delivery: Delivery) -> Receipt:
        """Store the delivery durably; a repeated id is ignored unless it is parked."""
        ...

    def claim(self) -> DeliveryClaim | None:
        """Take the oldest delivery that is due and whose lane nobody holds."""
        ...

    def finish(self, claim: DeliveryClaim, *, ignored: bool, reason: str) -> None:
        """It is done, or meant nothing to us."""
        ...

    def retry(self, claim: DeliveryClaim, *, seconds: float, reason: str) -> None:
        """Try again later; it holds up nothing behind it."""
        ...

    def park(self, claim: DeliveryClaim, reason: str) -> None:
        """It can't be handled; kept with its reason until somebody replays it."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class Ledger(Protocol):
    """What was decided. All methods raise StoreUnavailable."""

    def record_push(self, repository: Repository, number: int, sha: str, pusher: str) -> None:
        """Remember who put that head there; the first word counts."""
        ...

    def history(self, repository: Repository, number: int, head_sha: str | None) -> History:
        """What we remember of the pull request."""
        ...

    def apply(self, change: Change) -> bool:
        """Store a decision whole. False, and nothing stored, if its comment was answered before.

        Overtaken, and nothing stored, if another decision came between.
        """
        ...


class RunStore(Protocol):
    """Runs that need a look. All methods raise StoreUnavailable."""

    def claim_runs(self, limit: int) -> Sequence[RunClaim]:
        """Take runs that are due and that nobody holds, those asked to stop first."""
        ...

    def save_run(self, claim: RunClaim, run: Run, *, cancel_sent: bool, seconds: float | None) -> None:
        """Store what the run is now and give it back; look again after `seconds`, never if None.

        Wakes the reporter if what people see changed, and looks again at once if the run was nudged or
        asked to stop meanwhile.
        """
        ...

    def intend(self, claim: RunClaim, dag_run_id: str) -> bool:
        """Remember, before Airflow is asked, the id under which the run may be there.

        False if another run of ours has that id.
        """
        ...

    def nudge(self, dag_run_id: str) -> bool:
        """Have the run looked at now; False if we have no such unfinished run."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class ReportStore(Protocol):
    """What pull requests should show and do show. All methods raise StoreUnavailable."""

    def claim_pull(self) -> PullClaim | None:
        """Take a pull request whose report is due and that nobody holds."""
        ...

    def release_pull(self, claim: PullClaim, *, seconds: float | None, failed: bool) -> None:
        """Give it back; report again after `seconds`, at once if something changed meanwhile."""
        ...

    def unsettled_heads(self, claim: PullClaim) -> Sequence[str]:
        """The heads of the pull request whose statuses may have to change, the current one first."""
        ...

    def settle_head(self, claim: PullClaim, sha: str) -> None:
        """All contexts of that head show their last word."""
        ...

    def lock_head(self, repository: Repository, sha: str) -> AbstractContextManager[None]:
        """Keep others from reporting on that head, which pull requests can share."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class StatusStore(Protocol):
    """What heads show. All methods raise StoreUnavailable."""

    def verdicts(self, repository: Repository, sha: str) -> Mapping[int, Sequence[Verdict]]:
        """What each pull request with that head wants its contexts to show.

        Where one that is open has this head now, closed ones and those that moved on have no say.
        """
        ...

    def shown(self, repository: Repository, sha: str) -> Mapping[str, ShownStatus]:
        """What the head's contexts show, by context."""
        ...

    def set_shown(self, repository: Repository, sha: str, status: Status) -> None:
        """A context was made to show this."""
        ...


class CommentStore(Protocol):
    """What pull requests' comments show. All methods raise StoreUnavailable."""

    def head_of(self, claim: PullClaim) -> tuple[str, str]:
        """The head that the comment is about, and the notice above its table."""
        ...

    def own_verdicts(self, claim: PullClaim, sha: str) -> Sequence[Verdict]:
        """What this pull request says about that head, by context."""
        ...

    def comment(self, claim: PullClaim) -> ShownComment:
        """What we know of the comment."""
        ...

    def set_comment(self, claim: PullClaim, comment: ShownComment) -> None:
        """Remember what the comment shows now, or that one may be there."""
        ...

    def pending_replies(self, claim: PullClaim) -> Sequence[PendingReply]:
        """Comments that wait for their answer, oldest first."""
        ...

    def set_reply(self, claim: PullClaim, reply: PendingReply, *, done: bool) -> None:
        """Remember how far an answer got."""
        ...


class RunReader(Protocol):
    """What the pages show. All methods raise StoreUnavailable."""

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        ...

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        """Figures for the metrics: by table, then by state; ages in seconds."""
        ...

    def check(self) -> None:
        """Raise StoreUnavailable, saying what is wrong, unless the database answers and is migrated."""
        ...
