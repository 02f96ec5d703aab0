"""Check runs, and what GitHub takes of them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from github.CheckRun import CheckRun
from github.GithubObject import NotSet
from github.PaginatedList import PaginatedList

from bot.errors import GitHubRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from github.GithubObject import Opt
    from github.Repository import Repository as GitHubRepository

    from bot.models import Annotation, Check

MOST_ANNOTATIONS = 50
"""Of one request."""

LARGEST_TEXT = 65_535
"""Bytes of a summary and of a text: GitHub's documentation says characters, its answers say "bytesize"."""

LARGEST_MESSAGE = 65_535
"""Bytes of an annotation's message: the documentation says 64 KB."""

LONGEST_TITLE = 255
"""Characters of an annotation's title. A check run's own is not documented, and held to the same."""

MOST_BUTTONS = 3
LONGEST_LABEL = 20
LONGEST_IDENTIFIER = 20
LONGEST_BUTTON_DESCRIPTION = 40


def create(there: GitHubRepository, sha: str, check: Check) -> int:
    """Create a check run and return its id. One request."""
    return there.create_check_run(head_sha=sha, **_shown(check)).id


def update(there: GitHubRepository, check_id: int, check: Check, annotations: Sequence[Annotation]) -> None:
    """Have it show this, and append annotations. One request."""
    shown = _shown(check)
    if annotations:
        shown["output"]["annotations"] = [_written(annotation) for annotation in annotations]
    _at(there, check_id).edit(**shown)


def find(there: GitHubRepository, sha: str, check: Check, app_id: int) -> int | None:
    """The newest of that name and external id that the App made. One request for each 100 of that name."""
    of_that_name = PaginatedList(
        CheckRun,
        there.requester,
        f"{there.url}/commits/{sha}/check-runs",
        {"check_name": check.name, "filter": "all", "app_id": app_id},
        list_item="check_runs",
    )
    return max((run.id for run in of_that_name if run.external_id == check.external_id), default=None)


def annotation_count(there: GitHubRepository, check_id: int) -> int:
    """How many it has. One request."""
    return _at(there, check_id).output.annotations_count


def no_app() -> GitHubRefused:
    """What GitHub would say."""
    return GitHubRefused("only a GitHub App may write check runs, and we have a personal token")


def check_limits(check: Check, annotations: Sequence[Annotation] = ()) -> None:
    """Raise GitHubRefused for what GitHub would not take, with which nothing need be sent."""
    for what, length, most in _lengths(check, annotations):
        if length > most:
            raise GitHubRefused(f"the check run {check.name} has {what} of {length}: GitHub takes {most}")
    for each in annotations:
        if not 1 <= each.start_line <= each.end_line:
            raise GitHubRefused(f"{each.path} has no lines {each.start_line} to {each.end_line} to annotate")


def _lengths(check: Check, annotations: Sequence[Annotation]) -> Iterator[tuple[str, int, int]]:
    """What has a limit: its name, how long it is and may be, in characters if nothing else is said."""
    yield "a title", len(check.title), LONGEST_TITLE
    yield "a summary in bytes", len(check.summary.encode()), LARGEST_TEXT
    yield "a text in bytes", len(check.text.encode()), LARGEST_TEXT
    yield "a number of buttons", len(check.buttons), MOST_BUTTONS
    for button in check.buttons:
        yield "a button's label", len(button.label), LONGEST_LABEL
        yield "a button's identifier", len(button.identifier), LONGEST_IDENTIFIER
        yield "a button's description", len(button.description), LONGEST_BUTTON_DESCRIPTION
    for annotation in annotations:
        yield "an annotation's message in bytes", len(annotation.message.encode()), LARGEST_MESSAGE
        yield "an annotation's title", len(annotation.title), LONGEST_TITLE


def _shown(check: Check) -> dict[str, Any]:
    """A check run as PyGithub wants it; what it no longer has is taken away."""
    completed = check.conclusion is not None
    return {
        "name": check.name,
        "external_id": check.external_id,
        "details_url": check.details_url or NotSet,
        "status": "completed" if completed else "in_progress" if check.started else "queued",
        "conclusion": NotSet if check.conclusion is None else check.conclusion.value,
        "started_at": _moment(check.started_at),
        # Of one that is not completed GitHub would want the conclusion.
        "completed_at": _moment(check.completed_at) if completed else NotSet,
        "output": {"title": check.title, "summary": check.summary, "text": check.text},
        "actions": [
            {"label": each.label, "identifier": each.identifier, "description": each.description}
            for each in check.buttons
        ],
    }


def _moment(moment: datetime | None) -> Opt[datetime]:
    """In UTC: PyGithub writes a "Z" behind whatever hour there is."""
    return NotSet if moment is None else moment.astimezone(UTC)


def _written(annotation: Annotation) -> dict[str, str | int]:
    written: dict[str, str | int] = {
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": annotation.end_line,
        "annotation_level": annotation.level.value,
        "message": annotation.message,
    }
    return {**written, "title": annotation.title} if annotation.title else written


def _at(there: GitHubRepository, check_id: int) -> CheckRun:
    return CheckRun(there.requester, url=f"{there.url}/check-runs/{check_id}")
