"""A pull request on a stand-in, as tests use it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .client_queue import MergeGroup
from .records import CheckRun, Comment, PullView, QueueEntry, Status

if TYPE_CHECKING:
    from .client_repository import Repository

Files = Mapping[str, str | bytes | None]
"""Path -> content; None deletes the file."""


class Pull:
    """One pull request."""

    def __init__(self, repository: Repository, number: int) -> None:
        self.repository = repository
        self.number = number

    def _call(self, action: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON is what it is
        return self.repository.call(action, number=self.number, **arguments)

    @property
    def html_url(self) -> str:
        """The pull request's page."""
        return f"{self.repository.html_url}/pull/{self.number}"

    def show(self) -> PullView:
        """What it is now: title, state, head, base."""
        return PullView(**self._call("show_pull"))

    @property
    def head_sha(self) -> str:
        """The head commit as of now."""
        return self.show().head_sha

    def push(
        self, by: str, files: Files, message: str = "", *, onto: str | None = None, author: str = ""
    ) -> str:
        """Commit to the head branch, wherever it is, and return the new head (`onto`: a force push).

        `by` is who pushes, the sender of push and synchronize, whether or not the pull request is theirs.
        `author`: whom the commit names as its author, which anybody may claim.
        """
        pushed = self._call(
            "push_pull", by=by, files=packed(files), message=message, onto=onto, author=author
        )
        return str(pushed["sha"])

    def comment(self, by: str, body: str, *, bot: bool = False) -> Comment:
        """Comment as a person, or as an App's bot: `by="renovate[bot]"`, or `by="renovate", bot=True`."""
        author = f"{by}[bot]" if bot and not by.endswith("[bot]") else by
        return Comment(**self._call("comment", by=author, body=body))

    def edit_comment(self, by: str, comment_id: int, body: str) -> None:
        """Change a comment's text."""
        self._call("edit_comment", by=by, comment=comment_id, body=body)

    def delete_comment(self, by: str, comment_id: int) -> None:
        """Delete a comment."""
        self._call("delete_comment", by=by, comment=comment_id)

    def comments(self, by: str = "") -> list[Comment]:
        """Comments, oldest first (only those of one author)."""
        found = [Comment(**comment) for comment in self._call("comments")]
        return [comment for comment in found if not by or comment.author == by]

    def close(self, by: str) -> None:
        """Close without merging; it leaves the merge queue first."""
        self._call("set_state", by=by, state="closed")

    def reopen(self, by: str) -> None:
        """Reopen."""
        self._call("set_state", by=by, state="open")

    def draft(self, by: str) -> None:
        """Convert to a draft."""
        self._call("set_draft", by=by, draft=True)

    def ready(self, by: str) -> None:
        """Mark as ready for review."""
        self._call("set_draft", by=by, draft=False)

    def edit(
        self, by: str, *, title: str | None = None, body: str | None = None, base: str | None = None
    ) -> None:
        """Change title, body or base branch."""
        self._call("edit_pull", by=by, title=title, body=body, base=base)

    def label(self, by: str, name: str) -> None:
        """Add a label."""
        self._call("label", by=by, name=name, add=True)

    def unlabel(self, by: str, name: str) -> None:
        """Remove a label."""
        self._call("label", by=by, name=name, add=False)

    def auto_merge(self, by: str, *, on: bool = True) -> None:
        """Enable auto-merge, or disable it. Nothing is merged by it: `merge` does that."""
        self._call("auto_merge", by=by, on=on)

    def enqueue(self, by: str) -> MergeGroup:
        """Put it at the end of its base branch's merge queue and return its merge group.

        Makes the branch `gh-readonly-queue/BASE/pr-N-SHA` with a merge commit on top of the group before (or
        of the base branch), pushed by `github-merge-queue[bot]`: pull_request enqueued, push, merge_group
        checks_requested. StandinError when it is a draft, closed, queued already or in conflict.
        """
        return MergeGroup(self.repository, QueueEntry(**self._call("enqueue", by=by)))

    def merge(self, by: str) -> str:
        """Merge into the base branch with a merge commit and return it; StandinError on a conflict."""
        return str(self._call("merge", by=by)["sha"])

    def statuses(self, context: str = "", *, sha: str | None = None) -> list[Status]:
        """Every status the head (or `sha`) was ever given, oldest first."""
        return self.repository.statuses(sha or self.head_sha, context)

    def combined(self, *, sha: str | None = None) -> dict[str, Status]:
        """What the page shows: the newest status of each context at the head (or `sha`)."""
        return {status.context: status for status in self.statuses(sha=sha)}

    def state_of(self, context: str, *, sha: str | None = None) -> str | None:
        """The state that a context shows at the head (or `sha`): pending, success, failure, error or None."""
        newest = self.combined(sha=sha).get(context)
        return newest.state if newest else None

    def check_runs(self, name: str = "", *, sha: str | None = None, every: bool = False) -> list[CheckRun]:
        """The newest check run of each App and name at the head (or `sha`), oldest first; `every`: all."""
        return self.repository.check_runs(sha or self.head_sha, name, every=every)

    def check(self, name: str, *, sha: str | None = None) -> CheckRun | None:
        """The check run of that name that the page shows, if there is one."""
        return next(iter(self.check_runs(name, sha=sha)[-1:]), None)

    def conclusion_of(self, name: str, *, sha: str | None = None) -> str | None:
        """How a check run ended; None if there is none, or it has not."""
        found = self.check(name, sha=sha)
        return found.conclusion if found else None

    def click(self, by: str, name: str, identifier: str, *, sha: str | None = None) -> None:
        """Press a button under a check run; StandinError if it has none, or for who may not write.

        The App hears check_run requested_action.
        """
        at = sha or self.head_sha
        self.repository.call("click", sha=at, by=by, name=name, identifier=identifier)

    def rerequest(self, by: str, name: str, *, sha: str | None = None) -> None:
        """Press "Re-run" at a check run, which stays as it is; StandinError for who may not write.

        The App hears check_run rerequested.
        """
        self.repository.call("rerequest", sha=sha or self.head_sha, by=by, name=name)

    def rerequest_suite(self, by: str, *, sha: str | None = None) -> None:
        """Press "Re-run all checks"; StandinError for who may not write, or if there is no suite.

        Each App that has a suite at the head hears check_suite rerequested.
        """
        self.repository.call("rerequest_suites", sha=sha or self.head_sha, by=by)

    def unmet(self) -> list[str]:
        """What keeps it from being merged, by what `Repository.require` said, in GitHub's words."""
        return self.repository.unmet(self.head_sha, self.show().base_ref)


def packed(files: Files) -> dict[str, str | dict[str, str] | None]:
    """Files as JSON: bytes travel in base64."""
    return {
        path: {"base64": base64.b64encode(content).decode()} if isinstance(content, bytes) else content
        for path, content in files.items()
    }
