"""Whatever strangers write, the comment stays ours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.models import Outcome, Phase, Run, StatusState, Step, StepResult, StepState, Verdict
from bot.report.command import shown_command
from bot.report.comment import render_comment
from bot.report.excerpt import excerpt
from bot.report.room import COMMENT_LIMIT, size
from tests.report.examples import LINKS, MARKER, at, fixed, overridden, ran, run, view
from tests.report.hostile import hostile_text
from tests.report.rendering import assert_harmless, fences, parse

SECRETS = ("ghp_" + "a1B2" * 9, "AKIA" + "ABCDEFGHIJ234567", "xoxb-" + "1234567890-abcdef", "hunter2-literal")
FENCES = ("```", "`````", "~~~", "    ```", "```sh", "> ```")
logs = st.lists(
    st.one_of(
        hostile_text, st.sampled_from(FENCES), st.sampled_from([f"error: {secret}!" for secret in SECRETS])
    ),
    max_size=8,
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    return Step(
        task_id="t",
        map_index=draw(st.integers(-1, 3)),
        name=draw(hostile_text),
        state=draw(st.sampled_from([StepState.FAILED, *StepState])),
        try_number=draw(st.integers(0, 3)),
        started_at=at(0),
        ended_at=draw(st.sampled_from([None, at(42)])),
        result=StepResult(exit_code=1, reason=draw(hostile_text), reproduce=draw(hostile_text)),
        excerpt=excerpt(draw(logs), secrets=SECRETS[-1:]),
    )


@st.composite
def runs(draw: st.DrawFn) -> Run:
    return run(
        draw(hostile_text),
        *draw(st.lists(steps(), max_size=3)),
        outcome=draw(st.sampled_from([Outcome.FAILURE, None, *Outcome])),
        reason=draw(hostile_text),
        cancel=draw(st.one_of(st.none(), hostile_text)),
        note=draw(hostile_text),
        phase=draw(st.sampled_from(Phase)),
        took=draw(st.sampled_from([None, 42])),
        inputs={draw(hostile_text): draw(hostile_text)},
        optional=draw(st.booleans()),
    )


verdicts: st.SearchStrategy[Verdict] = st.one_of(
    runs().map(ran),
    st.builds(fixed, hostile_text, st.sampled_from(StatusState), hostile_text, st.just("preflight/x")),
    st.builds(overridden, hostile_text, hostile_text, hostile_text),
)


@given(st.lists(verdicts, max_size=3))
def test_no_text_breaks_out(words: list[Verdict]) -> None:
    rendered = render_comment(view(*words), LINKS, MARKER)
    assert render_comment(view(*words), LINKS, MARKER) == rendered
    assert size(rendered) <= COMMENT_LIMIT
    assert rendered.endswith(f"{MARKER}\n")
    assert not any(secret in rendered for secret in SECRETS)
    assert_harmless(rendered, our_links=LINKS.public_url, marker=MARKER)
    rendered.encode()


@given(hostile_text, logs, hostile_text)
def test_every_line_of_the_log_stays_in_its_fence(name: str, log: list[str], command: str) -> None:
    kept = excerpt(log)
    result = StepResult(exit_code=1, reproduce=command)
    step = Step("t", -1, name, StepState.FAILED, result=result, excerpt=kept)
    rendered = render_comment(view(ran(run("unit", step, outcome=Outcome.FAILURE))), LINKS, MARKER)
    expected = ["".join(f"{line}\n" for line in kept)] if kept else []
    said = shown_command(command)
    expected += [f"{said}\n"] if said else []
    assert fences(rendered) == expected
    assert sum(token.type == "table_open" for token in parse(rendered)) == 2
