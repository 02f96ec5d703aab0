"""The fake GitHub's check runs, for which it must be told that we are an App."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import GitHubRefused
from tests.fakes.github_tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Annotation, Check, Repository

MOST_ANNOTATIONS = 50
LARGEST_TEXT = 65_535
LONGEST_TITLE = 255


@dataclass
class FakeCheck:
    """A check run: what it shows now, every state that it was given, and its annotations."""

    id: int
    repository_id: int
    sha: str
    check: Check
    history: list[Check] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)


class FakeChecks(FakeTokens):
    """Fulfils CheckWriter. `is_app` says whether our credentials are an App's: no, unless a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.checks: dict[int, FakeCheck] = {}
        self.lines: dict[tuple[int, int, str], Mapping[str, Sequence[range]]] = {}

    # Controls

    def put_lines(
        self, repository: Repository, number: int, sha: str, lines: Mapping[str, Sequence[range]]
    ) -> None:
        """What a pull request's diff shows of a head; it shows nothing of others."""
        with self.lock:
            self.lines[repository.id, number, sha] = lines

    def remove_check(self, check_id: int) -> None:
        """Let a check run be gone, as GitHub does with the oldest ones."""
        with self.lock:
            del self.checks[check_id]

    def checks_at(self, repository: Repository, sha: str) -> list[FakeCheck]:
        """The check runs of a commit, oldest first."""
        with self.lock:
            return [
                each
                for each in self.checks.values()
                if (each.repository_id, each.sha) == (repository.id, sha)
            ]

    # CheckWriter

    def can_check(self) -> bool:
        """Whether our credentials are an App's."""
        return self.is_app

    def create_check(self, repository: Repository, sha: str, check: Check) -> int:
        """Create a check run and return its id."""
        with self.call("create_check", repository, sha, check):
            self._check_taken(check, ())
            if (repository.id, sha) not in self.commits:
                raise GitHubRefused(f"there is no commit {sha} in {repository.full_name}")
            made = FakeCheck(next(self.ids), repository.id, sha, check, [check])
            self.checks[made.id] = made
            return made.id

    def update_check(
        self, repository: Repository, check_id: int, check: Check, annotations: Sequence[Annotation] = ()
    ) -> None:
        """Have it show this, and append annotations."""
        if len(annotations) > MOST_ANNOTATIONS:
            raise ValueError(f"GitHub takes {MOST_ANNOTATIONS} annotations a request")
        with self.call("update_check", repository, check_id, check, tuple(annotations)):
            self._check_taken(check, annotations)
            known = self.found(self.checks, check_id)
            known.check = check
            known.history.append(check)
            known.annotations += annotations

    def find_check(self, repository: Repository, sha: str, check: Check) -> int | None:
        """The id of our newest check run of that name and external id at the commit, else None."""
        with self.call("find_check", repository, sha, check):
            self._check_app()
            wanted = (check.name, check.external_id)
            found = [
                each.id
                for each in self.checks_at(repository, sha)
                if (each.check.name, each.check.external_id) == wanted
            ]
            return max(found, default=None)

    def annotation_count(self, repository: Repository, check_id: int) -> int:
        """How many annotations the check run has."""
        with self.call("annotation_count", repository, check_id):
            return len(self.found(self.checks, check_id).annotations)

    def changed_lines(self, repository: Repository, number: int, sha: str) -> Mapping[str, Sequence[range]]:
        """The lines that the pull request's diff shows of that head."""
        with self.call("changed_lines", repository, number, sha):
            return self.lines.get((repository.id, number, sha), {})

    def _check_app(self) -> None:
        if not self.is_app:
            raise GitHubRefused("only a GitHub App may write check runs")

    def _check_taken(self, check: Check, annotations: Sequence[Annotation]) -> None:
        self._check_app()
        buttons = check.buttons
        texts = [check.summary, check.text, *(each.message for each in annotations)]
        titles = [check.title, *(each.title for each in annotations)]
        taken = (
            all(len(text.encode()) <= LARGEST_TEXT for text in texts)
            and all(len(title) <= LONGEST_TITLE for title in titles)
            and len(buttons) <= 3
            and all(max(len(each.label), len(each.identifier)) <= 20 for each in buttons)
            and all(len(each.description) <= 40 for each in buttons)
            and all(1 <= each.start_line <= each.end_line for each in annotations)
        )
        if not taken:
            raise GitHubRefused(f"the check run {check.name} is more than GitHub takes")
