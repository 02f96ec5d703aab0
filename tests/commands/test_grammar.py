"""Which lines of a comment are commands. Whatever a comment holds, reading it never raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import commands
from bot.commands.grammar import command_lines
from bot.commands.types import Command

HTML_COMMENT = "<!--\n/test\n-->"


def found(body: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(command.name, command.pipelines) for command in commands.parse(body).commands]


class TestCommands:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            pytest.param("/test", [("test", ())], id="test"),
            pytest.param("/test all", [("test", ())], id="test-all"),
            pytest.param("/test unit", [("test", ("unit",))], id="test-one"),
            pytest.param("/test unit docs unit", [("test", ("unit", "docs"))], id="test-several"),
            pytest.param("/cancel", [("cancel", ())], id="cancel"),
            pytest.param("/cancel unit", [("cancel", ("unit",))], id="cancel-one"),
            pytest.param("/TEST", [("test", ())], id="upper-case"),
            pytest.param("/test\n/cancel", [("test", ()), ("cancel", ())], id="two"),
            pytest.param("/test\r\n/cancel\r\n", [("test", ()), ("cancel", ())], id="crlf"),
            pytest.param("/test  \t unit   ", [("test", ("unit",))], id="spaces"),
            pytest.param("  /test", [("test", ())], id="up-to-three-spaces-before-it"),
            pytest.param("Looks good.\n/test", [("test", ())], id="after-a-line-of-text"),
            pytest.param("/test\nthanks!", [("test", ())], id="before-a-line-of-text"),
            pytest.param("Hello\n\n/test unit\n\nBye", [("test", ("unit",))], id="between-paragraphs"),
            pytest.param("> quoted\n\n/test", [("test", ())], id="after-a-quote"),
            pytest.param("```\ncode\n```\n/test", [("test", ())], id="after-a-fence"),
            pytest.param("- item\n\n/test", [("test", ())], id="after-a-list"),
            pytest.param("- item\n/test", [("test", ())], id="right-below-a-list"),
            pytest.param("* item\n\n  /test", [("test", ())], id="within-an-item"),
            pytest.param(HTML_COMMENT + "\n\n/test", [("test", ())], id="after-an-html-comment"),
            pytest.param(
                "/test snake_case_name and_another",
                [("test", ("snake_case_name", "and_another"))],
                id="underscores",
            ),
            pytest.param(
                "/test unit\u2028/cancel",
                [("test", ("unit", "/cancel"))],
                id="only-real-line-ends-end-a-line",
            ),
        ],
    )
    def test_are_read(self, body: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
        assert found(body) == expected

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("> /test", id="quote"),
            pytest.param("> hello\n/test", id="lazy-continuation-of-a-quote"),
            pytest.param(">\n> > /test", id="nested-quote"),
            pytest.param("```\n/test\n```", id="fence"),
            pytest.param("~~~\n/test\n~~~", id="tilde-fence"),
            pytest.param("````\n```\n/test\n````", id="longer-fence"),
            pytest.param("```\n/test", id="fence-never-closed"),
            pytest.param("hello\n```suggestion\n/test\n```", id="suggestion"),
            pytest.param("    /test", id="indented-code"),
            pytest.param("\t/test", id="indented-by-a-tab"),
            pytest.param("`/test`", id="inline-code"),
            pytest.param("``\n/test\n``", id="inline-code-over-lines"),
            pytest.param("hello `a\n/test\nb` there", id="inline-code-around-a-line"),
            pytest.param("- /test", id="list"),
            pytest.param("1. /test", id="numbered-list"),
            pytest.param("- [ ] /test", id="task-list"),
            pytest.param("<blockquote>\n\n/test\n\n</blockquote>", id="quote-in-html"),
            pytest.param("text <code>\n/test\n</code>", id="code-in-html"),
            pytest.param(HTML_COMMENT, id="html-comment"),
            pytest.param("<!-- hello\n\n/test\n\n-->", id="html-comment-with-blank-lines"),
            pytest.param("hello <!-- a\n/test\n-->", id="inline-html-comment"),
            pytest.param("<details>\n/test\n</details>", id="html-block"),
            pytest.param("<pre>\n\n/test\n\n</pre>", id="pre"),
            pytest.param("please /test", id="in-the-middle"),
            pytest.param("I ran\n/home/alice/test", id="a-path"),
            pytest.param("/tests/unit.py is broken", id="another-path"),
            pytest.param("/ test", id="space-after-the-slash"),
            pytest.param("//test", id="two-slashes"),
            pytest.param("\\/test", id="escaped"),
            pytest.param("/", id="slash"),
            pytest.param("", id="nothing"),
            pytest.param("[x]: /test", id="link-definition"),
            pytest.param("![/test](/test)", id="image"),
        ],
    )
    def test_are_not_what_is_quoted_or_shown(self, body: str) -> None:
        assert found(body) == []

    @pytest.mark.parametrize("line", ["/test `unit`", "/test [unit](http://x)", "/test ![a](b)"])
    def test_with_code_or_links_are_answered_not_guessed(self, line: str) -> None:
        parsed = commands.parse(line)
        assert parsed.commands == ()
        assert len(parsed.errors) == 1

    def test_lines_are_counted_from_one(self) -> None:
        parsed = commands.parse("hello\r\n\r\n/test\r\n/tset\r\n")
        assert parsed.commands == (Command("test", 3, everything=True),)
        assert [(error.line, error.text, error.suggestion) for error in parsed.errors] == [
            (4, "/tset", "/test")
        ]

    def test_our_own_marks_in_a_comment_mean_nothing(self) -> None:
        assert found("\ue0001\ue001test\n\ue000/test\ue001") == found("1test\n/test")
        assert found("x \ue0009\ue001/test") == []


class TestMisspelt:
    @pytest.mark.parametrize(
        ("line", "meant"),
        [
            ("/tset", "/test"), ("/tes", "/test"), ("/testt", "/test"), ("/rest", "/test"),
            ("/cancle", "/cancel"), ("/cancell", "/cancel"), ("/cncel", "/cancel"),
        ],
    )  # fmt: skip
    def test_commands_get_a_suggestion(self, line: str, meant: str) -> None:
        parsed = commands.parse(line)
        assert parsed.commands == ()
        assert [error.suggestion for error in parsed.errors] == [meant]

    @pytest.mark.parametrize(
        "line",
        [
            "/lgtm",
            "/approve",
            "/assign @rita",
            "/retest-required",
            "/hold",
            "/te",
            "/home/x",
            "/t3st",
            "/kind bug",
        ],
    )
    def test_what_other_bots_read_is_left_to_them(self, line: str) -> None:
        parsed = commands.parse(line)
        assert (parsed.commands, parsed.errors) == ((), ())


class TestHelp:
    def test_each_command_says_what_it_is_for(self) -> None:
        assert {"test", "cancel"} <= set(commands.modules())
        for name, module in commands.modules().items():
            assert name == module.NAME
            assert module.USAGE.startswith(f"/{name}")
            assert module.HELP.endswith(".")


class TestMuch:
    """What a flood of anything else leads to is in tests/acceptance/test_hostile.py."""

    def test_is_read_in_part(self) -> None:
        parsed = commands.parse("".join(f"/test n{number}\n/tset n{number}\n" for number in range(3_000)))

        assert len(parsed.commands) == 50
        assert len(parsed.errors) == 50

    def test_of_the_same_counts_once(self) -> None:
        parsed = commands.parse("/test unit\n/tset unit\n" * 1_000)

        assert [command.line for command in parsed.commands] == [1]
        assert [error.line for error in parsed.errors] == [2]


LINES = st.sampled_from(
    [
        "/test",
        "/test unit",
        "/cancel",
        "/tset",
        "> ",
        ">",
        "```",
        "~~~",
        "    ",
        "\t",
        "- ",
        "1. ",
        "<!--",
        "-->",
        "`",
        "``",
        "<div>",
        "</div>",
        "[a](",
        ")",
        "![",
        "\r",
        "\n",
        "\r\n",
        "\\",
        "#",
        "***",
        "---",
        "| a |",
        "&#47;test",
        "&sol;test",
        "\ue000",
        "\ue0001\ue001",
        "\0",
        "\ud800",
        "\u2028",
        "é",
        "  ",
    ]
)


@given(st.text(max_size=300))
def test_any_text(body: str) -> None:
    commands.parse(body)
    command_lines(body)


@given(st.lists(LINES, max_size=25).map("".join))
def test_any_markdown(body: str) -> None:
    parsed = commands.parse(body)
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for command in parsed.commands:
        line = lines[command.line - 1].replace("\ue000", "").replace("\ue001", "")
        assert line.lstrip(" ").lower().startswith(f"/{command.name}"), "a command begins its own line"
        assert not line.startswith("    ")


@given(st.lists(st.sampled_from(["/test", "hello", "```", "", "/cancel x"]), max_size=12))
def test_nothing_in_a_fence_runs(lines: list[str]) -> None:
    inside = "\n".join(line for line in lines if line != "```")
    assert found(f"````\n{inside}\n````") == []


@given(st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=60), st.integers(1, 4))
def test_nothing_in_a_quote_runs(text: str, depth: int) -> None:
    assert found("> " * depth + "/test " + text) == []
