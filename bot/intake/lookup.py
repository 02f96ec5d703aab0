"""Looks up the facts that a decision asks for, one at a time, until it can be made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from bot.errors import GitHubNotFound, NotAFile, Temporary
from bot.events.push import SHARED_REPOSITORY
from bot.models import Branch, PullRequest
from bot.policy.configuration import (
    PATH,
    SHARED_PATH,
    Configuration,
    ConfigurationError,
    Problem,
    check_dags,
    parse,
)
from bot.policy.facts import Base, Facts, MissingFact, find

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.events.types import Event
    from bot.intake.dags import DagFacts
    from bot.models import ChangedFiles, History, Permission, Repository
    from bot.policy.decision import Decision
    from bot.policy.operator import Operator
    from bot.ports import Clock, Ledger, People, PullRequestReader

MAX_FACTS = 1000  # a decision asks for a handful, and for each listed group that somebody may belong to
TIP_IS_GOOD_FOR = 10.0
"""Seconds for which a base's tip is good enough, if it was seen after what is decided about had happened."""

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub itself looks, in its order."""


class GitHubLags(Temporary):
    """GitHub's API has not caught up with the webhook that announced a change."""


class Room(Protocol):
    """How much room there is for lookups below GitHub's limits."""

    def __call__(self, repository: Repository, /, *, can_wait: bool) -> bool:
        """Whether there is plenty; HeldBack where there is none. For those that can wait less is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where facts come from."""

    github: PullRequestReader
    people: People
    ledger: Ledger
    dags: DagFacts
    operator: Callable[[], Operator]
    bot_login: Callable[[], str]
    clock: Clock
    check_room: Room


class Lookup:
    """The facts of one event, as a FactSource.

    While `patient`, what GitHub shows must not be older than what it told us, which was `age` seconds ago.
    Raises GitHubLags where it is, and what the adapters raise.
    """

    def __init__(
        self, sources: Sources, event: Event, *, patient: bool, age: float = 0.0, plenty: bool = True
    ) -> None:
        self.sources = sources
        self.event = event
        self.patient = patient
        self.age = age
        self.plenty = plenty
        self.postponed = False
        """Whether it was left out to check what is proposed, for which there was not `plenty` of room."""
        self.facts = Facts()

    def decide(self) -> Decision:
        """The decision on the event."""
        for _ in range(MAX_FACTS):
            try:
                return self.event.decide(self.facts)
            except MissingFact as missing:
                self._learn(missing)
        raise RuntimeError("a decision asked for facts without end")

    def _learn(self, missing: MissingFact) -> None:
        try:
            value = find(missing, self)
        except GitHubNotFound as error:
            if not self.patient:
                raise
            raise GitHubLags(f"GitHub does not show everything yet: {error}") from error
        self.facts = self.facts.learn(missing, value)

    @property
    def repository(self) -> Repository:
        """Where the event happened."""
        if self.event.repository is None:
            raise RuntimeError("a decision without a repository asked for a fact")
        return self.event.repository

    def operator(self) -> Operator:
        """What the operator allows."""
        return self.sources.operator()

    def now(self) -> datetime:
        """The time."""
        return self.sources.clock()

    def bot_login(self) -> str:
        """Our own login."""
        return self.sources.bot_login()

    def repository_now(self) -> Repository | None:
        """The repository, not as it was before what we were told of it."""
        told = self.repository
        try:
            now = self.sources.github.repository(told)
        except GitHubNotFound:
            if self.patient:
                raise
            return None
        if self.patient and (now.full_name, now.private) != (told.full_name, told.private):
            raise GitHubLags(f"GitHub's API shows another {told.full_name} than its webhook")
        return now

    def pull_request(self) -> PullRequest:
        """The pull request, not older than what we were told of it."""
        told = self.event.told
        number = told.number
        if number is None:
            raise RuntimeError("a decision about no pull request asked for one")
        pull = self.sources.github.pull_request(self.repository, number)
        if told.at is not None and pull.updated_at < told.at and self.patient:
            raise GitHubLags(f"GitHub's API still shows an older #{number} than its webhook")
        return pull

    def tip(self, branch: str) -> str | None:
        """The branch's commit, not the one that we were told is replaced."""
        try:
            tip = self.sources.github.tip(self.repository, branch)
        except GitHubNotFound:
            return None
        if tip == self.event.told.replaced and self.patient:
            raise GitHubLags(f"GitHub's API still shows {branch} as it was before the push")
        return tip

    def base(self) -> Base:
        """The base branch's tip, resolved once, and the configuration there.

        What was pushed is its own base. What a merge group goes on top of is tested with it.
        """
        subject = self._subject()
        if isinstance(subject, Branch) and not subject.merge_group:
            at = sha = subject.head_sha
        else:
            # Of many that waited, each may go by what one of them found meanwhile.
            within = min(self.age, TIP_IS_GOOD_FOR)
            at = self.sources.github.tip(subject.repository, subject.base_ref, within=within)
            sha = subject.before if isinstance(subject, Branch) else at
        content = self._file(PATH, at)
        if content is not None:
            return Base(sha, self._read(content, PATH, _parse_once), PATH)
        content = self.sources.github.shared_file(subject.repository, SHARED_PATH)
        if content is None:
            return Base(sha, None)
        source = f"{subject.repository.owner}/{SHARED_REPOSITORY}:{SHARED_PATH}"
        return Base(sha, self._read(content, source, _parse_once), source)

    def _file(self, path: str, sha: str) -> bytes | NotAFile | None:
        try:
            return self.sources.github.file(self.repository, path, sha)
        except NotAFile as error:
            return error

    def _read(
        self,
        content: bytes | NotAFile,
        source: str,
        read: Callable[[bytes, str], Configuration] = parse,
    ) -> Configuration | ConfigurationError:
        if isinstance(content, NotAFile):
            return ConfigurationError([Problem(1, str(content))])
        try:
            configuration = read(content, source)
            check_dags(configuration, lambda dag_id: self.sources.dags.describe(self.repository, dag_id))
        except ConfigurationError as error:
            return error
        return configuration

    def proposed(self) -> Configuration | ConfigurationError | None:
        """The pull request's own version of the file, if it changes it."""
        if not self.plenty:
            self.postponed = True
            return None
        pull = self.facts.pull_request()
        changed = self.changed_files()
        if changed.complete and PATH not in changed.paths:
            return None
        content = self._file(PATH, pull.head_sha)
        if content is None or (not changed.complete and content == self._file(PATH, self.facts.base().sha)):
            return None
        return self._read(content, PATH)

    def changed_files(self) -> ChangedFiles:
        """What it changes."""
        return self.sources.github.changed_files(self._subject())

    def codeowners(self) -> str:
        """The base branch's CODEOWNERS file."""
        sha = self.facts.base().sha
        found = (self._file(path, sha) for path in CODEOWNERS)
        content = next((one for one in found if isinstance(one, bytes)), b"")
        return content.decode(errors="replace")

    def permission(self, login: str) -> Permission:
        """What the user may do."""
        return self.sources.people.permission(self.repository, login)

    def member(self, login: str, group: str) -> bool:
        """Whether the user belongs there."""
        return self.sources.people.member(self.repository, login, group)

    def history(self) -> History:
        """What we remember."""
        subject = self._subject()
        return self.sources.ledger.history(subject.repository, subject.number, subject.head_sha)

    def open_pulls_at(self, sha: str) -> Sequence[int]:
        """Who has that head, as far as we heard."""
        return self.sources.ledger.open_pulls_at(self.repository, sha)

    def broken_pulls(self) -> Sequence[tuple[Repository, int]]:
        """Who may be helped by the push."""
        shared = self.repository.name == SHARED_REPOSITORY
        return self.sources.ledger.broken_pulls(self.repository, None if shared else self._subject().base_ref)

    def _subject(self) -> PullRequest | Branch:
        subject = self.event.subject(self.facts)
        if subject is None:
            raise RuntimeError("a decision about nothing asked for a fact")
        return subject


# A base branch's file is the same in most decisions; what pull requests propose is not worth keeping.
_parse_once = lru_cache(maxsize=16)(parse)
