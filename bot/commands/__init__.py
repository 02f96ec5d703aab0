"""Comment -> commands: the grammar, and one module per command.

A command's module holds its `NAME`, `USAGE` and `HELP`, and `parse`, which turns its arguments into a
Command or raises CommandError. A new command is a new module here; nothing else lists them.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from bot.commands.grammar import command_lines
from bot.commands.suggest import nearest
from bot.commands.types import Command, CommandError, CommandModule, ParsedComment

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_COMMANDS = frozenset({"types", "grammar", "suggest"})
MAX_COMMANDS = 50  # a comment of 65,536 characters could hold thousands


@cache
def modules() -> Mapping[str, CommandModule]:
    """Every command by its name."""
    names = {module.name for module in pkgutil.iter_modules(__path__)} - NOT_COMMANDS
    found = [importlib.import_module(f"{__name__}.{name}") for name in sorted(names)]
    return {module.NAME: module for module in found}


def parse(body: str) -> ParsedComment:
    """The commands of a comment, and what looked like one but is not. Never raises.

    A line that begins with a slash but resembles no command of ours says nothing to us: other bots
    live here too.
    """
    commands: list[Command] = []
    errors: list[CommandError] = []
    for line in command_lines(body):
        name, *arguments = line.text.split()
        module = modules().get(name[1:].lower())
        if module is None:
            near = nearest(name[1:].lower(), modules())
            if near is not None:
                errors.append(CommandError(line.number, name, f"/{near}"))
            continue
        if not line.plain:
            errors.append(
                CommandError(line.number, name, "", "write names as plain text, without code or links")
            )
            continue
        parsed = module.parse(arguments, line.number)
        (commands if isinstance(parsed, Command) else errors).append(parsed)  # type: ignore[arg-type]
    return ParsedComment(tuple(commands[:MAX_COMMANDS]), tuple(errors[:MAX_COMMANDS]))
