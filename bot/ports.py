"""What the inner folders need from the world, as narrow Protocols that `bot.adapters` fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from bot.claims import (
        DeliveryClaim,
        ListedRun,
        PendingReply,
        PullClaim,
        QueuedRun,
        Receipt,
        RunClaim,
        RunQuery,
        ShownCheck,
        ShownComment,
        ShownStatus,
        Turn,
        Window,
    )
    from bot.models import (
        Annotation,
        Artifact,
        Audit,
        Change,
        ChangedFiles,
        Check,
        Dag,
        DagRun,
        Delivery,
        History,
        LogLine,
        Past,
        Permission,
        PullRequest,
        PullView,
        Quota,
        ReportPolicy,
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


class CheckWriter(Protocol):
    """Check runs, which only a GitHub App may write. Raises as PullRequestReader does; retries nothing."""

    def can_check(self) -> bool:
        """Whether our credentials are an App's. Asks nothing."""
        ...

    def create_check(self, repository: Repository, sha: str, check: Check) -> int:
        """Create a check run and return its id."""
        ...

    def update_check(
        self, repository: Repository, check_id: int, check: Check, annotations: Sequence[Annotation] = ()
    ) -> None:
        """Have it show this, and append annotations: at most 50. GitHubNotFound if it is gone."""
        ...

    def find_check(self, repository: Repository, sha: str, check: Check) -> int | None:
        """The id of our newest check run of that name and external id at the commit, else None."""
        ...

    def annotation_count(self, repository: Repository, check_id: int) -> int:
        """How many annotations the check run has."""
        ...

    def changed_lines(self, repository: Repository, number: int, sha: str) -> Mapping[str, Sequence[range]]:
        """The lines that the pull request's diff shows, by file, as line numbers in its head.

        Empty where GitHub's diff is about another head by now. Remembered for a head; files without a
        textual diff, and those beyond the first 3,000, are left out.
        """
        ...


class QuotaReader(Protocol):
    """How much GitHub lets us ask. Asks nothing itself."""

    def account(self, repository: Repository) -> str:
        """A name for the credentials for that repository, the same in every process: whose limits count."""
        ...

    def quota(self, repository: Repository) -> Quota | None:
        """What is left of the hour's requests with the credentials for that repository, None if unknown."""
        ...

    def spent(self, repository: Repository) -> int:
        """The points of requests sent with those credentials since the last call: 1 a read, 5 a write.

        Writes that a budget was asked about beforehand are not among them.
        """
        ...


class BudgetStore(Protocol):
    """What all workers together sent to GitHub of late. All methods raise StoreUnavailable."""

    def take(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """Spend the costs (by the windows' names) if every window has room for them, and return 0.

        Otherwise nothing is spent, and the seconds are returned until there may be room. `account` is whose
        limits they are. No window ever holds more than its `most` within any `seconds`, counted exactly.
        """
        ...

    def spend(self, account: str, costs: Mapping[str, float]) -> None:
        """Something was sent without asking."""
        ...


class Viewers(Protocol):
    """Who looks at our pages, by GitHub's word. Raises as PullRequestReader does."""

    def sign_in_url(self, state: str, redirect_uri: str) -> str:
        """Where GitHub asks people whether they want to sign in here."""
        ...

    def token_for(self, code: str, redirect_uri: str) -> tuple[str, float]:
        """The user's token that a sign-in's code stands for, and the seconds it is good for."""
        ...

    def login(self, token: str) -> str:
        """Whose token it is; GitHubRefused if it is no longer good."""
        ...

    def can_read(self, token: str, repository: Repository) -> bool:
        """Whether that user may read the repository. Remembered for some minutes."""
        ...


class ArtifactStore(Protocol):
    """Where runs' artifacts are kept, addressed by paths below one root. Raises ArtifactsUnavailable.

    A path that leaves the root ("../x") or is absolute is refused with ValueError.
    """

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Put a file there, whole or not at all, over one that is there."""
        ...

    def list(self, folder: str, most: int) -> Sequence[Artifact]:
        """The files below a folder, by path, at most so many; none if there is no such folder."""
        ...

    def read(self, path: str, most: int) -> Iterator[bytes] | None:
        """The file in pieces, at most so many bytes; None if there is none."""
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

    def open_pulls_at(self, repository: Repository, sha: str) -> Sequence[int]:
        """The numbers of the open pull requests that have this head."""
        ...

    def broken_pulls(self, repository: Repository, base_ref: str | None) -> Sequence[tuple[Repository, int]]:
        """The open pull requests into that branch whose head shows a configuration that can't be used.

        With `base_ref` None, those into any branch of any repository of the same owner.
        """
        ...

    def rename(self, repository: Repository) -> None:
        """The repository of that id has this name from now on, and is private or not."""
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
        """A context was made to show this, once more."""
        ...

    def policies(self, repository: Repository, sha: str) -> Mapping[int, ReportPolicy]:
        """How each pull request or branch with that head is reported on."""
        ...

    def shown_checks(self, repository: Repository, sha: str) -> Mapping[str, ShownCheck]:
        """What the head's check runs show, by name."""
        ...

    def set_shown_check(self, repository: Repository, sha: str, check: ShownCheck) -> None:
        """A check run was made to show this, or is about to be."""
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


class PastReader(Protocol):
    """What earlier runs tell about a run. All methods raise StoreUnavailable."""

    def usual(self, runs: Sequence[Run]) -> Mapping[str, float]:
        """By the run's id: the median seconds of the last 20 successful runs like it, where there are any.

        Alike are runs of the same repository, pipeline and base branch, of the same kind (pull request, merge
        group or push), without inputs, dry runs apart. Remembered for a minute.
        """
        ...

    def past(self, runs: Sequence[Run]) -> Mapping[str, Past]:
        """By the run's id: what came before it. Every run has one."""
        ...


class ArchiveStore(Protocol):
    """Finished runs that are still to be put among the artifacts. All methods raise StoreUnavailable."""

    def claim_archive(self) -> Run | None:
        """Take a finished run that nobody archives, for some minutes; resumed runs come again."""
        ...

    def archived(self, run: Run, *, seconds: float | None) -> None:
        """It is among the artifacts; or, with `seconds`, try again after them."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class RunLister(Protocol):
    """What the lists of runs show, in times that do not grow with the history. Raises StoreUnavailable."""

    def runs(self, query: RunQuery) -> Sequence[ListedRun]:
        """The runs, newest first; one more than `query.most` if there are more."""
        ...

    def private_repositories(self) -> Sequence[Repository]:
        """The private repositories that have runs, at most 200, those with the newest runs first."""
        ...

    def latest(self, repository: str, pipeline: str, branch: str) -> Run | None:
        """The newest finished run on that branch (pushed, else merged into), for a badge."""
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
