"""A repository on a stand-in, as tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client_pull import Pull, packed
from .records import EVENTS, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .client import Standin
    from .client_pull import Files
    from .records import Role


class Repository:
    """One repository, addressed by id: it stays the same when renamed."""

    def __init__(self, standin: Standin, repository_id: int) -> None:
        self.standin = standin
        self.id = repository_id

    def _call(self, action: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON is what it is
        return self.standin.call(action, repository=self.id, **arguments)

    @property
    def full_name(self) -> str:
        """`owner/name`, as of now."""
        return str(self._call("show_repository")["full_name"])

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
        return str(self._call("tip", branch=branch)["sha"])

    def push(
        self,
        by: str,
        files: Files,
        *,
        branch: str = "main",
        message: str = "",
        onto: str | None = None,
    ) -> str:
        """Commit files to a branch (made from the default branch when new) and return the commit's SHA.

        `onto`: commit on top of this SHA instead of the branch's tip: a force push.
        """
        pushed = self._call("push", by=by, files=packed(files), branch=branch, message=message, onto=onto)
        return str(pushed["sha"])

    def delete_branch(self, by: str, branch: str) -> None:
        """Delete a branch; pull requests from it are closed, as on GitHub."""
        self._call("delete_branch", by=by, branch=branch)

    def fork(self, by: str) -> Repository:
        """This repository's fork owned by `by`, made when new."""
        return Repository(self.standin, self._call("fork", by=by)["id"])

    def permit(self, login: str, role: Role) -> None:
        """Give a person a role; `none` takes it away."""
        self._call("permit", login=login, role=role)

    def rename(self, name: str) -> None:
        """Rename within the owner; the old name redirects (301 on GET, 307 on writes)."""
        self._call("rename", name=name)

    def hook(self, url: str, secret: str, events: Iterable[str] = EVENTS) -> int:
        """Add a repository webhook, which is pinged at once; returns its id."""
        return int(self._call("hook", url=url, secret=secret, events=list(events))["id"])

    def open_issue(self, by: str, title: str = "An issue", body: str = "") -> int:
        """Open an issue that is no pull request; returns its number."""
        return int(self._call("open_issue", by=by, title=title, body=body)["number"])

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
        opened = self._call(
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
        return [Pull(self, number) for number in self._call("pulls")]

    def statuses(self, sha: str, context: str = "") -> list[Status]:
        """Every status a commit was ever given, oldest first."""
        return [Status(**status) for status in self._call("statuses", sha=sha, context=context)]
