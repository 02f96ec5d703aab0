"""What a comment can ask for. A command that can't be read is a value with a suggestion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.commands.session import Session


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a comment; `line` counts from 1.

    `pipelines` are those that it names; `everything` that it means all that apply (too). `inputs` are as
    written. `text` is what is neither: the SHA of an approval, the reason of an override.
    """

    name: str
    line: int
    pipelines: tuple[str, ...] = ()
    everything: bool = False
    dryrun: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class CommandError:
    """A line that was meant as a command but can't be read: what was meant, or why it can't."""

    line: int
    text: str
    suggestion: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParsedComment:
    """All that a comment asks for; `more` where it asks for more than is read."""

    commands: tuple[Command, ...] = ()
    errors: tuple[CommandError, ...] = ()
    more: bool = False


class CommandModule(Protocol):
    """What a command's module holds.

    Of one comment, commands of a smaller `RANK` act first, whatever their order in the comment. Where a
    command `TAKES_PROSE`, its words may hold code and links; elsewhere those are no names.
    """

    NAME: str
    USAGE: str
    WHO: str
    HELP: str
    RANK: int
    TAKES_PROSE: bool

    def parse(self, words: Sequence[str], line: int) -> Command | CommandError:
        """Turn the words after the command into what it asks for."""
        ...

    def act(self, asked: Sequence[Command], session: Session) -> None:
        """Do what all commands of this name in one comment ask for together."""
        ...
