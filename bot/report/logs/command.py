"""A command as people may copy it: exact, but for secrets and for what can't be seen, which is spelt out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.prose import strip_codes
from bot.report.logs.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterable


def shown_command(command: str, secrets: Iterable[str] = ()) -> str:
    """The command in as many lines as it has, without any around it."""
    return redact(spelt_out(command.strip()), secrets)


def spelt_out(text: str) -> str:
    """The text with each control, bidirectional or invisible character as `<U+202E>`.

    Left out they would make another command of it, and left in they deceive whoever reads it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_seen(char) else f"<U+{ord(char):04X}>" for char in text)


def _is_seen(char: str) -> bool:
    return char in "\t\n" or (char.isprintable() and strip_codes(char) == char)
