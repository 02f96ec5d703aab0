"""`/override NAME REASON`: turn a context to success for this head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.suggest import nearest
from bot.commands.types import Command, CommandError
from bot.models import PREFIX, StatusState
from bot.policy import texts
from bot.policy.decision import ShowStatus
from bot.prose import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.session import Session

NAME = "override"
USAGE = "/override NAME REASON"
WHO = "people with maintain or admin permission"
HELP = "Turn that pipeline's status to success for this head, whatever it shows, until `/test NAME`."
RANK = 30
TAKES_PROSE = True

PEOPLE = "only people with the maintain or admin role"


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """A name, and a reason that others will read."""
    if len(words) < 2:  # noqa: PLR2004 - a name and a word of reason
        return CommandError(line, f"/{NAME}", reason="say which pipeline and why: /override NAME REASON")
    return Command(NAME, line, (words[0].removeprefix(PREFIX),), text=" ".join(words[1:]))


def act(asked: Sequence[Command], session: Session) -> None:
    """Override each context, on the word of somebody who is responsible for the repository."""
    login = session.asker.login
    if not session.facts.permission(login).can_override:
        session.deny("override a result", PEOPLE)
        return
    if not session.is_usable():
        return
    seen_at, said_at = session.history.head_seen_at, session.asker.at
    if seen_at is not None and said_at is not None and seen_at > said_at:
        session.fail("the head has moved since", texts.moved_since(session.pull.head_sha))
        return
    for command in asked:
        (name,) = command.pipelines
        if name not in session.pipelines:
            known = tuple(session.pipelines)
            session.fail(f"no pipeline {name!r}", texts.unknown_pipeline(name, nearest(name, known), known))
            continue
        said = texts.overridden(login, one_line(command.text))
        session.actions.append(ShowStatus(PREFIX + name, name, StatusState.SUCCESS, said, override=True))
        session.done(f"{login} overrode {name}: {command.text}")
