"""The linters that are known: how each is asked, what says that a tree uses it, how its messages read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MESSAGE = re.compile(r"(?:\./)?(?P<path>[^:\s][^:]*):(?P<place>\d+(?::\d+)?):? (?P<text>.+)")
_MOST_READ = 1_000_000
_ALWAYS = r""


@dataclass(frozen=True)
class Linter:
    """One linter."""

    name: str
    options: tuple[str, ...]
    """So that its messages are `path:line:column: text`, whatever the tree's configuration says."""
    configured_in: Mapping[str, str]
    """Files of the tree that configure it, and what they then hold (a pattern)."""

    def is_configured(self, tree: Path) -> bool:
        """Whether the tree says how it is to be used."""
        return any(_holds(tree / name, pattern) for name, pattern in self.configured_in.items())


RUFF = Linter(
    "ruff",
    ("check", "--output-format=concise", "--no-fix", "--force-exclude"),
    {"ruff.toml": _ALWAYS, ".ruff.toml": _ALWAYS, "pyproject.toml": r"(?m)^\[tool\.ruff[.\]]"},
)
PYLINT = Linter(
    "pylint",
    ("--output-format=text", "--msg-template={path}:{line}:{column}: {msg_id}: {msg} ({symbol})"),
    dict.fromkeys(("pylintrc", ".pylintrc", "pylintrc.toml", ".pylintrc.toml"), _ALWAYS)
    | {"pyproject.toml": r"(?m)^\[tool\.pylint[.\]]", "setup.cfg": r"(?m)^\[pylint"},
)
FLAKE8 = Linter(
    "flake8",
    ("--format=default",),
    {".flake8": _ALWAYS, "setup.cfg": r"(?m)^\[flake8\]", "tox.ini": r"(?m)^\[flake8\]"},
)
LINTERS = (RUFF, PYLINT, FLAKE8)
"""In the order in which they are tried on a tree that configures none."""


def message(line: str) -> tuple[str, str] | None:
    """Return of a linter's line the file that it is about, and the rest; None if it is about none."""
    found = _MESSAGE.fullmatch(line)
    return (found["path"], f"{found['place']}: {found['text']}") if found else None


def _holds(file: Path, pattern: str) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return bool(re.search(pattern, stream.read(_MOST_READ)))
    except OSError:
        return False
