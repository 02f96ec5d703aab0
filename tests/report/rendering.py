"""What GitHub would make of Markdown, as far as markdown-it-py and GitHub's documented filters tell."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ADDED_BY_GITHUB = re.compile(
    r"(?<![\w/])@[A-Za-z0-9]"  # mentions
    r"|#\d|\bGH-\d|@[0-9a-f]{7}|\b[0-9a-f]{7,40}\b"  # issues and commits
    r"|[a-z]://|\bwww\.|\bmailto:|\bxmpp:|[\w.+-]@[\w-]+\."  # addresses
    r"|:[\w+-]+:"  # emoji
    r"|\$",  # formulas
    re.IGNORECASE,
)
OUR_HTML = re.compile(
    r"<details><summary>(?:(?:Steps|Commands) of <code>[^<>]*</code>|The lines that matter)</summary>"
    r"|</details>"
)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("gfm-like", {"linkify": False, "html": True})


def parse(markdown: str) -> list[Token]:
    """The document's tokens, HTML enabled as on GitHub."""
    return _markdown().parse(markdown)


def flat(tokens: list[Token]) -> Iterator[Token]:
    """All tokens, with those within inline ones."""
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def visible_text(tokens: list[Token]) -> str:
    """The text in which GitHub looks for what to link: not code, and each block apart."""
    blocks = [
        "".join(child.content if child.type == "text" else "\x00" for child in token.children or [])
        for token in tokens
        if token.type == "inline"
    ]
    return "\n".join(blocks)


def list_items(tokens: list[Token]) -> list[str]:
    """The Markdown of all items of lists, each of which is one line."""
    opened = [index for index, token in enumerate(tokens) if token.type == "list_item_open"]
    return [_only_line(tokens[index + 1 :]) for index in opened]


def _only_line(rest: list[Token]) -> str:
    """The text of a list's item that holds one line and nothing else."""
    blocks = [token for token in rest if token.block]
    kinds = [token.type for token in blocks[:4]]
    assert kinds == ["paragraph_open", "inline", "paragraph_close", "list_item_close"], kinds
    return blocks[1].content


def fences(markdown: str) -> list[str]:
    """The contents of all code blocks."""
    return [token.content for token in parse(markdown) if token.type == "fence"]


def assert_harmless(markdown: str, *, our_links: str | tuple[str, ...], marker: str = "") -> None:
    """No HTML, link or image but ours; nothing that GitHub would turn into one or notify somebody for.

    Lists are ours if their items begin with code (a test's name) or with our own words.
    """
    tokens = list(flat(parse(markdown)))
    for token in tokens:
        assert token.type not in {
            "image",
            "heading_open",
            "blockquote_open",
            "hr",
            "code_block",
            "html_inline",
        }
        assert token.type not in {"ordered_list_open", "s_open", "em_open"}
        if token.type == "html_block":
            ours = token.content.strip().removesuffix(marker).strip()
            assert not ours or OUR_HTML.fullmatch(ours), ours
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith(our_links)
        if token.type == "fence":
            assert token.info in {"", "sh"}
    for item in list_items(tokens):
        # A dash stands for a name of which nothing can be shown.
        assert item.startswith(("`", "\N{EN DASH}")) or re.fullmatch(r"and [\d,]+ more", item), item
    found = ADDED_BY_GITHUB.search(visible_text(tokens))
    assert found is None, found
