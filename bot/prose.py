"""Text that strangers wrote, as Markdown that GitHub shows exactly so and acts on in no way.

GitHub looks for @mentions, issue and commit references, addresses and emoji names in the *rendered* text, so
neither a backslash nor a character reference stops it. Code does: whatever looks suspicious is shown as code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE_LIMIT = 100
PLAIN_LIMIT = 300
NOTHING = "\N{EN DASH}"

# Each alternative begins with its own escape character and repeats possessively: linear on any input.
_TERMINAL_CODES = re.compile(
    r"\x1b\[[0-?]*+[ -/]*+[@-~]?"  # CSI: colours, cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)"  # OSC (titles, hyperlinks) and other strings
    r"|\x1b[ -/]*+[0-~]?"  # two-character escapes
    r"|\x9b[0-?]*+[ -/]*+[@-~]?"  # CSI in one 8-bit character
)
_OTHER_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BACKTICKS = re.compile(r"`+")
_SUSPICIOUS = re.compile(
    r"[@#<>&*_~`|\\\[\]{}$^]"  # mentions, references, HTML, Markdown, formulas
    r"|:(?!$)|^:"  # addresses, emoji names; a colon that ends a word is harmless
    r"|www\.|[0-9a-f]{7}|[a-z]-\d",  # addresses, commits, GH-12 and its like
    re.IGNORECASE,
)
_STARTS_A_BLOCK = re.compile(r"\d+[.)]$|[-+=]+$")  # as a paragraph's first word: a list, rule or heading
_CLOSING = ".,;!?"


def code(text: str, limit: int = CODE_LIMIT) -> str:
    """The text as inline code that it can't break out of, on one line and cut in its middle."""
    flat = elide(one_line(text), limit)
    if not flat:
        return NOTHING
    ticks = "`" * (longest_ticks(flat) + 1)
    padding = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{padding}{flat}{padding}{ticks}"


def plain(text: str, limit: int = PLAIN_LIMIT) -> str:
    """The text on one line; its harmless words as they are, every other one as code."""
    words = elide(one_line(text), limit).split()
    return " ".join(_word(word, first=index == 0) for index, word in enumerate(words))


def _word(word: str, *, first: bool) -> str:
    if not _SUSPICIOUS.search(word) and not (first and _STARTS_A_BLOCK.match(word)):
        return word
    core = word.rstrip(_CLOSING if ":" in word[:-1] else _CLOSING + ":")
    return code(core, len(core)) + word[len(core) :] if core else code(word)


def longest_ticks(text: str) -> int:
    """The longest run of backticks: whatever quotes the text as code needs one more."""
    return max(map(len, _BACKTICKS.findall(text)), default=0)


def listing(names: Sequence[str], limit: int = 3) -> str:
    """Names in a row, the rest counted: "a, b, c and 4 more"."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def count(number: int, noun: str) -> str:
    """A number of things: "1 step", "3 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def strip_codes(text: str) -> str:
    r"""The text without terminal codes, control, bidirectional and invisible characters.

    `\t`, `\n` and `\r` stay; lone surrogates, which no API takes, become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _TERMINAL_CODES.sub("", text)
    text = _UNSEEN.sub("", _OTHER_BREAKS.sub(" ", text))
    return _SURROGATES.sub("\ufffd", text)


def one_line(text: str) -> str:
    """The text on one line, each run of white space a single space."""
    return " ".join(strip_codes(text).split())


def elide(text: str, limit: int) -> str:
    """The text in at most `limit` characters, cut in the middle, between words where that costs little."""
    if len(text) <= limit:
        return text
    room = limit - 3
    if room < 2:  # noqa: PLR2004 - nothing is left to put around the dots
        return "…"[:limit]
    tail_room = room * 2 // 5
    head, tail = text[: room - tail_room], text[len(text) - tail_room :]
    return f"{_whole_words(head, text[len(head)])}…{_whole_words(tail[::-1], text[-len(tail) - 1])[::-1]}"


def _whole_words(part: str, beyond: str) -> str:
    """`part` without the piece of a word at its end, if that leaves most of it; then a space."""
    if beyond == " " or part.endswith(" "):
        return part.rstrip() + " "
    words, space, _piece = part.rpartition(" ")
    return f"{words} " if space and len(words) * 3 >= len(part) else part
