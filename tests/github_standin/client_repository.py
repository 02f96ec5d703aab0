"""A repository on a stand-in, as tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client_pull import Pull, packed
from .client_queue import MergeGroup
from .records import EVENTS, CheckAction, CheckAnnotation, CheckRun, QueueEntry, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .client import Standin
    from .client_pull import Files
    from .records import Role


class Repository:
    """One repository, addressed by id: it stays the same when renamed."""

    def __init__(self, standin: Standin, repository_id: int) -> None:
        self.standin = standin
        self.id = repository_id

    def call(self, action: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON is what it is
        """Perform one control action on this repository; the methods below do it for you."""
        return self.standin.call(action, repository=self.id, **arguments)

    @property
    def full_name(self) -> str:
        """`owner/name`, as of now."""
        return str(self.call("show_repository")["full_name"])

    @property
    def clone_url(self) -> str:
        """The address that payloads carry, without credentials."""
        return f"{self.standin.url}/{self.full_name}.git"

    @property
    def html_url(self) -> str:
        """The repository's page."""
        return f"{self.standin.url}/{self.full_name}"

    def remote(self, login: str) -> str:
        """The clone address with a person's login and token in it, for `git push`."""
        token = self.standin.user(login).token
        return self.clone_url.replace("://", f"://{login}:{token}@", 1)

    def tip(self, branch: str = "main") -> str:
        """The SHA that a branch points at; StandinError if there is no such branch."""
        return str(self.call("tip", branch=branch)["sha"])

    def push(
        self,
        by: str,
        files: Files,
        *,
        branch: str = "main",
        message: str = "",
        onto: str | None = None,
        author: str = "",
    ) -> str:
        """Commit files to a branch (made from the default branch when new) and return the commit's SHA.

        `onto`: commit on top of this SHA instead of the branch's tip: a force push. `author`: whom the commit
        names as its author, which anybody may claim.
        """
        pushed = self.call(
            "push", by=by, files=packed(files), branch=branch, message=message, onto=onto, author=author
        )
        return str(pushed["sha"])

    def tag(self, by: str, name: str, sha: str | None) -> None:
        """Make or move a tag, or delete it (None)."""
        self.call("tag", by=by, name=name, sha=sha)

    def queue(self, base: str = "main") -> list[MergeGroup]:
        """The merge groups that wait to be merged into a branch, first come first; see `Pull.enqueue`."""
        return [MergeGroup(self, QueueEntry(**entry)) for entry in self.call("queue", base=base)]

    def delete_branch(self, by: str, branch: str) -> None:
        """Delete a branch; pull requests from it are closed, as on GitHub."""
        self.call("delete_branch", by=by, branch=branch)

    def fork(self, by: str) -> Repository:
        """This repository's fork owned by `by`, made when new."""
        return Repository(self.standin, self.call("fork", by=by)["id"])

    def permit(self, login: str, role: Role) -> None:
        """Give a person a role; `none` takes it away."""
        self.call("permit", login=login, role=role)

    def rename(self, name: str, by: str = "") -> None:
        """Rename within the owner; the old name redirects (301 on GET, 307 on writes)."""
        self.call("rename", name=name, by=by)

    def transfer(self, to: str, by: str = "") -> None:
        """Give it to another account (an organisation when new); the old name redirects, hooks stay.

        An App hears of it if it is installed on the new account.
        """
        self.call("transfer", to=to, by=by)

    def star(self, by: str) -> None:
        """Star it: the events star and watch, which mean nothing to a bot."""
        self.call("star", by=by)

    def deliver(
        self, event: str, action: str | None = None, *, by: str, payload: Mapping[str, object] | None = None
    ) -> None:
        """Deliver any event to who listens to it (or to `*`), also what no GitHub would send.

        `action`, `repository`, `organization`, `sender` and `installation` are added to the payload.
        """
        self.call("deliver", event=event, action=action, by=by, payload=dict(payload or {}))

    def hook(self, url: str, secret: str, events: Iterable[str] = EVENTS) -> int:
        """Add a repository webhook, which is pinged at once; returns its id."""
        return int(self.call("hook", url=url, secret=secret, events=list(events))["id"])

    def open_issue(self, by: str, title: str = "An issue", body: str = "") -> int:
        """Open an issue that is no pull request; returns its number."""
        return int(self.call("open_issue", by=by, title=title, body=body)["number"])

    def open_pull(
        self,
        by: str,
        *,
        branch: str = "change",
        files: Files | None = None,
        title: str = "",
        body: str = "",
        base: str = "main",
        draft: bool = False,
        fork: bool = False,
        maintainer_can_modify: bool = True,
    ) -> Pull:
        """Commit `files` to `branch` and open a pull request from it; without `files` the branch must exist.

        `fork`: the branch is in the fork owned by `by`, which is made when new.
        """
        opened = self.call(
            "open_pull",
            by=by,
            branch=branch,
            files=None if files is None else packed(files),
            title=title,
            body=body,
            base=base,
            draft=draft,
            fork=fork,
            maintainer_can_modify=maintainer_can_modify,
        )
        return Pull(self, opened["number"])

    def pull(self, number: int) -> Pull:
        """The pull request (or issue) of that number; nothing is asked until it is used."""
        return Pull(self, number)

    def pulls(self) -> list[Pull]:
        """All pull requests, oldest first."""
        return [Pull(self, number) for number in self.call("pulls")]

    def statuses(self, sha: str, context: str = "") -> list[Status]:
        """Every status a commit was ever given, oldest first."""
        return [Status(**status) for status in self.call("statuses", sha=sha, context=context)]

    def check_runs(self, sha: str, name: str = "", *, every: bool = False) -> list[CheckRun]:
        """The newest check run of each App and name at a commit, oldest first; `every`: those before, too."""
        found = self.call("check_runs", sha=sha, every=every)
        return [_check_run(each) for each in found if name in ("", each["name"])]

    def require(self, *names: str, branch: str = "main") -> None:
        """Let nothing be merged into a branch before these statuses and check runs are green.

        Of a name that both a status and a check run have, both must be. A check run that is neutral or
        skipped is green. None at all: no such rule any more.
        """
        self.call("require", branch=branch, names=names)

    def unmet(self, sha: str, branch: str = "main") -> list[str]:
        """What keeps a commit from being merged into a branch, in GitHub's words."""
        return list(self.call("unmet", branch=branch, sha=sha))


def _check_run(shown: dict[str, Any]) -> CheckRun:
    annotations = [CheckAnnotation(**each) for each in shown["annotations"]]
    actions = [CheckAction(**each) for each in shown["actions"]]
    return CheckRun(**{**shown, "annotations": annotations, "actions": actions})
