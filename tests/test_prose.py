from __future__ import annotations

import pytest
from hypothesis import example, given

from bot.prose import CODE_LIMIT, code, count, elide, listing, one_line, plain, strip_codes
from tests.report.hostile import hostile_text
from tests.report.rendering import assert_harmless, parse

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


@given(hostile_text)
def test_plain_text_is_harmless_and_readable(text: str) -> None:
    rendered = plain(text, 10_000)
    assert_harmless(rendered, our_links=NO_LINKS)
    inline = [token for token in parse(rendered) if token.type == "inline"]
    assert len(inline) <= 1
    seen = "".join(child.content for token in inline for child in token.children or [])
    assert seen == one_line(text)


@given(hostile_text)
def test_stripping_twice_changes_nothing(text: str) -> None:
    assert strip_codes(strip_codes(text)) == strip_codes(text)


def test_one_line_is_one_line() -> None:
    assert one_line("  a\n\tb \r\n c\x1b[0m ") == "a b c"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        pytest.param("short", 5, "short", id="fits"),
        pytest.param("one two three four five six", 20, "one two … six", id="between words"),
        pytest.param("a" * 30, 10, "aaaaa…aa", id="a word too long is cut"),
        pytest.param("abc", 1, "…", id="no room"),
        pytest.param("abc", 0, "", id="none at all"),
    ],
)
def test_elide(text: str, limit: int, shown: str) -> None:
    assert elide(text, limit) == shown


@given(hostile_text)
def test_an_elided_text_fits(text: str) -> None:
    for limit in range(20):
        assert len(elide(text, limit)) <= limit


@pytest.mark.parametrize(
    ("names", "limit", "said"),
    [
        pytest.param([], 3, "", id="none"),
        pytest.param(["a"], 3, "a", id="one"),
        pytest.param(["a", "b", "c"], 3, "a, b, c", id="as many as there is room for"),
        pytest.param(["a", "b", "c", "d", "e"], 3, "a, b, c and 2 more", id="more"),
        pytest.param(["a"] * 3000, 1, "a and 2,999 more", id="thousands"),
    ],
)
def test_listing(names: list[str], limit: int, said: str) -> None:
    assert listing(names, limit) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 steps"), (1, "1 step"), (2_500, "2,500 steps")])
def test_count(number: int, said: str) -> None:
    assert count(number, "step") == said
