"""What a context may show in the end: which states are right for a pipeline at the final head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.history import Mark
from tests.chaos.lives import TRUSTED, Base, Open

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.history import DagRun, Done, History
    from tests.chaos.lives import Say

PASSED, FAILED, STOPPED, PENDING, SILENT = "success", "failure", "error", "pending", "silent"
PREFIX = "preflight/"


def shown(marks: Mapping[str, Mark], name: str) -> Mark:
    """What the pipeline's context shows."""
    return marks.get(PREFIX + name, Mark(SILENT))


def expected(history: History, name: str) -> set[str]:
    """The states that are right; an empty set if only a run would be."""
    runs = runs_at_head(history, name)
    found = _of_run(history, name, runs[-1]) if runs else _without_run(history, name)
    return found | _of_others(history, name)


def expected_at_older(history: History, head: str, name: str, *, is_check: bool) -> set[str]:
    """The states that are right at a head that was left behind, whatever the pull request was like then."""
    pipeline = history.configuration.pipelines[name]
    ended = {
        run.state for run in history.runs if (run.pipeline, run.head) == (name, head) and not run.stopped
    }
    found = {STOPPED, PENDING, SILENT}
    if "success" in ended or _may_have_been_skipped(history, head, name):
        found.add(PASSED)
    # A check run has one word for what failed and what could not run: its needs failed, the base is another.
    if "failed" in ended or (is_check and (pipeline.needs or _rebased(history))):
        found.add(FAILED)
    return found


def _may_have_been_skipped(history: History, head: str, name: str) -> bool:
    """Whether it did not apply with some base and labels that the pull request had."""
    pipeline, files = history.configuration.pipelines[name], history.files_at(head)
    bases = {
        done.what.branch if isinstance(done.what, Base) else done.what.base
        for done in history.done
        if isinstance(done.what, Open | Base)
    }
    # It was opened without a label, so what wants one may have been skipped at any head.
    return not pipeline.manual and any(not pipeline.applies(base, (), files) for base in bases)


def _rebased(history: History) -> bool:
    return any(isinstance(done.what, Base) for done in history.done)


def runs_at_head(history: History, name: str) -> list[DagRun]:
    """The pipeline's DAG runs for what the pull request is now, the last one last."""
    pull = history.pull
    found = [
        run for run in history.runs if (run.pipeline, run.head, run.base) == (name, pull.head, pull.base)
    ]
    return sorted(found, key=lambda run: run.attempt)


def _of_run(history: History, name: str, run: DagRun) -> set[str]:
    """How the last run ended; where a newer one was stopped before it got to Airflow, that."""
    if run.state == "success":
        found = {PASSED}
    elif run.stopped:
        found = {STOPPED} if _may_stay_stopped(history, name) else set()
    else:
        found = {FAILED}
    if _somebody_cancelled(history) or not history.pull.open:
        found.add(STOPPED)
    return found | ({PENDING} if _held_as_draft(history, name) else set())


def _may_stay_stopped(history: History, name: str) -> bool:
    """Whether a stopped run is the end: nothing starts it again, or a person stopped it."""
    pull, pipeline = history.pull, history.configuration.pipelines[name]
    again = pipeline.applies(pull.base, pull.labels, history.files) and pull.open
    return not again or pull.draft or _somebody_cancelled(history)


def _without_run(history: History, name: str) -> set[str]:
    """What is shown where nothing ran."""
    pull, pipeline = history.pull, history.configuration.pipelines[name]
    if not pull.open:  # then nobody looks again, not even at another base
        elsewhere = any((run.pipeline, run.head) == (name, pull.head) for run in history.runs)
        return {PASSED, STOPPED, PENDING, SILENT} | ({FAILED} if elsewhere else set())
    found = {STOPPED} if _somebody_cancelled(history) else set()
    if not pipeline.applies(pull.base, pull.labels, history.files):
        return found | ({SILENT} if pipeline.manual else {PASSED})
    if _held_as_draft(history, name) or not _surely_trusted(history):
        found.add(PENDING)
    return found


def _of_others(history: History, name: str) -> set[str]:
    """What else may have decided it: the pipeline that it needs, or a base that it ran for before."""
    pull, pipeline = history.pull, history.configuration.pipelines[name]
    needed = runs_at_head(history, pipeline.needs) if pipeline.needs else []
    unfit = pipeline.needs and (
        not needed or any(run.state != "success" for run in needed) or _somebody_cancelled(history)
    )
    found = {STOPPED} if unfit else set()
    elsewhere = any(
        (run.pipeline, run.head) == (name, pull.head) and run.base != pull.base for run in history.runs
    )
    if pipeline.manual and _rebased(history) and elsewhere:
        found.add(STOPPED)
    return found


def _held_as_draft(history: History, name: str) -> bool:
    return history.pull.draft and not history.configuration.pipelines[name].drafts


def _somebody_cancelled(history: History) -> bool:
    return any(say.by in TRUSTED or say.by == history.life.author for _, say in history.said("cancel"))


def _surely_trusted(history: History) -> bool:
    """Whether nothing keeps the head from running; closed after an approval, that may have come too late."""
    return history.life.trusted or any(_approves(history, *said) for said in history.said("ok-to-test"))


def _approves(history: History, done: Done, say: Say) -> bool:
    return say.by in TRUSTED and done.head == history.pull.head and history.was_open_since(done)
