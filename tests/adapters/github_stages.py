"""Stages for the contract suite: a GitHub with one private repository, and hands behind its back."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from hashlib import sha1
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bot.models import Permission, PullRequest, Repository
from bot.ports import CheckWriter, People, PullRequestReader, PullRequestWriter, QuotaReader
from tests.fakes.github import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.github_checks import FakeCheck
    from tests.github_standin import Pull, Standin
    from tests.github_standin import Repository as StandinRepository

FILES = {".github/preflight.yaml": "pipelines: {}\n", "src/app.py": "print(1)\n", "src/ünï code.py": "#\n"}
"""What the repository holds at first."""


class ShownCheck(NamedTuple):
    """What people see of a check run; annotations and buttons by their fields."""

    name: str
    external_id: str
    status: str
    conclusion: str | None
    title: str
    summary: str
    text: str
    details_url: str
    annotations: list[tuple[str, int, int, str, str, str]]
    buttons: list[tuple[str, str, str]]


class GitHub(PullRequestReader, People, PullRequestWriter, CheckWriter, QuotaReader, Protocol):
    """All ports."""

    def forget(self, repository: Repository) -> None:
        """Ask everything about the repository anew."""
        ...


class Stage(Protocol):
    """What a test of the contract works with."""

    @property
    def github(self) -> GitHub:
        """The adapter."""
        ...

    @property
    def repository(self) -> Repository:
        """The one repository; its main branch holds FILES."""
        ...

    def open_pull(
        self, author: str, branch: str, files: Mapping[str, str], *, draft: bool = False, fork: bool = False
    ) -> int:
        """Open a pull request onto main, from a branch here or in the author's fork; returns its number."""
        ...

    def close(self, number: int) -> None:
        """Close it."""
        ...

    def label(self, number: int, name: str) -> None:
        """Label it."""
        ...

    def push(self, branch: str, files: Mapping[str, str], *, onto: str | None = None) -> str:
        """Commit to a branch, made when new; returns its tip. `onto`: another commit, by force."""
        ...

    def delete_branch(self, branch: str) -> None:
        """Delete a branch."""
        ...

    def share(self, path: str, text: str) -> None:
        """Commit a file to the `.github` repository of the repository's owner."""
        ...

    def join(self, group: str, login: str, *, public: bool = False, pending: bool = False) -> None:
        """Make a user a member of an organisation or team; `pending`: invited only."""
        ...

    def leave(self, group: str, login: str) -> None:
        """Make a user a member no more."""
        ...

    def permit(self, login: str, role: Permission) -> None:
        """Give a role."""
        ...

    def comment(self, number: int, author: str, body: str) -> int:
        """Comment as somebody; returns the comment's id."""
        ...

    def delete_comment(self, number: int, comment_id: int) -> None:
        """Delete a comment."""
        ...

    def bodies(self, number: int) -> list[str]:
        """All comments' bodies, oldest first."""
        ...

    def reactions(self, number: int, comment_id: int) -> list[str]:
        """The reactions to a comment."""
        ...

    def statuses(self, sha: str) -> list[tuple[str, str, str, str]]:
        """Context, state, description and target of every status of a commit, oldest first."""
        ...

    def checks(self, sha: str) -> list[ShownCheck]:
        """Every check run of a commit, oldest first."""
        ...

    def fail(self, *, executed: bool) -> None:
        """Answer the next write with 502, having carried it out or not."""
        ...

    def limit(self, retry_after: int) -> None:
        """Refuse the next request as one too many."""
        ...

    def heal(self) -> None:
        """End all failures."""
        ...


class FakeStage:
    """The fake."""

    def __init__(self) -> None:
        self.github = FakeGitHub()
        self.github.is_app = True
        self.repository = Repository(700_000_001, "acme/app", private=True, clone_url="http://x/acme/app.git")
        self.github.repositories[self.repository.id] = self.repository
        self._commits = itertools.count()
        self._numbers = itertools.count(1)
        self._trees: dict[str, dict[str, bytes]] = {}
        self.push("main", FILES)

    def open_pull(
        self, author: str, branch: str, files: Mapping[str, str], *, draft: bool = False, fork: bool = False
    ) -> int:
        number = next(self._numbers)
        pull = PullRequest(
            repository=self.repository,
            number=number,
            open=True,
            draft=draft,
            title=f"{branch} by {author}",
            author=author,
            head_sha=self.push(branch, files),
            head_ref=branch,
            head_repository=f"{author}/{self.repository.name}" if fork else self.repository.full_name,
            base_ref="main",
            updated_at=datetime.now(UTC),
        )
        self.github.put_pull(pull, sorted(files))
        lines = {path: [range(1, text.count("\n") + 1)] for path, text in files.items()}
        self.github.put_lines(self.repository, number, pull.head_sha, lines)
        return number

    def close(self, number: int) -> None:
        self.github.change_pull(self.repository, number, open=False)

    def label(self, number: int, name: str) -> None:
        self.github.change_pull(self.repository, number, labels=(name,))

    def push(self, branch: str, files: Mapping[str, str], *, onto: str | None = None) -> str:
        tree = {**self._trees.get("main", {}), **{path: text.encode() for path, text in files.items()}}
        self._trees[branch] = tree
        sha = sha1(f"{next(self._commits)}".encode(), usedforsecurity=False).hexdigest()
        before = self.github.tips.get((self.repository.id, branch))
        if before and not onto:
            self.github.put_comparison(self.repository, before, sha, sorted(files))
        self.github.put_tip(self.repository, branch, sha, tree)
        return sha

    def delete_branch(self, branch: str) -> None:
        self.github.remove_tip(self.repository, branch)

    def share(self, path: str, text: str) -> None:
        self.github.put_shared_file(self.repository.owner, path, text.encode())

    def join(self, group: str, login: str, *, public: bool = False, pending: bool = False) -> None:
        seen = public or group.partition("/")[0] == self.repository.owner
        if seen and not pending:
            self.github.put_member(group, login)

    def leave(self, group: str, login: str) -> None:
        self.github.remove_member(group, login)

    def permit(self, login: str, role: Permission) -> None:
        self.github.put_role(self.repository, login, role)

    def comment(self, number: int, author: str, body: str) -> int:
        return self.github.put_comment(self.repository, number, author, body)

    def delete_comment(self, number: int, comment_id: int) -> None:
        assert self.github.comments[comment_id].number == number
        self.github.remove_comment(comment_id)

    def bodies(self, number: int) -> list[str]:
        return [comment.body for comment in self.github.comments_on(self.repository, number)]

    def reactions(self, number: int, comment_id: int) -> list[str]:
        found = self.github.comments_on(self.repository, number)
        return [content for comment in found if comment.id == comment_id for _, content in comment.reactions]

    def statuses(self, sha: str) -> list[tuple[str, str, str, str]]:
        return [
            (status.context, status.state.value, status.description, status.target_url)
            for _, at, status in self.github.written
            if at == sha
        ]

    def checks(self, sha: str) -> list[ShownCheck]:
        return [_shown(each) for each in self.github.checks_at(self.repository, sha)]

    def fail(self, *, executed: bool) -> None:
        comments = ("create_comment", "edit_comment", "delete_comment", "react")
        writes = ("set_status", "create_check", "update_check", *comments)
        if executed:
            self.github.lose_answers(*writes)
        else:
            self.github.unavailable(*writes)

    def limit(self, retry_after: int) -> None:
        self.github.rate_limited(retry_after)

    def heal(self) -> None:
        self.github.heal()


def _shown(known: FakeCheck) -> ShownCheck:
    check = known.check
    unfinished = "in_progress" if check.started else "queued"
    return ShownCheck(
        check.name,
        check.external_id,
        "completed" if check.conclusion else unfinished,
        check.conclusion and check.conclusion.value,
        check.title,
        check.summary,
        check.text,
        check.details_url,
        [
            (on.path, on.start_line, on.end_line, on.level.value, on.message, on.title)
            for on in known.annotations
        ],
        [(button.label, button.identifier, button.description) for button in check.buttons],
    )


class StandinStage:
    """The real adapter on the stand-in."""

    def __init__(self, github: GitHub, standin: Standin, there: StandinRepository) -> None:
        self.github = github
        self.repository = Repository(there.id, there.full_name, private=True, clone_url=there.clone_url)
        self._standin = standin
        self._there = there

    def open_pull(
        self, author: str, branch: str, files: Mapping[str, str], *, draft: bool = False, fork: bool = False
    ) -> int:
        self._there.permit(author, "read" if fork else "write")
        title = f"{branch} by {author}"
        opened = self._there.open_pull(
            author, branch=branch, files=files, title=title, draft=draft, fork=fork
        )
        return opened.number

    def close(self, number: int) -> None:
        self._pull(number).close("acme-admin")

    def label(self, number: int, name: str) -> None:
        self._pull(number).label("acme-admin", name)

    def push(self, branch: str, files: Mapping[str, str], *, onto: str | None = None) -> str:
        return self._there.push("acme-admin", files, branch=branch, onto=onto)

    def delete_branch(self, branch: str) -> None:
        self._there.delete_branch("acme-admin", branch)

    def share(self, path: str, text: str) -> None:
        shared = self._standin.find_repository(f"{self.repository.owner}/.github")
        shared.push("acme-admin", {path: text})

    def join(self, group: str, login: str, *, public: bool = False, pending: bool = False) -> None:
        organisation, _, team = group.partition("/")
        if team:
            self._standin.put_team_member(organisation, team, login, pending=pending)
        else:
            self._standin.put_member(organisation, login, public=public)

    def leave(self, group: str, login: str) -> None:
        organisation, _, team = group.partition("/")
        if team:
            self._standin.remove_team_member(organisation, team, login)
        else:
            self._standin.remove_member(organisation, login)

    def permit(self, login: str, role: Permission) -> None:
        self._there.permit(login, role.value)

    def comment(self, number: int, author: str, body: str) -> int:
        self._there.permit(author, "write")
        return self._pull(number).comment(author, body).id

    def delete_comment(self, number: int, comment_id: int) -> None:
        self._pull(number).delete_comment("acme-admin", comment_id)

    def bodies(self, number: int) -> list[str]:
        return [comment.body for comment in self._pull(number).comments()]

    def reactions(self, number: int, comment_id: int) -> list[str]:
        found = (comment for comment in self._pull(number).comments() if comment.id == comment_id)
        return next(found).reactions

    def statuses(self, sha: str) -> list[tuple[str, str, str, str]]:
        return [
            (status.context, status.state, status.description or "", status.target_url or "")
            for status in self._there.statuses(sha)
        ]

    def checks(self, sha: str) -> list[ShownCheck]:
        return [
            ShownCheck(
                each.name,
                each.external_id,
                each.status,
                each.conclusion,
                each.title or "",
                each.summary or "",
                each.text or "",
                each.details_url or "",
                [
                    (on.path, on.start_line, on.end_line, on.level, on.message, on.title or "")
                    for on in each.annotations
                ],
                [(button.label, button.identifier, button.description) for button in each.actions],
            )
            for each in self._there.check_runs(sha, every=True)
        ]

    def fail(self, *, executed: bool) -> None:
        for method in ("POST", "PATCH", "DELETE"):
            self._standin.fault(
                f"^/api/v3/repos/{self._there.full_name}/.*$", method=method, status=502, executed=executed
            )

    def limit(self, retry_after: int) -> None:
        self._standin.fault(
            f"^/api/v3/repos/{self._there.full_name}/",
            status=403,
            headers={"Retry-After": str(retry_after)},
            message="You have exceeded a secondary rate limit.",
        )

    def heal(self) -> None:
        self._standin.clear_faults()

    def _pull(self, number: int) -> Pull:
        return self._there.pull(number)
