"""Text that strangers wrote, made fit to show: no terminal codes, nothing invisible, bounded length."""

from __future__ import annotations

import re

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


def strip_codes(text: str) -> str:
    r"""The text without terminal codes, control, bidirectional and invisible characters.

    `\t`, `\n` and `\r` stay; lone surrogates, which no API takes, become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _TERMINAL_CODES.sub("", text)
    text = _UNSEEN.sub("", _OTHER_BREAKS.sub(" ", text))
    return _SURROGATES.sub("\ufffd", text)


def last_state(line: str) -> str:
    """What a terminal would show in the end of a line that carriage returns overwrote (a progress bar)."""
    if "\r" not in line:
        return line
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def clean_line(line: str) -> str:
    """One line of a log as a person would have seen it, without what could deceive its reader."""
    return last_state(strip_codes(line)).replace("\n", " ").rstrip()


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
