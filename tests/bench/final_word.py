"""End of the Airflow run to the final word: until the last status, and the last comment, are sent.

The end is what Airflow says it is, so that the value includes the time in which the scheduler commits it
and calls the plugin. The baseline is another bot that Airflow's nudges don't reach: it finds out by
polling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.figures import Figure, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.pull_requests import Life

_GOAL = 1.0


def figures(nudged: Sequence[Life], polling: Sequence[Life]) -> list[Figure]:
    """p50 in seconds, for both."""
    return [
        Figure(
            f"Airflow run end to final {what}, p50",
            percentile(_seconds(nudged, what), 0.5),
            "s",
            _GOAL,
            {"by polling only": percentile(_seconds(polling, what), 0.5)},
            details={
                "pull_requests": len(nudged),
                "slowest": max(_seconds(nudged, what)),
                "pull_requests_by_polling": len(polling),
                "slowest_by_polling": max(_seconds(polling, what)),
            },
        )
        for what in ("status", "comment")
    ]


def _seconds(lives: Sequence[Life], what: str) -> list[float]:
    moment = {"status": "final_status_at", "comment": "final_comment_at"}[what]
    return [getattr(life, moment) - life.run_ended_at for life in lives]
