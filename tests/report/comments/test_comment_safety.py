"""Whatever strangers write, the comment stays ours, and no secret gets out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.models import (
    FlakyTest,
    Outcome,
    Past,
    Phase,
    Run,
    StatusState,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
    Verdict,
)
from bot.report.comments.comment import render_comment
from bot.report.comments.failing import failing
from bot.report.comments.room import COMMENT_LIMIT, size
from bot.report.logs.command import shown_command
from bot.report.logs.excerpt import excerpt
from tests.report.examples import LINKS, MARKER, OURS, at, fixed, overridden, ran, run, view
from tests.report.hostile import OWN_SECRET, assert_keeps_secrets, free_text, hostile_text
from tests.report.rendering import assert_harmless, fences, parse

FENCES = ("```", "`````", "~~~", "    ```", "```sh", "> ```")
logs = st.lists(st.one_of(free_text, st.sampled_from(FENCES)), max_size=8)

failures = st.builds(
    TestFailure,
    name=free_text,
    message=free_text,
    file=st.one_of(free_text, st.sampled_from(["src/app.py", "a b/(c).py", "/x", "../y"])),
    line=st.one_of(st.none(), st.integers(-1, 10_000)),
)
results = st.builds(
    TestResults,
    total=st.integers(0, 5),
    failed=st.integers(0, 5),
    skipped=st.integers(0, 5),
    failures=st.lists(failures, max_size=3).map(tuple),
    flaky=st.lists(free_text, max_size=2).map(tuple),
    notes=st.lists(free_text, max_size=2).map(tuple),
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    return Step(
        task_id="t",
        map_index=draw(st.integers(-1, 3)),
        name=draw(free_text),
        state=draw(st.sampled_from([StepState.FAILED, *StepState])),
        try_number=draw(st.integers(0, 3)),
        started_at=at(0),
        ended_at=draw(st.sampled_from([None, at(42)])),
        result=StepResult(
            exit_code=draw(st.sampled_from([None, 1, -9])),
            reason=draw(free_text),
            reproduce=draw(free_text),
            tests=draw(st.one_of(st.none(), results)),
            artifacts=draw(st.integers(0, 2)),
            dropped=draw(free_text),
        ),
        excerpt=draw(st.one_of(logs.map(tuple), logs.map(lambda log: excerpt(log, secrets=[OWN_SECRET])))),
    )


@st.composite
def runs(draw: st.DrawFn) -> Run:
    return run(
        draw(free_text),
        *draw(st.lists(steps(), max_size=3)),
        outcome=draw(st.sampled_from([Outcome.FAILURE, None, *Outcome])),
        reason=draw(free_text),
        cancel=draw(st.one_of(st.none(), free_text)),
        note=draw(free_text),
        phase=draw(st.sampled_from(Phase)),
        took=draw(st.sampled_from([None, 42])),
        inputs={draw(hostile_text): draw(hostile_text)},
        optional=draw(st.booleans()),
    )


pasts = st.builds(
    Past,
    usual=st.sampled_from([None, 1.0, 7_000.0]),
    before=st.one_of(st.none(), runs()),
    flaky=st.lists(
        st.builds(FlakyTest, free_text, free_text, st.integers(0, 50), st.integers(0, 50)), max_size=2
    ).map(tuple),
)
verdicts: st.SearchStrategy[Verdict] = st.one_of(
    runs().map(ran),
    st.builds(fixed, free_text, st.sampled_from(StatusState), free_text, st.just("preflight/x")),
    st.builds(overridden, free_text, free_text, free_text),
)


@given(st.lists(st.tuples(verdicts, pasts), max_size=3))
def test_no_text_breaks_out(words: list[tuple[Verdict, Past]]) -> None:
    past = {verdict.run.id: before for verdict, before in words if verdict.run}
    shown = replace(view(*(verdict for verdict, _ in words)), past=past)
    rendered = render_comment(shown, LINKS, MARKER, [OWN_SECRET])
    assert render_comment(shown, LINKS, MARKER, [OWN_SECRET]) == rendered
    assert size(rendered) <= COMMENT_LIMIT
    assert rendered.endswith(f"{MARKER}\n")
    assert_keeps_secrets(rendered)
    assert_harmless(rendered, our_links=OURS, marker=MARKER)
    rendered.encode()
    "".join(failing(shown)).encode()


@given(hostile_text, logs, hostile_text)
def test_every_line_of_the_log_stays_in_its_fence(name: str, log: list[str], command: str) -> None:
    kept = excerpt(log, secrets=[OWN_SECRET])
    result = StepResult(exit_code=1, reproduce=command)
    step = Step("t", -1, name, StepState.FAILED, result=result, excerpt=kept)
    rendered = render_comment(view(ran(run("unit", step, outcome=Outcome.FAILURE))), LINKS, MARKER)
    expected = ["".join(f"{line}\n" for line in kept)] if kept else []
    said = shown_command(command)
    expected += [f"{said}\n"] if said else []
    assert fences(rendered) == expected
    assert sum(token.type == "table_open" for token in parse(rendered)) == 2
