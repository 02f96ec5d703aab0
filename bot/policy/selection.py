"""Whether a pipeline applies to a pull request or branch: by its event, branch, labels and changed files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from bot.models import PullRequest
from bot.policy.changes import Changes
from bot.policy.configuration.globs import branch_glob, path_glob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.models import ChangedFiles, Subject
    from bot.policy.configuration import Pipeline

NO_FILES = "no matching files"


def listens(pipeline: Pipeline, event: str) -> bool:
    """Whether the pipeline runs on that event of GitHub's (pull_request, merge_group or push)."""
    return event in pipeline.on


def skip_reason(pipeline: Pipeline, subject: Subject, changed: Callable[[], ChangedFiles]) -> str | None:
    """Why the pipeline does not apply, in few words for behind "skipped: "; None if it does.

    `changed` is only called where it matters. Labels are a pull request's: a branch or merge group has none,
    and is not asked for any.
    """
    if not _branch_applies(pipeline, subject.base_ref):
        return f"not for branch {subject.base_ref}"
    if pipeline.labels is not None and isinstance(subject, PullRequest):
        wanted = {label.casefold() for label in pipeline.labels}  # GitHub's labels ignore letter case
        if not any(label.casefold() in wanted for label in subject.labels):
            return f"no label {' or '.join(pipeline.labels)}"
    if pipeline.paths is None and pipeline.paths_ignore is None:
        return None
    return None if _files_apply(pipeline, changed()) else NO_FILES


def _branch_applies(pipeline: Pipeline, branch: str) -> bool:
    if pipeline.branches is not None and not _any_branch(pipeline.branches, branch):
        return False
    return pipeline.branches_ignore is None or not _any_branch(pipeline.branches_ignore, branch)


def _any_branch(patterns: Sequence[str], branch: str) -> bool:
    """Whether the patterns match the branch: of those that do, the last one counts."""
    matching = (glob for glob in map(branch_glob, reversed(patterns)) if glob.matches(branch))
    last = next(matching, None)
    return last is not None and not last.negative


def _files_apply(pipeline: Pipeline, changed: ChangedFiles) -> bool:
    """Whether a changed file counts: it matches `paths`, if given, and not `paths_ignore`."""
    if not changed.complete:
        return True
    changes = _changes(_Same(changed.paths))
    files = changes.all
    if pipeline.paths is not None:
        files = changes.matching(path_glob(pattern) for pattern in pipeline.paths)
    if pipeline.paths_ignore is not None and files:
        files &= ~changes.matching(path_glob(pattern) for pattern in pipeline.paths_ignore)
    return bool(files)


class _Same:
    """Paths that are equal where they are the same object: to compare thousands takes too long."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths

    def __hash__(self) -> int:
        return id(self.paths)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.paths is other.paths


@lru_cache(maxsize=8)
def _changes(same: _Same) -> Changes:
    """A decision asks about each pipeline in turn, and again for each fact that it misses."""
    return Changes(same.paths)
