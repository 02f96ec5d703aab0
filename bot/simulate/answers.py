"""Answers what a decision asks for out of FACTS, where the worker would look it up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bot.errors import PreflightError
from bot.models import Dag
from bot.policy.configuration import PATH, ConfigurationError, check_dags, parse
from bot.policy.facts import Base, find
from bot.policy.operator import TAG, Operator, Serve
from bot.simulate.history import history_of
from bot.simulate.pull_request import known_pull

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import ChangedFiles, History, Permission, PullRequest, Repository
    from bot.policy.configuration import Configuration
    from bot.policy.facts import MissingFact
    from bot.simulate.given import Given
    from bot.simulate.scene import Scene

MOST_FILES = 3000
MOST_COMPARED = 300
"""From so many on, GitHub may have cut its list: of a pull request, of a comparison."""

EVERYTHING = Operator((Serve(("*",)),))
"""An operator who serves every repository and trusts nobody in particular."""


class NotGiven(PreflightError):
    """FACTS do not hold what the decision needs; `fact` is where it should stand ("permissions: alice")."""

    def __init__(self, fact: str) -> None:
        super().__init__(f"FACTS do not say what the decision needs: {fact}")
        self.fact = fact


@dataclass(frozen=True, slots=True)
class Config:
    """The base branch's preflight.yaml; `path` is what its problems name."""

    content: bytes
    path: str


class Answers:
    """The facts of one scene, as a FactSource. `config` is None where there is no preflight.yaml."""

    def __init__(self, given: Given, scene: Scene, config: Config | None) -> None:
        self.given, self.scene, self.config = given, scene, config

    def find(self, missing: MissingFact) -> object:
        """The fact; NotGiven where FACTS would have to say it and don't."""
        if not hasattr(self, missing.name):  # a part of the pull request
            raise NotGiven(" ".join((missing.name, *missing.about)))
        return find(missing, self)

    def operator(self) -> Operator:
        """Everything is allowed."""
        return EVERYTHING

    def now(self) -> datetime:
        """The time that was given."""
        return self.given.now

    def bot_login(self) -> str:
        """Our own login."""
        return self.given.bot_login

    def repository_now(self) -> Repository:
        """As the payload has it."""
        return self.scene.repository

    def pull_request(self) -> PullRequest:
        """What payload and FACTS say of it."""
        scene = self.scene
        return known_pull(scene.repository, scene.number, scene.pull, self.given.now)

    def tip(self, branch: str) -> str:
        """No branch has moved since."""
        return self.scene.head_sha if branch == self.scene.branch else self.scene.base_sha

    def base(self) -> Base:
        """The base branch with the configuration that was given."""
        return self._base

    def codeowners(self) -> str:
        """The file that was given."""
        return self.given.codeowners

    def history(self) -> History:
        """What FACTS say that happened before."""
        return history_of(self.given, self.scene, self._base)

    def open_pulls_at(self, sha: str) -> Sequence[int]:
        """The pull request of the scene, if that is its head."""
        return (self.scene.number,) if self.scene.number > 0 and sha == self.scene.head_sha else ()

    def broken_pulls(self) -> Sequence[tuple[Repository, int]]:
        """No other pull requests are known."""
        return ()

    @cached_property
    def _base(self) -> Base:
        config = self.config
        if config is None:
            return Base(self.scene.base_sha, None)
        return Base(self.scene.base_sha, self._read(config.content, config.path), config.path)

    def proposed(self) -> Configuration | ConfigurationError | None:
        """The pull request's own version, if FACTS give one."""
        text = self.given.proposed_config
        return None if text is None else self._read(text.encode(errors="replace"), PATH)

    def _read(self, content: bytes, source: str) -> Configuration | ConfigurationError:
        try:
            configuration = parse(content, source)
            if self.given.dags is not None:
                check_dags(configuration, self._describe)
        except ConfigurationError as error:
            return error
        return configuration

    def _describe(self, dag_id: str) -> Dag | str:
        params = (self.given.dags or {}).get(dag_id)
        if params is None:
            return f"DAG '{dag_id}' is not allowed: FACTS do not list it under dags"
        return Dag(dag_id, frozenset({TAG}), paused=False, params=params)

    def changed_files(self) -> ChangedFiles:
        """The files that were given, cut where GitHub would cut them."""
        if self.given.changed_files is None:
            raise NotGiven("changed_files")
        return self.given.changed_files.within(MOST_COMPARED if self.scene.branch else MOST_FILES)

    def permission(self, login: str) -> Permission:
        """The role that was given."""
        try:
            return self.given.permissions[login.lower()]
        except KeyError:
            raise NotGiven(f"permissions: {login}") from None

    def member(self, login: str, group: str) -> bool:
        """Whether the user is listed there."""
        for known, logins in self.given.members.items():
            if known.lower() == group.lower():
                return login.lower() in {member.lower() for member in logins}
        raise NotGiven(f"members: {group}")
