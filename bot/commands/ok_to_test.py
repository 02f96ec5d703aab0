"""`/ok-to-test SHA`: let an untrusted head run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.commands.types import Command, CommandError
from bot.policy import texts
from bot.policy.automatic import automatic
from bot.policy.decision import Approve, DecisionKind, StartRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.session import Session

NAME = "ok-to-test"
USAGE = "/ok-to-test SHA"
WHO = "trusted users"
HELP = "Let this head of an untrusted pull request run, until the next push. SHA: at least 12 digits of it."
RANK = 20
TAKES_PROSE = False

SHA = re.compile(rf"[0-9a-fA-F]{{{texts.APPROVAL_DIGITS},64}}")


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """One SHA; none is read too, for the reply prints the line to copy."""
    if len(words) > 1:
        return CommandError(line, f"/{NAME}", reason="give the head's SHA and nothing else")
    return Command(NAME, line, text="".join(words))


def act(asked: Sequence[Command], session: Session) -> None:
    """Approve the present head, by its SHA: so nobody approves what was pushed a moment ago, unseen."""
    if not session.is_trusted():
        session.deny("approve this head")
        return
    head = session.pull.head_sha
    given = [command.text for command in asked]
    if not any(SHA.fullmatch(text) and head.startswith(text.lower()) for text in given):
        session.fail("the SHA is not the head's", texts.approve_this(head, next(filter(None, given), "")))
        return
    if head not in session.history.approved:
        session.approved.add(head)
        session.actions.append(Approve(head))
        session.done(f"{session.asker.login} approved {head[: texts.APPROVAL_DIGITS]}")
    outlook = automatic(session.pull, session.base, session.facts, "pull_request", approved=session.approved)
    if outlook.kind is DecisionKind.ERROR:
        session.is_usable()
    elif outlook.kind is not DecisionKind.RUN:
        session.reply(texts.NOTHING_WAITED)
    for action in outlook.all_actions(session.pull, session.facts):
        if isinstance(action, StartRun):
            session.want(action.name, action.pipeline)
        else:
            session.actions.append(action)
