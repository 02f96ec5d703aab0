"""Secrets taken out of text before it is stored or shown: by their well-known shapes, and literally.

Every pattern is linear on hostile input: it starts at a literal or a boundary, repeats one character class
possessively, and is tried only on lines that hold its literal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.prose import strip_codes

if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED = "[redacted]"
MIN_LITERAL = 6
"""Shorter literal secrets are not looked for: they would hide ordinary words."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """A secret's pattern, tried where one of `anchors` (in lower case) occurs. Group 1 is kept."""

    anchors: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(anchors: str, pattern: str, *, flags: int = 0) -> _Shape:
    return _Shape(tuple(anchors.split()), re.compile(pattern, re.ASCII | flags))


# Where a token may begin: not inside a word, but after an escaped line end or percent-encoded character.
_EDGE = r"((?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})))"

_SHAPES = (
    _shape("ghp_ gho_ ghu_ ghs_ ghr_", _EDGE + r"gh[pousr]_[\w.-]{16,}+"),  # GitHub
    _shape("github_pat_", r"()github_pat_\w{16,}+"),
    _shape("glpat-", _EDGE + r"glpat-[\w.-]{16,}+"),  # GitLab
    _shape("aiza", _EDGE + r"AIza[\w-]{35}"),  # Google API key
    _shape("ya29.", _EDGE + r"ya29\.[\w.-]{16,}+"),  # Google access token
    _shape("1//0", _EDGE + r"1//0[\w-]{20,}+"),  # Google refresh token
    _shape("gocspx-", _EDGE + r"GOCSPX-[\w-]{20,}+"),  # Google client secret
    _shape("private_key", r'("private_key(?:_id)?\\?"\s*+:\s*+\\?")[^"]{8,}+'),  # Google service account
    _shape("akia asia abia acca", _EDGE + r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS
    _shape(
        "secret session_token sessiontoken",
        r"(aws_?(?:secret(?:_?access)?_?key|session_?token)[\"']?\s*+[:=]\s*+[\"']?)[\w/+=]{16,}+",
        flags=re.IGNORECASE,
    ),
    _shape("secretaccesskey", r'("SecretAccessKey"\s*+:\s*+")[^"]{16,}+'),
    _shape("accountkey=", r"(AccountKey=)[\w/+=]{16,}+"),  # Azure
    _shape("xox", _EDGE + r"xox[a-z]-[\w.-]{10,}+"),  # Slack
    _shape("xapp-", _EDGE + r"xapp-[\w-]{10,}+"),
    _shape("hooks.slack.com/", r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/]{16,}+"),
    _shape("npm_", _EDGE + r"npm_[A-Za-z0-9]{36}"),
    _shape(
        "_auth _password", r"((?:^|:)_(?:authToken|auth|password)\s*+=\s*+[\"']?)[\w+/=.-]{8,}+"
    ),  # .npmrc
    _shape("pypi-age", _EDGE + r"pypi-AgE[\w-]{16,}+"),
    _shape("sk_ rk_", _EDGE + r"[sr]k_(?:live|test)_\w{16,}+"),  # Stripe
    _shape("sk-", _EDGE + r"sk-(?:ant|proj|svcacct)-[\w-]{16,}+"),  # model providers
    _shape("hf_", _EDGE + r"hf_[A-Za-z]{30,}+"),  # Hugging Face
    _shape("sg.", _EDGE + r"SG\.[\w-]{16,}+\.[\w-]{16,}+"),  # SendGrid
    _shape("dckr_", _EDGE + r"dckr_[po]at_[\w-]{16,}+"),  # Docker
    _shape("age-secret-key-", _EDGE + r"AGE-SECRET-KEY-1[A-Z0-9]{50,}+"),
    _shape(
        "eyj", r"((?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+(?:\.[\w-]*+)?"
    ),  # JWT
    _shape("://", r"(://[^\s/:@]*+:)[^\s/\"'<>`]+(?=@)"),  # scheme://user:password@host
    _shape(
        "authorization",
        r"(authorization\\?[\"']?\s*+[:=]\s*+\\?[\"']?(?:bearer|basic|token|digest|negotiate|apikey)\s++)"
        r"[\w.~+/=-]{6,}+",
        flags=re.IGNORECASE,
    ),
    _shape("bearer", r"(\bbearer\s++)[\w.~+/=-]{20,}+", flags=re.IGNORECASE),
    _shape(
        "x-api-key private-token x-auth-token",
        r"((?:x-api-key|private-token|x-auth-token)[\"']?\s*+[:=]\s*+[\"']?)[\w.~+/=-]{6,}+",
        flags=re.IGNORECASE,
    ),
)
_ANCHORS = tuple(anchor for shape in _SHAPES for anchor in shape.anchors)

_KEY = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_KEY_BEGIN = re.compile(r"-{4,5} ?BEGIN " + _KEY)
_KEY_END = re.compile(r"-{4,5} ?END " + _KEY)
_KEY_MATERIAL = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{32}")
_KEY_REMAINDER = re.compile(
    r"\s*+(?:[A-Za-z0-9+/=]{0,76}|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Subject):.*)\s*+"
)


class Redactor:
    """Takes secrets out of one text, line by line; hides all lines of a private key's block."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._literals = _literals(secrets)
        self._in_key = False
        self._foreign_lines: int | None = None  # since the last key material; None before the first

    def line(self, line: str) -> str | None:
        """The line without secrets and terminal codes; None for a further line of a private key."""
        text: str | None = strip_codes(line)
        if self._in_key:
            text = self._leave_key(text or "")
        if text is None:
            return None
        return self._shapes(self._hide_keys(text))

    def _leave_key(self, text: str) -> str | None:
        """What follows the key's end in this line; None while inside. A key without an end ends by itself."""
        end = _KEY_END.search(text)
        if end is not None:
            self._in_key = False
            return text[end.end() :] if text[end.end() :].strip("\"', \t\r") else None
        if _KEY_MATERIAL.search(text):
            self._foreign_lines = 0
            return None
        if _KEY_REMAINDER.fullmatch(text):
            return None
        if self._foreign_lines == 0:  # in a log with prefixed lines, the key's short last line looks foreign
            self._foreign_lines = 1
            return None
        self._in_key = False
        return text

    def _hide_keys(self, text: str) -> str:
        if "PRIVATE KEY" not in text:
            return text
        shown, position = [], 0
        while (begin := _KEY_BEGIN.search(text, position)) is not None:
            shown += [text[position : begin.start()], REDACTED]
            end = _KEY_END.search(text, begin.end())
            if end is None:
                self._in_key, self._foreign_lines = True, None
                return "".join(shown)
            position = end.end()
        return "".join((*shown, text[position:]))

    def _shapes(self, text: str) -> str:
        for literal in self._literals:
            text = text.replace(literal, REDACTED)
        holds = text.lower().__contains__
        if not any(map(holds, _ANCHORS)):
            return text  # nearly every line of a log
        for shape in _SHAPES:
            if any(map(holds, shape.anchors)):
                text = shape.pattern.sub(rf"\g<1>{REDACTED}", text)
        return text


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without secrets: those of well-known shapes and the given ones. Terminal codes go too."""
    redactor = Redactor(secrets)
    lines = (redactor.line(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line is not None)


def _literals(secrets: Iterable[str]) -> tuple[str, ...]:
    """What to look for: each line of each secret, also as a URL would spell it; the longest first."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    spelled = lines | {quote(line, safe="", errors="replace") for line in lines}
    found = {text for text in spelled if len(text) >= MIN_LITERAL and text not in REDACTED}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))
