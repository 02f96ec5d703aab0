"""Where people find more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from bot.models import Step


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of our own pages. Without a public address every link is empty and left out."""

    public_url: str

    def run_page(self, run_id: str) -> str:
        """The page of one run."""
        if not self.public_url:
            return ""
        base = quote(self.public_url.rstrip("/"), safe=":/?&=%[]@~")
        return f"{base}/runs/{quote(run_id, safe='')}"

    def step_log(self, run_id: str, step: Step) -> str:
        """The place on the run's page that shows the step's log."""
        page = self.run_page(run_id)
        return page and f"{page}#{step_anchor(step)}"


def step_anchor(step: Step) -> str:
    """The HTML id of the step's section on its run's page."""
    suffix = "" if step.map_index < 0 else f"-{step.map_index}"
    return f"step-{quote(step.task_id, safe='')}{suffix}"
