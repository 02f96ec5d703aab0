"""Whether a pipeline cares about what a pull request changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from bot.models import ChangedFiles
    from bot.policy.configuration import Pipeline


def needs_files(pipeline: Pipeline) -> bool:
    """Whether the pipeline has to know the changed files to tell."""
    return pipeline.paths is not None


def applies(pipeline: Pipeline, changed: ChangedFiles) -> bool:
    """Whether a changed file matches the pipeline's paths; a list that GitHub cut matches everything."""
    if pipeline.paths is None or not changed.complete:
        return True
    spec = GitIgnoreSpec.from_lines(pipeline.paths)
    return any(spec.match_file(path) for path in changed.paths)
