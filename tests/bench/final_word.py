"""End of the Airflow run to the final word: until the last status, and the last comment, are sent.

The end is what Airflow says it is, so that the value includes the time in which the scheduler commits it
and calls the plugin. The baseline of each is the other: a bot that Airflow's nudges reach, and one that they
don't, which finds out by polling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.runs.reconcile import POLL_FASTEST
from tests.bench.figures import Figure, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.pull_requests import Life

_GOAL = 1.0
_POLLING_GOAL = POLL_FASTEST + 2.0
"""Runs as short as these are looked at as often as any."""


def figures(nudged: Sequence[Life], polling: Sequence[Life]) -> list[Figure]:
    """p50 in seconds, for both."""
    nudge, poll = ("with a nudge", nudged, _GOAL), ("by polling only", polling, _POLLING_GOAL)
    return [
        _figure(what, way, other)
        for way, other in ((nudge, poll), (poll, nudge))
        for what in ("status", "comment")
    ]


def _figure(
    what: str, way: tuple[str, Sequence[Life], float], other: tuple[str, Sequence[Life], float]
) -> Figure:
    name, lives, goal = way
    return Figure(
        f"Airflow run end to final {what}, {name}, p50",
        percentile(_seconds(lives, what), 0.5),
        "s",
        goal,
        {other[0]: percentile(_seconds(other[1], what), 0.5)},
        details={"pull_requests": len(lives), "slowest": max(_seconds(lives, what))},
    )


def _seconds(lives: Sequence[Life], what: str) -> list[float]:
    moment = {"status": "final_status_at", "comment": "final_comment_at"}[what]
    return [getattr(life, moment) - life.run_ended_at for life in lives]
