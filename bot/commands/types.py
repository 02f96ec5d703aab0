"""What a comment can ask for. A command that can't be read is a value with a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a comment. No `pipelines` means all that apply; `line` counts from 1."""

    name: str
    pipelines: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class CommandError:
    """A line that was meant as a command but can't be read: what was meant, or why it can't."""

    line: int
    text: str
    suggestion: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParsedComment:
    """All that a comment asks for."""

    commands: tuple[Command, ...]
    errors: tuple[CommandError, ...]


class CommandModule(Protocol):
    """What a command's module holds."""

    NAME: str
    USAGE: str
    HELP: str

    def parse(self, arguments: Sequence[str], line: int) -> Command | CommandError:
        """Turn the words after the command into what it asks for."""
        ...
