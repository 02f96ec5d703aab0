"""The repositories that are served: does GitHub show them to us, and can their configuration be used."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, fine, skipped, warning
from bot.doctor.github import ANSWERS, CREDENTIALS, judge_quota
from bot.errors import AirflowRefused, AirflowUnavailable, DagNotFound, GitHubNotFound, GitHubRefused
from bot.policy.configuration import (
    PATH,
    SHARED_PATH,
    UNKNOWN,
    ConfigurationError,
    check_dags,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.models import Dag, Quota, Repository
    from bot.models.doctor import SeenRepository
    from bot.policy.configuration import Configuration, Unknown
    from bot.policy.operator import Operator
    from bot.ports import PullRequestReader
    from bot.ports.doctor import GitHubLook

PART = "repositories"
MOST = 30
"""Repositories that are looked at."""

MOST_PROBLEMS = 3
SEE = "See that it exists, and that the bot's user (or the App's installation) has access to it."
ON_BASE = "Mend it on the default branch; `python -m bot validate FILE` says the same."


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask. `dag` describes a DAG as DagTrigger does; `operator` is the completed word."""

    look: GitHubLook
    github: PullRequestReader
    quota: Callable[[Repository], Quota | None]
    dag: Callable[[str], Dag]
    operator: Callable[[], Operator]


def named(operator: Operator) -> list[str]:
    """The repositories that are served by their whole name, in order."""
    patterns = (pattern for serve in operator.serves for pattern in serve.repositories)
    return [pattern for pattern in dict.fromkeys(patterns) if not set(pattern) & set("*?[")]


def repository_checks(sources: Sources, operator: Operator, asked: Sequence[str] = ()) -> list[Check]:
    """What is looked at of repositories served by name, and of those `asked` about."""
    names = list(dict.fromkeys([*asked, *named(operator)]))

    def served() -> tuple[Diagnosis]:
        return (judge_served(operator, names),)

    return [
        Check(PART, "served", served, SEE),
        *(
            Check(PART, name, partial(_look, sources, name), SEE, (ANSWERS, CREDENTIALS))
            for name in names[:MOST]
        ),
    ]


def judge_served(operator: Operator, names: Sequence[str]) -> Diagnosis:
    """Whether any repository is served at all."""
    if not operator.serves:
        return broken(
            "no repository is served: all deliveries are ignored",
            "Name repositories in PREFLIGHT_REPOSITORIES (acme/website,acme/lib-*), or in the file of "
            "PREFLIGHT_CONFIG.",
        )
    if names:
        return fine(
            f"{len(names)} by name" + (f", of which {MOST} are looked at" if len(names) > MOST else "")
        )
    shown = (
        ", ".join(sorted({p for serve in operator.serves for p in serve.repositories})) or "the App owner's"
    )
    return skipped(f"{shown}: none by its whole name", "`--repository OWNER/NAME` looks at one.")


def judge_repository(name: str, seen: SeenRepository, operator: Operator) -> Iterator[Diagnosis]:
    """Whether it is served under the name that it has."""
    now = seen.repository.full_name
    if operator.serve(seen.repository) is None:
        renamed = (
            f"{name} is called {now} now, and that is not served" if now != name else f"{name} is not served"
        )
        yield broken(renamed, f"Write {now} into PREFLIGHT_REPOSITORIES or PREFLIGHT_CONFIG.")
    if seen.archived:
        yield warning(f"{now} is archived: nothing can be reported there", "Serve it no longer.")


def _look(sources: Sources, name: str) -> Iterator[Diagnosis]:
    try:
        seen = sources.look.repository(name)
    except GitHubNotFound:
        yield broken(f"GitHub has no {name}, or does not show it to us", SEE)
        return
    except GitHubRefused as error:
        yield broken(str(error), SEE)
        return
    operator = sources.operator()
    yield from judge_repository(name, seen, operator)
    yield from _configured(sources, seen, operator)
    quota = sources.quota(seen.repository)
    if quota is not None:
        yield judge_quota(quota)


def _configured(sources: Sources, seen: SeenRepository, operator: Operator) -> Iterator[Diagnosis]:
    """Whether its configuration can be used, and its DAGs run."""
    repository = seen.repository
    content, where = _content(sources.github, repository, seen.default_branch)
    if content is None:
        yield warning(
            f"{repository.full_name} has no {PATH} on {seen.default_branch}, so nothing runs there",
            f"Put one there (deploy/CONFIGURATION.md), or {SHARED_PATH} into {repository.owner}/.github.",
        )
        return
    try:
        configuration = parse(content, where)
        check_dags(configuration, lambda dag_id: describe(sources.dag, operator, repository, dag_id))
    except ConfigurationError as error:
        for problem in error.problems[:MOST_PROBLEMS]:
            yield broken(str(problem), ON_BASE)
        return
    yield judge_configuration(configuration, where)


def judge_configuration(configuration: Configuration, where: str) -> Diagnosis:
    """A configuration without problems."""
    if not configuration.pipelines:
        return warning(f"{where} has no pipelines", "Name one: see deploy/CONFIGURATION.md.")
    return fine(f"{where}: {', '.join(configuration.pipelines)}")


def describe(
    dag: Callable[[str], Dag], operator: Operator, repository: Repository, dag_id: str
) -> Dag | Unknown | str:
    """The DAG; why the repository may not, or can't, run it; UNKNOWN where Airflow does not say."""
    try:
        found = dag(dag_id)
    except DagNotFound:
        return f"DAG {dag_id!r} is not in Airflow"
    except (AirflowUnavailable, AirflowRefused):
        return UNKNOWN
    if found.paused:
        return f"DAG {dag_id!r} is paused in Airflow"
    if found.import_error:
        return f"DAG {dag_id!r} can't be imported by Airflow"
    return operator.refuses(repository, found) or found


def _content(github: PullRequestReader, repository: Repository, branch: str) -> tuple[bytes | None, str]:
    """The configuration that holds for the repository, and where it stands."""
    with suppress(GitHubNotFound):  # a repository without a commit
        own = github.file(repository, PATH, github.tip(repository, branch))
        if own is not None:
            return own, PATH
    return github.shared_file(repository, SHARED_PATH), f"{repository.owner}/.github:{SHARED_PATH}"
