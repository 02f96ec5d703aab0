"""Reads a `.env` file: `NAME=value` lines, comments, values in quotes if need be. Nothing is expanded."""

from __future__ import annotations

import re

from deploy.local.errors import StackError

_LINE = re.compile(
    r"""(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^"'#\s][^#]*|)\s*(?:\#.*)?"""
)


def parse(text: str) -> dict[str, str]:
    """The variables of a file's text; those without a value are left out.

    Raises:
        StackError: a line is none of what is allowed; the message has its number, not its (secret) text.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise StackError(
                f".env, line {number}: expected NAME=value, in quotes if it contains # or quotes."
            )
        value = match["value"].strip().strip("\"'")
        if value:
            found[match["name"]] = value
    return found
