"""What the operator allows: which repositories are served, which DAGs they may trigger, whom all trust."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bot.models import DAY

if TYPE_CHECKING:
    from bot.models import Dag, Repository

TAG = "preflight"


class SecretPattern(str):
    """A pattern (RE2) of what the operator calls secret; stands among literal secrets, and is no literal.

    Where it has a group, only what its first group holds is secret.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Serve:
    """Repositories ("acme/*") and what holds for them.

    Without `repositories`, those of the account that owns our GitHub App. `dags` are patterns of DAG ids that
    they may trigger, None for the DAGs tagged `preflight`. `max_concurrency` is each repository's own.
    """

    repositories: tuple[str, ...] = ()
    dags: tuple[str, ...] | None = None
    max_concurrency: int | None = None

    def covers(self, full_name: str) -> bool:
        """Whether the repository is among them; letter case does not matter, as on GitHub."""
        return any(fnmatchcase(full_name.lower(), pattern.lower()) for pattern in self.repositories)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for pipelines that say nothing else: a timeout in seconds, runs of one pipeline at once."""

    timeout: float = DAY
    max_concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's word.

    Of `serves`, the first that covers a repository counts. `trust` lists organisations ("acme"), teams
    ("acme/ci") and Apps ("renovate[bot]") that are trusted everywhere. `max_concurrency` is for all.
    `redact` finds what must never be shown.
    """

    serves: tuple[Serve, ...] = ()
    trust: tuple[str, ...] = ()
    max_concurrency: int | None = None
    defaults: Defaults = field(default_factory=Defaults)
    redact: tuple[SecretPattern, ...] = ()

    def owned_by(self, owner: str | None) -> Operator:
        """The same, with the App owner's repositories where none are named; without an owner, with none."""
        own = () if owner is None else (f"{owner}/*",)
        return replace(
            self, serves=tuple(replace(one, repositories=one.repositories or own) for one in self.serves)
        )

    def serve(self, repository: Repository) -> Serve | None:
        """What holds for the repository, None if nothing covers it."""
        return next((serve for serve in self.serves if serve.covers(repository.full_name)), None)

    def refuses(self, repository: Repository, dag: Dag) -> str | None:
        """Why the repository may not trigger that DAG, None if it may."""
        serve = self.serve(repository)
        if serve is not None and serve.dags is not None:
            allowed = any(fnmatchcase(dag.id, pattern) for pattern in serve.dags)
            return None if allowed else f"DAG '{dag.id}' is not allowed here: the operator does not list it"
        return None if TAG in dag.tags else f"DAG '{dag.id}' is not allowed: it has no tag '{TAG}'"
