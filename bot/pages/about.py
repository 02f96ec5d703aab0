"""What a run's page says about the run as a whole: how it stands, what it is for, where to find more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.models import PREFIX, Outcome, Phase
from bot.prose import one_line
from bot.report.status import describe_run

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Run

WORDS = {
    Outcome.SUCCESS: "passed",
    Outcome.FAILURE: "failed",
    Outcome.ERROR: "error",
    Outcome.CANCELLED: "cancelled",
    Outcome.TIMED_OUT: "timed out",
}
UNFINISHED = {Phase.WANTED: "waiting", Phase.RESUMING: "resuming", Phase.ACTIVE: "running"}
PRINTED = "Nothing was run. Below is what each step would run."
PRINTING = "Nothing is run: each step only says what it would run."


@dataclass(frozen=True, slots=True)
class About:
    """The page's head. `kind` is a word for its colour; addresses are empty where there is none."""

    name: str
    word: str
    kind: str
    description: str
    subject: str
    subject_url: str
    commit_url: str
    airflow_url: str


def about(run: Run, now: datetime, github_url: str, airflow_url: str) -> About:
    """All that is said about the run itself."""
    word = UNFINISHED[run.phase] if run.outcome is None else WORDS[run.outcome]
    _, description = describe_run(run, now)
    if run.dryrun and run.outcome is Outcome.SUCCESS:
        word, description = "printed", PRINTED
    elif run.dryrun and run.outcome is None:
        description = f"{PRINTING} ({description})"
    repository_url = f"{github_url}/{quote(run.repository.full_name)}"
    commit_url = f"{repository_url}/commit/{quote(run.head_sha, safe='')}"
    return About(
        name=one_line(run.context.removeprefix(PREFIX)),
        word=word,
        kind=word.replace(" ", "-"),
        description=description,
        subject=one_line(_subject(run)),
        subject_url=f"{repository_url}/pull/{run.number}" if run.number > 0 else commit_url,
        commit_url=commit_url,
        airflow_url=_airflow(run, airflow_url),
    )


def _subject(run: Run) -> str:
    """What was tested: a pull request, or a branch that was pushed or made by a merge queue."""
    if run.number > 0:
        return f"{run.repository.full_name} #{run.number}"
    if run.branch == run.base_ref:
        return f"{run.repository.full_name}, branch {run.branch}"
    return f"{run.repository.full_name}, merge group {run.branch}"


def _airflow(run: Run, airflow_url: str) -> str:
    if run.dag_run_id is None:
        return ""
    return f"{airflow_url}/dags/{quote(run.dag_id)}/runs/{quote(run.dag_run_id, safe='~')}"
