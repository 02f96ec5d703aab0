"""Comment -> commands -> decision: the grammar, and one module per command.

A command's module holds everything about it: `NAME`, `USAGE`, `WHO` may, `HELP`, its `RANK` among the
commands of one comment, `parse` (words -> Command) and `act` (what it does). A new command is a new module
here; nothing else lists them.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache, lru_cache
from typing import TYPE_CHECKING, cast

from bot.commands.grammar import command_lines
from bot.commands.suggest import nearest
from bot.commands.types import Command, CommandError, ParsedComment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.commands.grammar import CommandLine
    from bot.commands.types import CommandModule

MAX_COMMANDS = 50  # a comment of 65,536 characters could hold thousands


@cache
def modules() -> Mapping[str, CommandModule]:
    """Every command by its name."""
    found = (importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))
    named = (cast("CommandModule", module) for module in found if hasattr(module, "NAME"))
    return {module.NAME: module for module in sorted(named, key=lambda module: module.NAME)}


@lru_cache(maxsize=64)  # a decision that asks for facts parses its comment again and again
def parse(body: str) -> ParsedComment:
    """The commands of a comment, and what looked like one but is not. Never raises.

    A line that begins with a slash but resembles no command of ours says nothing to us: other bots
    live here too. What is said twice counts once.
    """
    commands: list[Command] = []
    errors: list[CommandError] = []
    seen: set[str] = set()
    for line in command_lines(body):
        if line.source in seen:
            continue
        seen.add(line.source)
        parsed = _parse_line(line)
        if isinstance(parsed, Command):
            commands.append(parsed)
        elif parsed is not None:
            errors.append(parsed)
    more = len(commands) > MAX_COMMANDS or len(errors) > MAX_COMMANDS
    return ParsedComment(tuple(commands[:MAX_COMMANDS]), tuple(errors[:MAX_COMMANDS]), more=more)


def _parse_line(line: CommandLine) -> Command | CommandError | None:
    name, *words = line.text.split()
    module = modules().get(name[1:].lower())
    if module is None:
        near = nearest(name[1:].lower(), modules())
        return None if near is None else CommandError(line.number, name, f"/{near}")
    if not line.plain and module.TAKES_PROSE:
        words = line.source.split()[1:]
    elif not line.plain:
        return CommandError(line.number, name, reason="write names as plain text, without code or links")
    return module.parse(words, line.number)


def help_text() -> str:
    """What `/help` says about commands, from the commands' own help (Markdown)."""
    rows = [f"| `{module.USAGE}` | {module.WHO} | {module.HELP} |" for module in modules().values()]
    return "\n".join(("| command | who | what |", "|---|---|---|", *rows))
