"""A run store's ear: what it was nudged about."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.errors import StoreUnavailable

KNOWN = "preflight~known"


@dataclass
class Nudged:
    """All of the RunStore port that hints need; it knows one run."""

    nudges: list[str] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    down: bool = False

    def nudge(self, dag_run_id: str, *, began: bool = False) -> bool:
        if self.down:
            raise StoreUnavailable("the database does not answer")
        self.nudges.append(dag_run_id)
        self.began += [dag_run_id] if began else []
        return dag_run_id == KNOWN
