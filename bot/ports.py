"""What the inner folders need from the world, as narrow Protocols that `bot.adapters` fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from bot.claims import (
        DeliveryClaim,
        PendingReply,
        PullClaim,
        QueuedRun,
        Receipt,
        RunClaim,
        ShownComment,
        ShownStatus,
        Turn,
    )
    from bot.models import (
        Audit,
        Change,
        ChangedFiles,
        Dag,
        DagRun,
        Delivery,
        History,
        LogLine,
        Permission,
        PullRequest,
        PullView,
        Repository,
        Run,
        RunRef,
        Status,
        Step,
        Subject,
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

    def tip(self, repository: Repository, branch: str) -> str:
        """The SHA that the branch points at now."""
        ...

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit, None where there is none."""
        ...

    def shared_file(self, repository: Repository, path: str) -> bytes | None:
        """The file in the `.github` repository of the repository's owner, at its default branch's tip.

        None where there is no such file or repository, or where we may not see it.
        """
        ...

    def changed_files(self, subject: Subject) -> ChangedFiles:
        """The files that the pull request (or the branch since `before`) changes, renames with both names."""
        ...


class People(Protocol):
    """Who may do what. Raises as PullRequestReader does."""

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do; NONE for a user who is no collaborator or does not exist."""
        ...

    def member(self, repository: Repository, login: str, group: str) -> bool:
        """Whether the user is an active member of "ORGANISATION" or of the team "ORGANISATION/TEAM".

        `repository` says with whose access we ask. False where there is no such group, or where we may not
        see its members.
        """
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

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment of ours; one that is gone already is fine."""
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

    def resume(self, ref: RunRef, known: Sequence[Step]) -> None:
        """Run again, in the DAG run that has ended, every step that did not succeed; not those that did.

        Setup and teardown run again with the steps that they belong to. `known` are the steps as they were
        when it ended: where a step of the DAG run has been tried again since then, or the DAG run goes on,
        it was resumed already and nothing is done. DagRunNotFound if it is gone.
        """
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

    def history(self, repository: Repository, number: int, head_sha: str) -> History:
        """What we remember of the pull request or branch, and what its contexts say about that head."""
        ...

    def broken_pulls(self, repository: Repository, base_ref: str | None) -> Sequence[tuple[Repository, int]]:
        """The open pull requests into that branch whose head shows a configuration that can't be used.

        With `base_ref` None, those into any branch of any repository of the same owner.
        """
        ...

    def rename(self, repository: Repository) -> None:
        """The repository of that id has this name from now on."""
        ...

    def apply(self, change: Change) -> bool:
        """Store a decision whole. False, and nothing stored, if its comment was answered before.

        Overtaken, and nothing stored, if another decision came between.
        """
        ...


class RunStore(Protocol):
    """Runs that need a look. All methods raise StoreUnavailable."""

    def admit(self, judge: Callable[[Sequence[QueuedRun], Mapping[str, int]], Sequence[Turn]]) -> None:
        """Let waiting runs take their turn: those that are unfinished, not asked to stop and not admitted.

        `judge` gets them oldest first, with the number of admitted unfinished runs by the key of their
        limits, and says what becomes of each that changes. Only one process judges at a time. Admitted runs
        are due at once, refused ones finished with an error, and whatever people see is reported.
        """
        ...

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

    def view(self, claim: PullClaim) -> PullView:
        """What the comment is rendered from: the head, what this pull request says about it, the notice."""
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

    def audits(self, run: Run) -> Sequence[Audit]:
        """The decisions about the run's pull request or branch, newest first, at most 50."""
        ...

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        """Figures for the metrics: by table, then by state; ages in seconds."""
        ...

    def check(self) -> None:
        """Raise StoreUnavailable, saying what is wrong, unless the database answers and is migrated."""
        ...
