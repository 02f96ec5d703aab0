"""What a comment's commands come to: the union of all of them, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import modules
from bot.commands.session import Session
from bot.models import CLICK
from bot.policy import texts
from bot.policy.decision import Answer, Decision, DecisionKind
from bot.policy.runs import stale_runs
from bot.policy.trust import APP, is_trusted

if TYPE_CHECKING:
    from bot.commands.session import Asker
    from bot.commands.types import ParsedComment
    from bot.policy.facts import Facts


def decide(parsed: ParsedComment, asker: Asker, facts: Facts) -> Decision:
    """What the commands do, on the pull request as it is now."""
    if not parsed.commands and not parsed.errors:
        return Decision(DecisionKind.IGNORE, "the comment holds no command")
    if asker.login.lower() == facts.bot_login().lower():
        return Decision(DecisionKind.IGNORE, "the comment is our own")
    pull = facts.pull_request()
    if not pull.open:
        return Decision(DecisionKind.IGNORE, "the pull request is closed", subject=pull)
    base = facts.base()
    if base.configuration is None:
        return Decision(DecisionKind.IGNORE, texts.NOT_CONFIGURED, subject=pull, base=base)
    if asker.login.endswith(APP) and not is_trusted(asker.login, base, facts):
        return Decision(DecisionKind.IGNORE, "bots give no commands unless they are listed", subject=pull)
    session = Session(asker, pull, base, facts)
    session.actions += stale_runs(pull, session.history)
    if parsed.more:
        session.reply(texts.TOO_MANY_COMMANDS)
    for error in parsed.errors:
        session.fail(
            "a line could not be read", texts.misread(error.line, error.text, error.suggestion, error.reason)
        )
    for module in sorted(modules().values(), key=lambda module: module.RANK):
        asked = [command for command in parsed.commands if command.name == module.NAME]
        if asked:
            module.act(asked, session)
    session.start()
    kind, reason = session.outcome()
    actions = (_answer(asker, session.replies), *session.actions)
    return Decision(kind, reason, actions, pull, base, asker.login, session.history.decision)


def _answer(asker: Asker, replies: list[str]) -> Answer:
    said = _joined(replies)
    if asker.comment_id == CLICK and said:
        said = texts.to_who_clicked(asker.login, said)
    return Answer(asker.comment_id, said)


def _joined(replies: list[str]) -> str:
    """One reply; where it holds several, each is an item of a list."""
    if len(replies) < 2:  # noqa: PLR2004 - one is no list
        return "".join(replies)
    return "\n".join("- " + reply.replace("\n", "\n  ") for reply in replies)
