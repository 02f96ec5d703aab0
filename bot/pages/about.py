"""What a run's page says about the run as a whole: how it stands, what it is for, where to find more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.models import PREFIX, Outcome
from bot.pages.words import standing
from bot.prose import one_line
from bot.report.duration import coarse, human, seconds_between
from bot.report.links import Links
from bot.report.statuses.status import describe_run

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Run
    from bot.pages.words import Standing

DESCRIPTION_LIMIT = 400
PRINTED = "Nothing was run. Below is what each step would run."
PRINTING = "Nothing is run: each step only says what it would run."


@dataclass(frozen=True, slots=True)
class About:
    """The page's head. Addresses are empty where there is none; `pull` is 0 for a branch."""

    name: str
    standing: Standing
    description: str
    subject: str
    subject_url: str
    pull: int
    commit_url: str
    airflow_url: str
    took: str


def about(run: Run, now: datetime, github_url: str, airflow_url: str, usual: float | None = None) -> About:
    """All that is said about the (redacted) run itself; `usual` is how many seconds one like it takes."""
    commit_url = commit_address(run, github_url)
    return About(
        name=pipeline_name(run),
        standing=standing(run),
        description=_description(run, now, usual),
        subject=subject_of(run),
        subject_url=f"{repository_address(run, github_url)}/pull/{run.number}"
        if run.number > 0
        else commit_url,
        pull=max(run.number, 0),
        commit_url=commit_url,
        airflow_url=Links("", airflow_url).airflow_run(run),
        took=took(run, now),
    )


def pipeline_name(run: Run) -> str:
    """The pipeline, with the inputs that somebody gave."""
    return one_line(run.context.removeprefix(PREFIX))


def subject_of(run: Run) -> str:
    """What was tested: a pull request, or a branch that was pushed or made by a merge queue."""
    if run.number > 0:
        text = f"{run.repository.full_name} #{run.number}"
    elif run.branch == run.base_ref:
        text = f"{run.repository.full_name}, branch {run.branch}"
    else:
        text = f"{run.repository.full_name}, merge group {run.branch}"
    return one_line(text)


def took(run: Run, now: datetime) -> str:
    """How long it took; how long it goes on already, roughly; empty where it has not begun."""
    seconds = seconds_between(run.started_at, run.finished_at or now)
    if seconds is None:
        return ""
    return human(seconds) if run.finished else coarse(seconds)


def repository_address(run: Run, github_url: str) -> str:
    """The repository on GitHub."""
    return f"{github_url}/{quote(run.repository.full_name)}"


def commit_address(run: Run, github_url: str) -> str:
    """The head commit on GitHub."""
    return f"{repository_address(run, github_url)}/commit/{quote(run.head_sha, safe='')}"


def _description(run: Run, now: datetime, usual: float | None) -> str:
    _, description = describe_run(run, now, usual, DESCRIPTION_LIMIT)
    if run.dryrun and run.outcome is Outcome.SUCCESS:
        return PRINTED
    if run.dryrun and run.outcome is None:
        return f"{PRINTING} ({description})"
    return description
