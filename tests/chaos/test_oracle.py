from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.history import Comment, DagRun, Done, History, Mark, Pull
from tests.chaos.lives import (
    DEVELOPER,
    HEAD,
    LEAD,
    STRANGER,
    Base,
    Close,
    Draft,
    Label,
    Life,
    Open,
    Push,
    Reopen,
    Say,
)
from tests.chaos.oracle import judge
from tests.chaos.pipelines import Configuration, Pipeline

if TYPE_CHECKING:
    from tests.chaos.lives import What

OLD, NEW = "a" * 40, "b" * 40
BOT, MARKER = "preflight[bot]", "<!-- preflight chaos -->"
PIPELINES = {"unit": Pipeline(), "docs": Pipeline(folder="docs"), "nightly": Pipeline(manual=True)}
TEST = Say(DEVELOPER, "/test", "test")
OPENED = Open(draft=False, base="main", touches=("src/app.py",))


def run(pipeline: str = "unit", *, head: str = OLD, attempt: int = 1, **more: object) -> DagRun:
    name = f"preflight~chaos~home-0~app~1~{pipeline}~{head[:12]}~{attempt}"
    made = DagRun(name, f"{pipeline}-{head[0]}-{attempt}", pipeline, head, "main", "success")
    return replace(made, **more)  # type: ignore[arg-type] # what a test says of it


def comment(head: str = OLD, *rows: str, number: int = 90) -> Comment:
    return Comment(number, BOT, f"**All passed** for `{head[:7]}`\n\n" + "\n".join(rows) + f"\n\n{MARKER}\n")


GREEN = "| ✅ [`unit`](http://x) | passed | 1s |"
SKIPPED = "| ⏭️ `docs` | skipped |  |"


def done(*whats: What) -> tuple[Done, ...]:
    """What people did; the head changes with each push, comments are numbered from 1."""
    head, found = OLD, []
    for number, what in enumerate(whats):
        head = NEW if isinstance(what, Push) else head
        found.append(Done(what, float(number), head, number if isinstance(what, Say) else 0))
    return tuple(found)


def lived(*whats: What, **more: object) -> History:
    """A developer's pull request that was opened and passed; `more` is what else is so."""
    acts = done(OPENED, *whats)
    head = acts[-1].head
    comments = [
        Comment(one.comment_id, one.what.by, one.what.body, ("eyes",) if one.what.command else ())
        for one in acts
        if isinstance(one.what, Say)
    ]
    plain = History(
        where="home-0/app#1",
        life=Life(0, 0, DEVELOPER, ()),
        configuration=Configuration(PIPELINES),
        bot=BOT,
        marker=MARKER,
        done=acts,
        pull=Pull(open=True, draft=False, head=head, base="main"),
        comments=(*comments, comment(head, GREEN, SKIPPED)),
        runs=(run(head=head),),
        statuses={head: {"preflight/unit": Mark("success"), "preflight/docs": Mark("success", "skipped")}},
    )
    return replace(plain, **more)  # type: ignore[arg-type] # what a test says of it


def shows(head: str = OLD, docs: str = "success", **states: str) -> dict[str, dict[str, Mark]]:
    said = {"docs": docs} | states
    return {head: {f"preflight/{name}": MARKS.get(state, Mark(state)) for name, state in said.items()}}


MARKS = {
    "draft": Mark("pending", "waits until ready for review"),
    "stranger": Mark("pending", "waiting for /ok-to-test"),
}


STOPPED = run(state="failed", stopped=True)
CANCELLED = comment(OLD, "| 🚫 `unit` | cancelled |  |", SKIPPED)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(lived(), id="opened-and-passed"),
        pytest.param(
            lived(
                runs=(run(state="failed"),),
                statuses=shows(unit="failure"),
                comments=(comment(OLD, "| ❌ `unit` | failed | 1s |", SKIPPED),),
            ),
            id="failed",
        ),
        pytest.param(
            lived(Push(("src/app.py",)), runs=(replace(STOPPED, stopped=True), run(head=NEW))),
            id="a-push-stopped-the-older-run",
        ),
        pytest.param(
            lived(TEST, runs=(STOPPED, run(attempt=2, cause=1))), id="a-command-took-the-place-of-a-run"
        ),
        pytest.param(
            lived(TEST, runs=(run(cause=1),)), id="the-command-overtook-the-event-that-would-have-run-it"
        ),
        pytest.param(
            lived(Close(), Reopen(), runs=(STOPPED, run(attempt=2))), id="stopped-by-closing-and-run-again"
        ),
        pytest.param(
            lived(
                Say(LEAD, "/cancel", "cancel"),
                runs=(STOPPED,),
                statuses=shows(unit="error"),
                comments=(Comment(1, LEAD, "/cancel", ("eyes",)), CANCELLED),
            ),
            id="a-person-cancelled-it",
        ),
        pytest.param(
            lived(
                Close(),
                pull=Pull(open=False, draft=False, head=OLD, base="main"),
                runs=(STOPPED,),
                statuses=shows(unit="error"),
                comments=(CANCELLED,),
            ),
            id="closed-for-good",
        ),
        pytest.param(
            lived(
                Draft(on=True),
                pull=Pull(open=True, draft=True, head=OLD, base="main"),
                runs=(STOPPED,),
                statuses=shows(unit="draft"),
                comments=(comment(OLD, "| ⏸️ `unit` | waits |  |", SKIPPED),),
            ),
            id="a-draft-waits",
        ),
        pytest.param(
            lived(
                life=Life(0, 0, STRANGER, ()),
                runs=(),
                statuses=shows(unit="stranger"),
                comments=(comment(OLD, "| ⏸️ `unit` | waiting |  |", SKIPPED),),
            ),
            id="a-stranger-waits",
        ),
        pytest.param(
            lived(Say(LEAD, f"/ok-to-test {HEAD}", "ok-to-test"), life=Life(0, 0, STRANGER, ()),
                  runs=(run(cause=1),)),
            id="a-stranger-was-approved",
        ),
        pytest.param(lived(Say(LEAD, "Looks good.")), id="chatter-gets-no-answer"),
        pytest.param(lived(Label("later", on=True), Base("release"), Base("main")), id="there-and-back"),
    ],
)  # fmt: skip
def test_what_is_right(history: History) -> None:
    assert judge(history) == []


WRONG = {
    "nothing-runs-in-the-end": (lived(runs=(run(state="running"),)), "still runs"),
    "a-run-is-one-dag-run": (
        lived(runs=(run(run_id="x"), run(attempt=2, run_id="x"))),
        "run x was triggered 2 times",
    ),
    "a-comment-runs-a-pipeline-once": (
        lived(TEST, runs=(run(cause=1), run(attempt=2, cause=1))),
        "comment 1 had unit run 2 times",
    ),
    "by-itself-it-runs-once": (lived(runs=(run(), run(attempt=2))), "unit ran 2 times by itself"),
    "nobody-said-retest": (lived(runs=(run(tries=2),)), "was tried 2 times"),
    "strangers-need-approval": (
        lived(life=Life(0, 0, STRANGER, ())),
        "ran though nobody approved",
    ),
    "another-head-was-approved": (
        lived(Say(LEAD, f"/ok-to-test {HEAD}", "ok-to-test"), Push(()), life=Life(0, 0, STRANGER, ())),
        "ran though nobody approved",
    ),
    "a-command-is-obeyed": (
        lived(Say(DEVELOPER, "/test nightly", "test", ("nightly",))),
        "nothing came of comment 1, which asked for nightly",
    ),
    "what-applies-runs": (lived(runs=()), "preflight/unit at aaaaaaa shows success"),
    "what-was-stopped-runs-again": (
        lived(Close(), Reopen(), runs=(STOPPED,), statuses=shows(unit="error"), comments=(CANCELLED,)),
        "preflight/unit at aaaaaaa shows error",
    ),
    "green-though-red": (lived(runs=(run(state="failed"),)), "shows success (), not failure"),
    "the-last-run-counts": (
        lived(TEST, runs=(run(), run(attempt=2, cause=1, state="failed"))),
        "shows success (), not failure",
    ),
    "silent": (lived(statuses={}), "shows silent"),
    "nothing-is-pending": (
        lived(statuses=shows(unit="pending")),
        "preflight/unit is pending",
    ),
    "nor-at-an-older-head": (
        lived(
            Push(()),
            runs=(STOPPED, run(head=NEW)),
            statuses=shows(NEW, unit="success") | shows(OLD, unit="pending"),
        ),
        "preflight/unit is pending at aaaaaaa",
    ),
    "a-command-is-answered": (
        lived(
            TEST,
            runs=(run(cause=1),),
            comments=(Comment(1, DEVELOPER, "/test"), comment(OLD, GREEN, SKIPPED)),
        ),
        "comment 1 was not answered",
    ),
    "one-answer": (
        lived(
            TEST,
            runs=(run(cause=1),),
            comments=(
                Comment(1, DEVELOPER, "/test", ("eyes",)),
                comment(OLD, GREEN, SKIPPED),
                Comment(8, BOT, "<!-- preflight reply 1 -->"),
                Comment(9, BOT, "<!-- preflight reply 1 -->"),
            ),
        ),
        "comment 1 got 2 replies",
    ),
    "chatter-was-answered": (
        lived(
            Say(LEAD, "Fine."),
            comments=(Comment(1, LEAD, "Fine.", ("eyes",)), comment(OLD, GREEN, SKIPPED)),
        ),
        "gives no command, and was answered",
    ),
    "one-comment": (
        lived(comments=(comment(OLD, GREEN, SKIPPED), comment(OLD, GREEN, SKIPPED, number=91))),
        "2 comments are about the runs",
    ),
    "a-comment": (lived(comments=()), "no comment is about the runs"),
    "no-others": (
        lived(comments=(comment(OLD, GREEN, SKIPPED), Comment(9, BOT, "Hello?"))),
        "neither about the runs nor answers anybody",
    ),
    "of-this-head": (lived(comments=(comment(NEW, GREEN, SKIPPED),)), "the comment is not about aaaaaaa"),
    "that-agrees": (
        lived(comments=(comment(OLD, "| ❌ `unit` | failed | 1s |", SKIPPED),)),
        "the comment says failure of unit",
    ),
}


@pytest.mark.parametrize(
    ("history", "violation"), [pytest.param(*case, id=name) for name, case in WRONG.items()]
)
def test_what_is_wrong(history: History, violation: str) -> None:
    assert any(violation in found for found in judge(history)), judge(history)


def test_a_history_tells_itself() -> None:
    told = lived(TEST, Push(("docs/a.md",))).told()
    for words in (
        "opened src/app.py into main",
        "developer: /test",
        "pushed docs/a.md",
        "by itself",
        "skipped",
    ):
        assert words in told
