"""The reply to a comment that asked for dry runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Outcome, Phase, Run, Step, StepResult, StepState
from bot.report.comments.dry_run import render_reply
from bot.report.comments.room import COMMENT_LIMIT, size
from bot.report.links import Links
from bot.report.logs.command import shown_command
from tests.report.examples import LINKS, OURS, failed, run, step
from tests.report.hostile import hostile_text
from tests.report.rendering import assert_harmless, fences, parse
from tests.report.snapshots import assert_is_snapshot

MARKER = "<!-- preflight reply 7 -->"

CLONE = "python -m steps.release clone --name=clone --sha=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
TEST = "python -m steps.checks run --name=test -- 'echo one\n\techo `two`\n```\n'"


def shows(name: str, command: str, *, task_id: str = "", index: int = -1) -> Step:
    """A step of a dry run that printed its command."""
    return Step(task_id or name, index, name, StepState.SUCCEEDED, 1, result=StepResult(argv=command))


def dry(
    *steps: Step, outcome: Outcome | None = Outcome.SUCCESS, pipeline: str = "unit", **more: object
) -> Run:
    return replace(run(pipeline, *steps, outcome=outcome, dryrun=True), **more)  # type: ignore[arg-type]  # names are the test's


PRINTED = dry(
    shows("clone", CLONE),
    step("list"),
    shows("lint", "ruff check ."),
    shows("run", "python -m steps.checks run --name=run", index=1),
    shows("test", TEST, task_id="run", index=2),
    step("publish", StepState.SKIPPED),
    step("old", StepState.REMOVED),
)
WITH_INPUTS = dry(shows("test", "pytest -q"), pipeline="e2e", inputs={"gpu": 1, "fast": True})
BROKEN = dry(
    shows("clone", CLONE),
    failed("list", "no file .preflight/checks.yaml"),
    step("test", StepState.BLOCKED),
    outcome=Outcome.FAILURE,
    reason="list failed: no file .preflight/checks.yaml",
)

STORIES = {
    "printed": ("", [PRINTED]),
    "several": ("Line 2: `/tset` is no command. Did you mean `/test`?", [PRINTED, WITH_INPUTS]),
    "waiting": (
        "",
        [
            dry(outcome=None, phase=Phase.WANTED, note="waiting for Airflow"),
            dry(outcome=None, pipeline="e2e", phase=Phase.WANTED, note="queued: 2 ahead"),
            dry(outcome=None, pipeline="docs"),
        ],
    ),
    "partly": ("", [WITH_INPUTS, dry(outcome=None, phase=Phase.WANTED, note="waiting for Airflow")]),
    "failed": ("", [BROKEN]),
    "not_run": (
        "",
        [
            dry(outcome=Outcome.ERROR, reason="DAG 'cheks' not found"),
            dry(outcome=Outcome.CANCELLED, reason="by octocat", pipeline="e2e"),
            dry(outcome=Outcome.TIMED_OUT, reason="timed out after 30m", pipeline="docs"),
            dry(step("wait"), pipeline="idle"),
        ],
    ),
    "words_alone": ("There is no pipeline `nuit`. Did you mean `unit`?", []),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_reply_reads_well(story: str) -> None:
    text, runs = STORIES[story]
    rendered = render_reply(text, runs, LINKS, MARKER)
    assert_is_snapshot(f"snapshots/dry_run_{story}.md", rendered)
    assert_harmless(rendered, our_links=OURS, marker=MARKER)


def test_each_command_is_there_exactly_and_in_order() -> None:
    shown = fences(render_reply("", [PRINTED], LINKS, MARKER))
    assert shown == [
        f"{text}\n" for text in (CLONE, "ruff check .", "python -m steps.checks run --name=run", TEST)
    ]


def test_what_was_not_run_is_said_once_where_there_are_commands() -> None:
    assert render_reply("", [PRINTED, WITH_INPUTS], LINKS, MARKER).count("not run") == 1
    assert "not run" not in render_reply("", STORIES["waiting"][1], LINKS, MARKER)


def test_a_long_one_is_folded() -> None:
    long = dry(*(shows(f"step{number}", "x" * 200) for number in range(10)))
    assert "<details>" in render_reply("", [long], LINKS, MARKER)
    assert "<details>" not in render_reply("", [PRINTED], LINKS, MARKER)


def test_without_a_public_address_nothing_is_linked() -> None:
    assert "](" not in render_reply("", [PRINTED, BROKEN], Links(""), MARKER)


def test_secrets_are_redacted() -> None:
    token = "ghp_" + "a1B2" * 9
    shown = dry(shows("clone", f"git clone https://x:{token}@h.example; echo our-own-secret"))
    rendered = render_reply("", [shown], LINKS, MARKER, ["our-own-secret"])
    assert "a1B2" not in rendered
    assert "our-own-secret" not in rendered


def test_a_command_too_long_to_be_shown_whole_is_not_shown() -> None:
    rendered = render_reply("", [dry(shows("test", "x" * 8_001))], LINKS, MARKER)
    assert "xxx" not in rendered
    assert "`test`: its command is too long for a comment: see the run page." in rendered


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        pytest.param(
            "", [dry(*(shows(f"s{n}", "x" * 7_000) for n in range(50)))], id="one of many long commands"
        ),
        pytest.param(
            "", [dry(*(shows(f"s{n}", "x" * 70) for n in range(5_000)))], id="one of thousands of steps"
        ),
        pytest.param("", [dry(shows("s", "`" * 7_000), shows("t", "`\n" * 3_000))], id="long fences"),
        pytest.param(
            "",
            [dry(*(shows(f"s{n}", "\U0001f600" * 900) for n in range(50)))],
            id="characters that count twice",
        ),
        pytest.param(
            "",
            [dry(*(shows(f"s{n}", "x" * 2_000) for n in range(9)), pipeline="p" * 90)] * 300,
            id="hundreds",
        ),
        pytest.param("a line\n" * 30_000, [PRINTED] * 300, id="many words before"),
        pytest.param("", [dry(outcome=Outcome.ERROR, reason="`@x` " * 500)] * 300, id="long reasons"),
    ],
)
def test_a_reply_is_never_too_long(text: str, runs: list[Run]) -> None:
    rendered = render_reply(text, runs, LINKS, MARKER)
    assert COMMENT_LIMIT // 8 < size(rendered) <= COMMENT_LIMIT
    assert rendered.endswith(f"{MARKER}\n")
    assert_harmless(rendered, our_links=OURS, marker=MARKER)


def test_what_is_left_out_is_said() -> None:
    long = dry(*(shows(f"s{number}", "x" * 7_000) for number in range(10)))
    rendered = render_reply("", [long] * 50, LINKS, MARKER)
    assert "more steps: see the run page." in rendered
    assert "and 10 more dry runs" in rendered


@st.composite
def steps(draw: st.DrawFn) -> Step:
    result = StepResult(exit_code=None, reason=draw(hostile_text), argv=draw(hostile_text))
    return Step(
        draw(hostile_text),
        draw(st.integers(-1, 3)),
        draw(hostile_text),
        draw(st.sampled_from([StepState.SUCCEEDED, *StepState])),
        1,
        result=draw(st.sampled_from([result, None])),
    )


@st.composite
def dry_runs(draw: st.DrawFn) -> Run:
    return dry(
        *draw(st.lists(steps(), max_size=4)),
        outcome=draw(st.sampled_from([Outcome.SUCCESS, None, *Outcome])),
        pipeline=draw(hostile_text),
        reason=draw(hostile_text),
        note=draw(hostile_text),
        phase=draw(st.sampled_from(Phase)),
        inputs={draw(hostile_text): draw(hostile_text)},
    )


@given(st.lists(dry_runs(), max_size=3))
def test_no_text_breaks_out_and_no_command_is_changed(runs: list[Run]) -> None:
    rendered = render_reply("", runs, LINKS, MARKER)
    assert size(rendered) <= COMMENT_LIMIT
    assert rendered.endswith(f"{MARKER}\n")
    assert_harmless(rendered, our_links=OURS, marker=MARKER)
    commands = [
        shown_command(one.result.argv)
        for of in runs
        if of.outcome
        for one in of.steps
        if one.result and one.state is not StepState.REMOVED
    ]
    assert fences(rendered) == [f"{command}\n" for command in commands if command]
    rendered.encode()


def test_the_marker_is_one_html_comment() -> None:
    tokens = parse(render_reply("", [PRINTED], LINKS, MARKER))
    assert tokens[-1].content.strip() == MARKER
