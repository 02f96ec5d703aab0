"""A repository on the stand-in GitHub, and the adapter through which tests see it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from bot.models import PullRequest, Repository, Status, StatusState
from tests.adapters.github_answering import PULL

if TYPE_CHECKING:
    from bot.adapters.github import GitHubClient
    from tests.github_standin import Pull, Standin
    from tests.github_standin import Repository as StandinRepository

MARKER = "<!-- preflight -->"
NUMBERS = itertools.count(1)
"""So that nothing that a test makes has the name of another test's."""
PENDING = Status("preflight/unit", StatusState.PENDING, "queued")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class There(NamedTuple):
    """A repository with one pull request, and a fresh adapter to see it through."""

    standin: Standin
    repository: StandinRepository
    pull: Pull
    github: GitHubClient
    clock: Clock

    @property
    def known(self) -> Repository:
        """The repository as the bot knows it."""
        return Repository(self.repository.id, self.repository.full_name)

    @property
    def sha(self) -> str:
        """The pull request's head."""
        return self.pull.head_sha

    @property
    def view(self) -> PullRequest:
        """The pull request as the bot knows it."""
        return replace(PULL, repository=self.known, number=self.pull.number, head_sha=self.sha)

    def requests(self, mark: int) -> list[str]:
        """Method and path, below the repository's, of what was asked since a mark."""
        return [f"{each.method} {each.path}" for each in self.standin.requests(mark)]
