from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from bot.prose import CODE_LIMIT, code, elide, one_line, plain
from bot.report.comments.markdown import fence, fenced_command, fold, html_code, link, table
from bot.report.logs.clean import clean_line
from bot.report.logs.command import shown_command
from tests.report.hostile import hostile_text
from tests.report.rendering import assert_harmless, fences, flat, parse

NO_LINKS = "nowhere"


@given(hostile_text, hostile_text)
def test_a_table_keeps_its_cells(one: str, other: str) -> None:
    rendered = table(("A", "B"), (":--", "--:"), [(code(one), plain(other)), (plain(one), code(other))])
    tokens = parse(rendered)
    assert sum(token.type == "tr_open" for token in tokens) == 3
    assert sum(token.type == "td_open" for token in tokens) == 4
    shown = [token.content for token in flat(tokens) if token.type == "code_inline"]
    for text in (one, other):
        if one_line(text):
            assert elide(one_line(text), CODE_LIMIT) in shown
    assert_harmless(rendered, our_links=NO_LINKS)


@given(st.lists(hostile_text, max_size=6))
@example(["```", "````", "text"])
@example(["~~~", "    ```"])
def test_a_fence_cannot_be_broken(lines: list[str]) -> None:
    rendered = f"before\n\n{fence(lines)}\n\nafter"
    assert fences(rendered) == ["".join(f"{clean_line(line)}\n" for line in lines)]
    assert_harmless(rendered, our_links=NO_LINKS)


@given(st.lists(hostile_text, max_size=6).map("\n".join))
@example("```\n````\n'a  \n\n'")
def test_a_command_cannot_break_its_fence_and_is_all_there(command: str) -> None:
    shown = shown_command(command)
    rendered = f"before\n\n{fenced_command(shown)}\n\nafter"
    assert fences(rendered) == [f"{shown}\n"]
    assert_harmless(rendered, our_links=NO_LINKS)


@given(hostile_text, st.lists(hostile_text, max_size=3))
def test_a_fold_cannot_be_broken(name: str, lines: list[str]) -> None:
    rendered = fold(f"Steps of {html_code(name)}", fence(lines)) + "\n\nafter"
    assert_harmless(rendered, our_links=NO_LINKS)
    assert parse(rendered)[-2].content == "after"


def test_a_link_without_an_address_is_its_label() -> None:
    assert link("`a`", "https://x.example/1") == "[`a`](https://x.example/1)"
    assert link("`a`", "") == "`a`"
