"""Where people find more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from bot.models import Repository, Run, Step


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of our own pages and Airflow's. Without a public address links are empty and left out."""

    public_url: str
    airflow_url: str = ""

    def run_page(self, run_id: str) -> str:
        """The page of one run."""
        return self._page("runs", run_id)

    def step_log(self, run_id: str, step: Step) -> str:
        """The place on the run's page that shows the step's log."""
        page = self.run_page(run_id)
        return page and f"{page}#{step_anchor(step)}"

    def artifacts(self, run_id: str) -> str:
        """The place on the run's page that lists what its steps left."""
        page = self.run_page(run_id)
        return page and f"{page}#artifacts"

    def pull_page(self, repository: Repository, number: int) -> str:
        """The page of all runs of a pull request; branches have none."""
        return self._page("pr", repository.owner, repository.name, str(number)) if number > 0 else ""

    def airflow_run(self, run: Run) -> str:
        """The run in Airflow's own pages, once it is there."""
        if run.ref is None:
            return ""
        return _below(self.airflow_url, "dags", run.ref.dag_id, "runs", run.ref.dag_run_id)

    def _page(self, *parts: str) -> str:
        return _below(self.public_url, *parts)


def step_anchor(step: Step) -> str:
    """The HTML id of the step's section on its run's page."""
    suffix = "" if step.map_index < 0 else f"-{step.map_index}"
    return f"step-{quote(step.task_id, safe='')}{suffix}"


def _below(url: str, *parts: str) -> str:
    """An address below that one, fit for Markdown; empty without one."""
    if not url:
        return ""
    base = quote(url.rstrip("/"), safe=":/?&=%[]@~")
    return "/".join((base, *(quote(part, safe="~") for part in parts)))
