"""Reads a `.env` file, strictly: a line that python-dotenv would pass over is an error here."""

from __future__ import annotations

import io
import re

from dotenv.parser import parse_stream

from deploy.local.errors import StackError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse(text: str) -> dict[str, str]:
    """The variables of a file's text; those without a value are left out. Nothing is expanded.

    Raises:
        StackError: a line is none of what is allowed; the message has its number, not its (secret) text.
    """
    found = {}
    for binding in parse_stream(io.StringIO(text)):
        name, value = binding.key, binding.value
        if binding.error or (name is not None and (value is None or not _NAME.fullmatch(name))):
            number = binding.original.line
            raise StackError(
                f".env, line {number}: expected NAME=value, in quotes if it contains # or quotes."
            )
        if name and value:
            found[name] = value
    return found
