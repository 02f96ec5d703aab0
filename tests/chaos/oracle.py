"""Whether a pull request shows exactly what its history demands; each sentence that it yields is a violation.

It knows what people did, what GitHub shows, what Airflow ran and what preflight.yaml says, and works out anew
what must have come of it. Nothing here is the bot's. Where events may overtake one another (a comment on its
way while somebody pushes) several ends are right; then it holds to what all of them have in common.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.chaos.lives import TRUSTED, Base, Close, Draft, Push
from tests.chaos.oracle_contexts import PREFIX, expected, expected_at_older, shown
from tests.chaos.oracle_words import comments_fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.chaos.history import Done, History, Marks

WAITS = ("waiting for /ok-to-test", "waits until ready for review")
"""What may be pending for ever: somebody has to say a word first."""


def judge(history: History) -> list[str]:
    """All violations."""
    return [violation for rule in RULES for violation in rule(history)]


def runs_are_over(history: History) -> Iterator[str]:
    """Nothing runs in the end: what was superseded is stopped, whatever it was doing."""
    for run in history.runs:
        if not run.over:
            yield f"{run.name} still runs ({run.state})"


def no_run_twice(history: History) -> Iterator[str]:
    """A run of the bot's is one DAG run, and one comment has a pipeline run once."""
    for run_id, times in Counter(run.run_id for run in history.runs).items():
        if times > 1:
            yield f"run {run_id[:6]} was triggered {times} times"
    asked = Counter((run.cause, run.pipeline) for run in history.runs if run.cause)
    for (cause, pipeline), times in asked.items():
        if times > 1:
            yield f"comment {cause} had {pipeline} run {times} times"


def none_by_itself_twice(history: History) -> Iterator[str]:
    """What runs by itself does so once for a head and base, and once more after each event that stops it."""
    by_itself = Counter((run.pipeline, run.head, run.base) for run in history.runs if not run.cause)
    for (pipeline, head, base), times in by_itself.items():
        stops = sum(_stops(done) for done in history.done if done.head == head)
        if times > 1 + stops:
            where = f"{head[:7]} into {base}"
            yield f"{pipeline} ran {times} times by itself at {where}, which {stops} events stopped"


def _stops(done: Done) -> bool:
    return isinstance(done.what, Close | Base) or (isinstance(done.what, Draft) and done.what.on)


def nothing_resumed_unasked(history: History) -> Iterator[str]:
    """No step is tried again but by /retest."""
    asked = len(list(history.said("retest")))
    for run in history.runs:
        if run.tries > 1 + asked:
            yield f"{run.name} was tried {run.tries} times, and only {asked} comments said /retest"


def only_trusted_heads(history: History) -> Iterator[str]:
    """A stranger's head runs only once somebody named it."""
    approved = {done.head for done, say in history.said("ok-to-test") if say.by in TRUSTED}
    if history.life.trusted:
        return
    for run in history.runs:
        if run.head not in approved:
            yield f"{run.name} ran though nobody approved {run.head[:7]}"


def asked_for_runs_are_there(history: History) -> Iterator[str]:
    """The last word of a person is obeyed: what /test names runs, unless something came after it."""
    if not history.life.trusted:
        return
    for name, pipeline in history.configuration.pipelines.items():
        asking = [
            (done, say)
            for done, say in history.said("test")
            if (name in say.names and (not pipeline.manual or say.by in TRUSTED))
            or (not say.names and pipeline.applies(history.pull.base, history.pull.labels, history.files))
        ]
        if not asking or pipeline.needs or not history.was_open_since(asking[-1][0]):
            continue  # what needs another one may wait for that, or be told that it failed
        if any(_disturbs(done) for done in history.after(asking[-1][0])):
            continue
        causes = {done.comment_id for done, _ in asking}
        if not _cancelled_late(history) and not any(
            run.cause in causes and run.pipeline == name and run.head == history.pull.head
            for run in history.runs
        ):
            yield f"nothing came of comment {asking[-1][0].comment_id}, which asked for {name}"


def _disturbs(done: Done) -> bool:
    return isinstance(done.what, Push | Base | Close | Draft)


def _cancelled_late(history: History) -> bool:
    """Whether somebody said /cancel at all: its delivery may have come after any other."""
    return any(True for _ in history.said("cancel"))


def contexts_are_right(history: History) -> Iterator[str]:
    """Each context at the final head says how the last run there ended, or why there is none."""
    for name in history.configuration.pipelines:
        may_be = expected(history, name)
        for form, marks in _forms(history, history.pull.head).items():
            mark = shown(marks, name)
            if mark.state not in may_be | (
                {"failure"} if form == "check run" and "error" in may_be else set()
            ):
                yield (
                    f"{form} preflight/{name} at {history.pull.head[:7]} shows {mark.state} ({mark.words}), "
                    f"not {' or '.join(sorted(may_be))}"
                )


def old_contexts_are_right(history: History) -> Iterator[str]:
    """A head that was left behind shows no result that nothing there had."""
    for head in history.heads:
        for name in history.configuration.pipelines:
            for form, marks in _forms(history, head).items():
                mark = shown(marks, name)
                if head != history.pull.head and mark.state not in expected_at_older(
                    history, head, name, is_check=form == "check run"
                ):
                    yield (
                        f"{form} preflight/{name} at {head[:7]} shows {mark.state} ({mark.words}), "
                        "which nothing at that older head came to"
                    )


def nothing_else_is_shown(history: History) -> Iterator[str]:
    """Pipelines that there are, in the forms asked for. No life changes preflight.yaml."""
    known = {PREFIX + name for name in history.configuration.pipelines}
    for head in history.heads:
        wanted = _forms(history, head)
        for form, marks in _all_forms(history, head).items():
            if unasked := sorted(set(marks) - (known if form in wanted else set())):
                yield f"{head[:7]} shows a {form} that nobody asked for: {', '.join(unasked)}"


def check_runs_are_single(history: History) -> Iterator[str]:
    """None is there twice, and none is in progress below a newer one of its name."""
    for head, every in history.every_check.items():
        newest = {one.name: one for one in every}
        for one in every:
            if not one.over and one is not newest[one.name]:
                yield f"a check run {one.name} at {head[:7]} is hidden by a newer one, and not completed"
        for (name, external_id), times in Counter((one.name, one.external_id) for one in every).items():
            others = sum(one.name == name and one.external_id != external_id for one in every)
            # What is about no run may come again: after a run, and once its last word was taken back.
            again = others + _waits(history) if external_id.endswith("::") else 0
            if times > 1 + again:
                yield f"{times} check runs {name} at {head[:7]} are about the same ({external_id})"


def _waits(history: History) -> int:
    """How often a check run without a run may have gone from its last word to waiting for somebody's."""
    drafts = any(isinstance(done.what, Draft) for done in history.done)
    return len(history.done) if drafts or not history.life.trusted else 0


def _forms(history: History, head: str) -> dict[str, Marks]:
    """Those that results should stand in."""
    wanted = {"statuses": ("status",), "checks": ("check run",), "both": ("status", "check run")}
    forms = _all_forms(history, head)
    return {form: forms[form] for form in wanted[history.configuration.shown_as]}


def _all_forms(history: History, head: str) -> dict[str, Marks]:
    return {"status": history.statuses.get(head, {}), "check run": history.checks.get(head, {})}


def old_heads_are_settled(history: History) -> Iterator[str]:
    """No head that was left behind waits for anything but a word of somebody's."""
    for marks in (history.statuses, history.checks):
        for sha, contexts in marks.items():
            for context, mark in contexts.items():
                if mark.state == "pending" and not mark.words.startswith(WAITS):
                    yield f"{context} is pending at {sha[:7]}: {mark.words}"


def commands_are_answered(history: History) -> Iterator[str]:
    """Each command gets its reaction once, and one reply at most; what is none gets nothing."""
    comments = {comment.id: comment for comment in history.comments}
    for done, say in history.said():
        seen = comments[done.comment_id].reactions.count("eyes") if done.comment_id in comments else 0
        replies = sum(f"<!-- preflight reply {done.comment_id} -->" in one.body for one in history.comments)
        if not say.command or not history.is_open_at(done):
            if seen or replies:
                yield f"comment {done.comment_id} gives no command, and was answered"
        elif history.was_open_since(done):
            if not seen:
                yield f"comment {done.comment_id} was not answered: {say.body}"
            if say.replied and not replies:
                yield f"comment {done.comment_id} got no reply: {say.body}"
        if replies > 1:
            yield f"comment {done.comment_id} got {replies} replies"


RULES: Sequence[Callable[[History], Iterator[str]]] = (
    runs_are_over,
    no_run_twice,
    none_by_itself_twice,
    nothing_resumed_unasked,
    only_trusted_heads,
    asked_for_runs_are_there,
    contexts_are_right,
    old_contexts_are_right,
    nothing_else_is_shown,
    check_runs_are_single,
    old_heads_are_settled,
    commands_are_answered,
    comments_fit,
)
