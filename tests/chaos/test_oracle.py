from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.history import Check, Comment, DagRun, Done, History, Mark, Pull
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
LIFE = Life(0, 0, DEVELOPER, ())
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


def pushed(runs: tuple[DagRun, ...] = (), **states: str) -> History:
    """A second head that passed, and what ran and is shown at the first."""
    return lived(
        Push(()),
        runs=(*runs, run(head=NEW)),
        statuses=shows(NEW, unit="success") | shows(OLD, **states),
    )


def checked(*every: Check, life: Life = LIFE, whats: tuple[What, ...] = ()) -> History:
    """Results stand in check runs; these are all that there ever were."""
    return lived(
        *whats,
        life=life,
        runs=(run(cause=1),),
        configuration=Configuration(PIPELINES, "checks"),
        checks=shows(unit="success"),
        statuses={},
        every_check={OLD: every},
    )


UNIT, DOCS = "preflight/unit", "preflight/docs"
FIRST, RESUMED = Check(UNIT, "1:abc:"), Check(UNIT, "1:abc:1700000000")
SKIP, APPROVED = Check(DOCS, "1::"), Say(LEAD, f"/ok-to-test {HEAD}", "ok-to-test")
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
        pytest.param(pushed((run(),), unit="success"), id="an-older-head-passed"),
        pytest.param(pushed((run(state="failed"),), unit="failure"), id="an-older-head-failed"),
        pytest.param(pushed((STOPPED,), unit="error"), id="an-older-head-was-stopped"),
        pytest.param(pushed(docs="success"), id="an-older-head-skipped-what-it-did-not-change"),
        pytest.param(checked(FIRST, SKIP), id="a-check-run-for-each"),
        pytest.param(checked(FIRST, RESUMED), id="a-run-that-goes-on-has-a-new-check-run"),
        pytest.param(checked(SKIP, Check(DOCS, "1:abc:"), SKIP), id="skipped-run-by-name-and-skipped"),
        pytest.param(
            checked(SKIP, SKIP, life=Life(0, 0, STRANGER, ()), whats=(APPROVED,)),
            id="its-last-word-was-taken-back",
        ),
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
    "an-older-head-is-green-though-red": (
        pushed((run(state="failed"),), unit="success"),
        "status preflight/unit at aaaaaaa shows success (), which nothing at that older head came to",
    ),
    "an-older-head-is-green-and-nothing-ran": (pushed(unit="success"), "at aaaaaaa shows success"),
    "an-older-head-is-red-though-stopped": (pushed((STOPPED,), unit="failure"), "at aaaaaaa shows failure"),
    "an-older-head-is-red-though-green": (pushed((run(),), unit="failure"), "at aaaaaaa shows failure"),
    "an-older-head-skipped-what-it-changed": (
        replace(pushed(), done=done(Open(draft=False, base="main", touches=("docs/a.md",)), Push(()))),
        "at aaaaaaa shows success",
    ),
    "nobody-configured-it": (
        lived(statuses=shows(unit="success", ghost="success")),
        "aaaaaaa shows a status that nobody asked for: preflight/ghost",
    ),
    "nor-at-an-older-head-was-it": (pushed(ghost="success"), "aaaaaaa shows a status that nobody asked for"),
    "another-form": (
        lived(checks=shows(unit="success")),
        "aaaaaaa shows a check run that nobody asked for: preflight/docs, preflight/unit",
    ),
    "a-check-run-is-there-twice": (
        checked(FIRST, FIRST),
        "2 check runs preflight/unit at aaaaaaa are about the same (1:abc:)",
    ),
    "twice-with-another-between": (checked(FIRST, RESUMED, FIRST), "are about the same"),
    "skipped-twice": (checked(SKIP, SKIP), "2 check runs preflight/docs at aaaaaaa are about the same"),
    "a-check-run-is-in-progress-for-ever": (
        checked(replace(FIRST, over=False), RESUMED),
        "a check run preflight/unit at aaaaaaa is hidden by a newer one, and not completed",
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
