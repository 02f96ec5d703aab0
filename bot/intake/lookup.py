"""Looks up the facts that a decision asks for, one at a time, until it can be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.policy.configuration import PATH, ConfigurationError, parse
from bot.policy.decide import decide
from bot.policy.facts import Base, Facts, MissingFact

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.events.types import CommentEvent, PullRequestEvent
    from bot.models import PullRequest
    from bot.policy.decision import Decision
    from bot.ports import Ledger, PullRequestReader

MAX_FACTS = 100  # a decision asks for a handful


class Lookup:
    """Facts about one event's pull request, from GitHub and from what we remember."""

    def __init__(self, github: PullRequestReader, ledger: Ledger, bot_login: Callable[[], str]) -> None:
        self.github = github
        self.ledger = ledger
        self.bot_login = bot_login

    def decide(self, event: PullRequestEvent | CommentEvent, pull: PullRequest | None = None) -> Decision:
        """The decision on the event; raises what the adapters raise."""
        facts = Facts() if pull is None else Facts().learn(MissingFact("pull_request"), pull)
        for _ in range(MAX_FACTS):
            try:
                return decide(event, facts)
            except MissingFact as missing:
                facts = facts.learn(missing, self._find(missing, event, facts))
        raise RuntimeError("a decision asked for facts without end")

    def _find(self, missing: MissingFact, event: PullRequestEvent | CommentEvent, facts: Facts) -> object:
        repository, number = event.repository, event.number
        match missing.name:
            case "pull_request":
                return self.github.pull_request(repository, number)
            case "permission":
                return self.github.permission(repository, missing.about)
            case "base":
                return self._base(facts.pull_request())
            case "changed_files":
                return self.github.changed_files(repository, number)
            case "history":
                return self.ledger.history(repository, number, facts.pull_request().head_sha)
            case "bot_login":
                return self.bot_login()
            case name:
                raise RuntimeError(f"a decision asked for an unknown fact: {name}")

    def _base(self, pull: PullRequest) -> Base:
        """The base branch's tip, resolved once, and the configuration there."""
        sha = self.github.tip(pull.repository, pull.base_ref)
        content = self.github.file(pull.repository, PATH, sha)
        if content is None:
            return Base(sha, None)
        try:
            return Base(sha, parse(content))
        except ConfigurationError as error:
            return Base(sha, error)
