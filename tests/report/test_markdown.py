from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.report.clean import clean_line, elide, one_line
from bot.report.markdown import CODE_LIMIT, code, fence, fold, html_code, link, plain, table
from tests.report.hostile import hostile_text
from tests.report.rendering import assert_harmless, fences, flat, parse

NO_LINKS = "nowhere"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        pytest.param("test failed: exit 1 after 42s", "test failed: exit 1 after 42s", id="ordinary words"),
        pytest.param("2/3 steps passed (100%)", "2/3 steps passed (100%)", id="figures"),
        pytest.param("superseded by 1a2b3c4", "superseded by `1a2b3c4`", id="a commit"),
        pytest.param("cancelled: by @octocat.", "cancelled: by `@octocat`.", id="a mention"),
        pytest.param("see #12, GH-12", "see `#12`, `GH-12`", id="issues"),
        pytest.param("at http://x.example, no", "at `http://x.example`, no", id="an address"),
        pytest.param("no :tada: here", "no `:tada:` here", id="an emoji name"),
        pytest.param("a *b* _c_ <i>", "a `*b*` `_c_` `<i>`", id="Markdown and HTML"),
        pytest.param("1. no list", "`1`. no list", id="a list's number in front"),
        pytest.param("exit 1.", "exit 1.", id="a number elsewhere"),
        pytest.param("- no list", "`-` no list", id="a list's dash"),
        pytest.param("a\n\n# b", "a `#` b", id="several lines"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_plain_text(text: str, markdown: str) -> None:
    assert plain(text) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        pytest.param("test", "`test`", id="a name"),
        pytest.param("a`b", "``a`b``", id="a backtick"),
        pytest.param("```", "```` ``` ````", id="only backticks"),
        pytest.param("a\nb", "`a b`", id="a line end"),
        pytest.param("  ", "\N{EN DASH}", id="nothing"),
    ],
)
def test_inline_code(text: str, markdown: str) -> None:
    assert code(text) == markdown


@given(hostile_text)
@example("`")
@example("a\\")
def test_inline_code_is_one_code_span_that_says_the_same(text: str) -> None:
    (inline,) = (token for token in parse(f"before {code(text)} after") if token.type == "inline")
    if one_line(text):
        assert [child.type for child in inline.children or []] == ["text", "code_inline", "text"]
        assert (inline.children or [])[1].content == elide(one_line(text), CODE_LIMIT)


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


@given(hostile_text)
def test_plain_text_is_harmless_and_readable(text: str) -> None:
    rendered = plain(text, 10_000)
    assert_harmless(rendered, our_links=NO_LINKS)
    inline = [token for token in parse(rendered) if token.type == "inline"]
    assert len(inline) <= 1
    seen = "".join(child.content for token in inline for child in token.children or [])
    assert seen == one_line(text)


@given(st.lists(hostile_text, max_size=6), st.sampled_from(["", "sh"]))
@example(["```", "````", "text"], "")
@example(["~~~", "    ```"], "sh")
def test_a_fence_cannot_be_broken(lines: list[str], language: str) -> None:
    rendered = f"before\n\n{fence(lines, language)}\n\nafter"
    assert fences(rendered) == ["".join(f"{clean_line(line)}\n" for line in lines)]
    assert_harmless(rendered, our_links=NO_LINKS)


@given(hostile_text, st.lists(hostile_text, max_size=3))
def test_a_fold_cannot_be_broken(name: str, lines: list[str]) -> None:
    rendered = fold(f"Steps of {html_code(name)}", fence(lines)) + "\n\nafter"
    assert_harmless(rendered, our_links=NO_LINKS)
    assert parse(rendered)[-2].content == "after"


def test_a_link_without_an_address_is_its_label() -> None:
    assert link("`a`", "https://x.example/1") == "[`a`](https://x.example/1)"
    assert link("`a`", "") == "`a`"
