"""What a failed test says, in a line."""

import re

MAX_MESSAGE = 500
_LINES = 3
_MAX_LINES = 1000
_LOOKED_AT = 64 * 1024
_ANSI = re.compile(r"(?:\x1b|#x1[Bb]|\\x1b|\\u001b)\[[0-9;]{0,20}m")
_NOTHING_SAID = frozenset({"", "failed", "failure", "error", "test failed", "collection failure", "failed!"})
_NOISE = re.compile(
    r"\s*(?:=== (?:RUN|PAUSE|CONT|NAME)\b|--- FAIL|FAIL\b|File \"|Traceback|\u276f|#\d+ )"
    r"|\s*(?:goroutine \d|Error Trace:)"
    r"|thread .{1,200} panicked at \S+$"
    r"|\s+at |\s*[^\s:]+:\d+:?\s*$|\W*$"
)
_PLACE = re.compile(r"\s*[\w./@+-]+\.\w{1,10}:\d+(?::\d+)?:\s+")
_PYTEST = re.compile(r"^E {1,20}(\S.*)$", re.MULTILINE)


def message_of(message: str, text: str, kind: str) -> str:
    """Return the first lines of what a failure says (its message, else its text, else its kind) as one."""
    told, text = _plain(message).strip(), _plain(text)
    if told.lower() in _NOTHING_SAID:
        told = "\n".join(_PYTEST.findall(text)) or text or told
    elif told.endswith(":") or _NOISE.fullmatch(told):  # only the place of what the text says
        told = f"{told}\n{text}"
    told_lines = told.splitlines()[:_MAX_LINES]
    lines = [line for line in told_lines if not _NOISE.match(line)] or told_lines
    said = " ".join(_without_place(line) for line in lines[:_LINES])
    return one_line(said, MAX_MESSAGE) or one_line(_plain(kind), MAX_MESSAGE)


def _without_place(line: str) -> str:
    place = _PLACE.match(line)
    return line[place.end() :] if place else line


def one_line(text: str, most: int) -> str:
    """Return `text` without line ends and what does not print, elided at the end."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _plain(text: str) -> str:
    return _ANSI.sub("", text[:_LOOKED_AT])
