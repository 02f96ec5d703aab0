from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import (
    CancelKind,
    CommentPolicy,
    Outcome,
    Phase,
    PullView,
    Rules,
    StatusState,
    StepResult,
    StepState,
)
from bot.report.comments.comment import render_comment
from bot.report.comments.room import COMMENT_LIMIT, size
from bot.report.links import Links
from tests.report.examples import LINKS, MARKER, OURS, failed, fixed, overridden, passed, ran, run, step, view
from tests.report.rendering import assert_harmless, fences, parse
from tests.report.snapshots import assert_is_snapshot

SKIPPED = fixed("docs", StatusState.SUCCESS, "skipped: no matching files")
WAITING = fixed("unit", StatusState.PENDING, "waiting for /ok-to-test")
NEEDED = """`mallory` has no write access here, so nothing runs yet. Whoever may and has looked at it comments

```
/ok-to-test 1a2b3c4d5e6f
```

and it is tested: @acme/maintainers"""
BROKEN = fixed("", StatusState.ERROR, "preflight.yaml can't be used: see the comment", "preflight/config")

UNIT = run(
    "unit",
    passed("clone", 0, 3),
    passed("lint", 3, 8),
    passed("test", 3, 80),
    outcome=Outcome.SUCCESS,
    took=80,
)
E2E = run(
    "e2e",
    passed("clone", 0, 3),
    failed(
        "lint",
        "exit 1 after 5s",
        start=3,
        end=8,
        reproduce="ruff check .",
        excerpt=("src/app.py:1:8: F401 `os` imported but unused", "Found 1 error."),
    ),
    failed(
        "test",
        "exit 1 after 42s",
        start=3,
        end=45,
        tries=2,
        reproduce="pytest -q --junitxml=$ARTIFACTS/junit.xml",
        excerpt=(
            ">       assert add(1, 1) == 3",
            "E       assert 2 == 3",
            "⋯",
            "FAILED tests/test_app.py::test_add - assert 2 == 3",
            "1 failed, 10 passed in 0.12s",
        ),
    ),
    step("publish", StepState.BLOCKED, start=None),
    outcome=Outcome.FAILURE,
    reason="lint, test failed: exit 1",
    took=46,
)
CONFLICT = run(
    "unit",
    failed(
        "clone",
        "merging 1a2b3c4 into main: conflict in src/app.py",
        start=0,
        end=2,
        excerpt=("CONFLICT (content): Merge conflict in src/app.py", "Automatic merge failed"),
    ),
    step("lint", StepState.BLOCKED, start=None),
    outcome=Outcome.FAILURE,
    reason="clone failed: merging 1a2b3c4 into main: conflict in src/app.py",
    took=3,
)
SUPERSEDED = run(
    "slow", passed("clone", 0, 3), outcome=Outcome.CANCELLED, reason="superseded by 9f8e7d6", took=10
)
CANCELLED = run(
    "slow",
    passed("clone", 0, 3),
    outcome=Outcome.CANCELLED,
    reason="by octocat",
    took=10,
    cancel_kind=CancelKind.COMMAND,
)
RUNNING = run("slow", passed("clone", 0, 3), step("test", StepState.RUNNING))
UNRUNNABLE = run("unit", outcome=Outcome.ERROR, reason="DAG 'cheks' not found")

STORIES = {
    "green": view(ran(UNIT)),
    "all_green": view(
        ran(UNIT), ran(run("e2e", passed("test", 0, 5), outcome=Outcome.SUCCESS, took=6)), SKIPPED
    ),
    "red": view(ran(UNIT), ran(E2E), SKIPPED),
    "merge_conflict": view(ran(CONFLICT)),
    "cancelled": view(ran(CANCELLED)),
    "superseded": view(ran(SUPERSEDED)),
    "mixed": view(ran(UNIT), ran(E2E), ran(SUPERSEDED)),
    "running": view(ran(UNIT), ran(RUNNING)),
    "failed_so_far": view(
        ran(UNIT), ran(run("e2e", failed("lint", "exit 1 after 5s"), step("test", StepState.RUNNING)))
    ),
    "waiting_for_airflow": view(ran(run("unit", phase=Phase.WANTED, note="waiting for Airflow"))),
    "waiting_for_maintainer": view(
        WAITING, fixed("e2e", StatusState.PENDING, "waiting for /ok-to-test"), SKIPPED, notice=NEEDED
    ),
    "partly_tested": view(ran(UNIT), fixed("e2e", StatusState.PENDING, "waits until ready for review")),
    "queued": view(ran(UNIT), ran(run("e2e", phase=Phase.WANTED, note="queued: 2 ahead"))),
    "needs": view(ran(RUNNING), ran(run("e2e", phase=Phase.WANTED, note="waits for slow"))),
    "resuming": view(ran(UNIT), ran(replace(E2E, phase=Phase.RESUMING, outcome=None, reason=""))),
    "overridden": view(ran(UNIT), overridden("e2e", reason="@acme/all know of #12")),
    "all_overridden": view(overridden("e2e")),
    "optional_failed": view(ran(UNIT), ran(replace(E2E, rules=Rules(optional=True)))),
    "only_optional": view(ran(replace(E2E, rules=Rules(optional=True)))),
    "inputs": view(
        ran(run("e2e", outcome=Outcome.ERROR, reason="not run: it needs unit, which failed")),
        ran(run("e2e", passed("test", 0, 5), outcome=Outcome.SUCCESS, took=6, inputs={"gpu": 1})),
    ),
    "without_a_table": view(ran(E2E), notice=NEEDED, comment=CommentPolicy.OFF),
    "could_not_run": view(ran(UNRUNNABLE)),
    "timed_out": view(
        ran(
            run(
                "unit",
                passed("clone", 0, 3),
                step("test", StepState.CANCELLED, start=3, end=1800),
                outcome=Outcome.TIMED_OUT,
                reason="timed out after 30m",
                took=1800,
            )
        )
    ),
    "nothing_to_test": view(SKIPPED),
    "broken_configuration": view(
        BROKEN,
        notice="**`preflight.yaml` on `main` can't be used, so nothing runs:**\n\n    line 3: dag is missing",
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_comment_reads_well(story: str) -> None:
    assert_is_snapshot(f"snapshots/{story}.md", render_comment(STORIES[story], LINKS, MARKER))


@pytest.mark.parametrize("story", [story for story in STORIES if not STORIES[story].notice])
def test_a_comment_is_sound_markdown(story: str) -> None:
    assert_harmless(render_comment(STORIES[story], LINKS, MARKER), our_links=OURS, marker=MARKER)


def test_the_marker_is_there_whatever_else_is() -> None:
    assert MARKER in render_comment(view(), LINKS, MARKER)
    assert render_comment(view(notice="x\n" * 100_000), LINKS, MARKER).endswith(f"\n\n{MARKER}\n")


def test_progress_alone_makes_no_edit() -> None:
    earlier = view(ran(run("unit", step("a", StepState.RUNNING), step("b", StepState.WAITING))))
    later = view(ran(run("unit", passed("a", 0, 5), step("b", StepState.RUNNING))))
    assert render_comment(earlier, LINKS, MARKER) == render_comment(later, LINKS, MARKER)


def test_nor_does_a_queue_that_moves() -> None:
    earlier = view(ran(run("unit", phase=Phase.WANTED, note="queued: 12 ahead")))
    later = view(ran(run("unit", phase=Phase.WANTED, note="queued: 1 ahead")))
    assert render_comment(earlier, LINKS, MARKER) == render_comment(later, LINKS, MARKER)


@pytest.mark.parametrize(
    ("shown", "command"),
    [
        pytest.param(view(ran(UNIT)), "", id="all passed"),
        pytest.param(view(ran(UNIT), ran(E2E)), "Push a fix, or comment `/retest`", id="a step failed"),
        pytest.param(view(ran(UNRUNNABLE)), "Comment `/retest`", id="could not run"),
        pytest.param(view(ran(CANCELLED)), "Comment `/retest`", id="cancelled by somebody"),
        pytest.param(view(ran(SUPERSEDED)), "", id="cancelled by a push"),
        pytest.param(view(ran(E2E), ran(RUNNING)), "", id="something still runs"),
        pytest.param(view(ran(E2E), WAITING), "", id="something waits"),
        pytest.param(view(overridden("e2e")), "", id="overridden"),
    ],
)
def test_the_last_line_says_which_command_helps_now(shown: PullView, command: str) -> None:
    last = render_comment(shown, LINKS, MARKER).splitlines()[-3]
    assert last.startswith(command)
    assert ("/retest" in last) == bool(command)


def test_without_a_public_address_nothing_is_linked() -> None:
    rendered = render_comment(STORIES["red"], Links(""), MARKER)
    assert "](" not in rendered


def test_secrets_in_what_a_step_said_are_redacted() -> None:
    token = "ghp_" + "a1B2" * 9
    red = run(
        "unit",
        failed(
            "test", f"said {token}", reproduce=f"curl -H 'Authorization: Bearer {token}'", excerpt=(token,)
        ),
        outcome=Outcome.FAILURE,
        reason=f"test failed: said {token}",
    )
    assert "a1B2" not in render_comment(view(ran(red)), LINKS, MARKER)


def test_a_command_too_long_to_be_shown_whole_is_not_shown() -> None:
    red = run("unit", failed("test", reproduce="x" * 1_001), outcome=Outcome.FAILURE)
    rendered = render_comment(view(ran(red)), LINKS, MARKER)
    assert "xxx" not in rendered
    assert "too long for a comment" in rendered


def many(pipelines: int, steps: int, line: str = "error: no", lines: int = 40, name: str = "p") -> PullView:
    """That many pipelines of so many failed steps each."""
    result = StepResult(
        exit_code=1, reason="exit 1 after 42s " + "because " * 30, reproduce="make " + "x" * 900
    )
    red = tuple(
        step(f"s{number}", StepState.FAILED, end=42, result=result, excerpt=(line,) * lines)
        for number in range(steps)
    )
    return view(
        *(
            ran(run(f"{name}{n}", *red, outcome=Outcome.FAILURE, reason="failed: " + "x y " * 200, took=60))
            for n in range(pipelines)
        )
    )


@pytest.mark.parametrize(
    ("pull", "rows"),
    [
        pytest.param(many(3, 10), 3, id="excerpts shrink"),
        pytest.param(many(200, 10), 200, id="200 pipelines of 10 steps"),
        pytest.param(many(1, 100, "`" * 400), 1, id="fences of 400 backticks"),
        pytest.param(many(5, 20, "\U0001f600" * 400), 5, id="characters that count twice"),
        pytest.param(many(200, 1, name="|`\U0001f600" * 20), 200, id="names that need escaping"),
    ],
)
def test_a_comment_is_never_too_long_and_keeps_its_table(pull: PullView, rows: int) -> None:
    rendered = render_comment(pull, LINKS, MARKER)
    assert COMMENT_LIMIT // 4 < size(rendered) <= COMMENT_LIMIT
    assert_harmless(rendered, our_links=OURS, marker=MARKER)
    tokens = parse(rendered)
    first_table = tokens[: next(n for n, token in enumerate(tokens) if token.type == "table_close")]
    assert sum(token.type == "tr_open" for token in first_table) == rows + 1
    assert rendered.endswith(f"{MARKER}\n")


def test_even_the_table_of_a_thousand_pipelines_fits() -> None:
    rendered = render_comment(many(2000, 0), LINKS, MARKER)
    assert size(rendered) <= COMMENT_LIMIT
    assert "more pipelines" in rendered
    assert_harmless(rendered, our_links=OURS, marker=MARKER)


def test_what_is_left_out_is_said() -> None:
    rendered = render_comment(many(200, 10), LINKS, MARKER)
    assert "more failed steps" in rendered
    assert "more pipelines are on the run pages" in rendered


def test_the_middle_of_an_excerpt_goes_first() -> None:
    lines = tuple(f"line {number:02} " + "x" * 380 for number in range(40))
    red = [failed(f"s{number}", "exit 1", excerpt=lines) for number in range(8)]
    rendered = render_comment(view(ran(run("unit", *red, outcome=Outcome.FAILURE))), LINKS, MARKER)
    shown = [line[:7] for line in fences(rendered)[0].splitlines()]
    assert (shown[0], shown[len(shown) // 2], shown[-1]) == ("line 00", "⋯", "line 39")
