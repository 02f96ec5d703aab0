"""Remarks beside the changed lines: failing tests, and what compilers and linters say of a file's line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import Annotation, AnnotationLevel, Outcome, Phase, StepState
from bot.prose import elide, one_line, strip_codes
from bot.report.checks.diagnostics import diagnostics
from bot.report.comments.rows import step_name
from bot.report.logs.redacted import redacted_run
from bot.report.statuses.description import without_astral

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.models import Run, Step

MOST = 200
BATCH = 50
"""So many GitHub takes with one request."""

TITLE_LIMIT = 200  # of 255
MESSAGE_LIMIT = 2_000  # of 64 KB


@dataclass(frozen=True, slots=True)
class Remark:
    """An annotation whose `path` is still as a tool wrote it: absolute, or below some workspace."""

    path: str
    line: int
    level: AnnotationLevel
    message: str
    title: str


def remarks(run: Run, secrets: Sequence[str] = ()) -> list[Remark]:
    """What a finished run has to say about lines of files, by what matters: errors first, warnings last.

    What failed in a run that was cancelled is not the change's fault.
    """
    if run.phase is not Phase.FINISHED or run.outcome is Outcome.CANCELLED:
        return []
    steps = [step for step in redacted_run(run, secrets).steps if step.state is StepState.FAILED]
    found = [remark for step in steps for remark in _of(step)]
    return sorted(found, key=lambda remark: remark.level is AnnotationLevel.WARNING)


def annotate(found: Iterable[Remark], changed: Mapping[str, Sequence[range]]) -> list[Annotation]:
    """The remarks on lines that the diff shows, at most 200; `changed` has them by file."""
    kept: dict[tuple[str, int, str], Annotation] = {}
    for remark in found:
        path = repository_path(remark.path, changed)
        if path is None or not any(remark.line in lines for lines in changed[path]):
            continue
        annotation = Annotation(
            path, remark.line, remark.line, remark.level, _text(remark.message), _title(remark.title)
        )
        kept.setdefault((path, remark.line, annotation.message), annotation)
        if len(kept) == MOST:
            break
    return list(kept.values())


def repository_path(path: str, files: Iterable[str]) -> str | None:
    """The one file that is meant: tools write absolute paths, or paths below the folder that they ran in.

    None where none fits, or more than one.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return None
    fitting = []
    for file in files:
        other = file.split("/")
        if other == parts:
            return file
        short = min(len(other), len(parts))
        if other[-short:] == parts[-short:]:
            fitting.append(file)
    return fitting[0] if len(fitting) == 1 else None


def _of(step: Step) -> list[Remark]:
    """What a failed step says; where a test failed, its log repeats what the test said."""
    tests = list(_tests(step))
    told = {(_file_name(remark.path), remark.line) for remark in tests}
    log = (remark for remark in _diagnostics(step) if (_file_name(remark.path), remark.line) not in told)
    return [*tests, *log]


def _tests(step: Step) -> Iterator[Remark]:
    tests = step.result.tests if step.result else None
    for failure in tests.failures if tests else ():
        if failure.file and failure.line:
            yield Remark(failure.file, failure.line, AnnotationLevel.FAILURE, failure.message, failure.name)


def _diagnostics(step: Step) -> Iterator[Remark]:
    for found in diagnostics(step.excerpt or ()):
        level = AnnotationLevel.WARNING if found.warning else AnnotationLevel.FAILURE
        yield Remark(found.path, found.line, level, found.message, step_name(step))


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _text(message: str) -> str:
    """GitHub shows it as it is, line by line, and takes no empty one."""
    return elide(strip_codes(message).strip(), MESSAGE_LIMIT) or "failed"


def _title(title: str) -> str:
    return elide(without_astral(one_line(title)), TITLE_LIMIT)
