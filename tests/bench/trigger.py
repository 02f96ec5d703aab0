"""Webhook to Airflow trigger: from when GitHub begins to send `opened` until Airflow is asked for the run.

Pull requests are opened one after another on a bot that has nothing else to do, and whose caches are warm.
Airflow is the quick one, so that it notes when it was asked by the same clock as GitHub. The baseline is the
time that such a webhook takes to be answered.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.bench.eight_steps import configuration
from tests.bench.figures import Figure, NotMeasured, percentile
from tests.bench.pull_requests import announced
from tests.bench.quick_airflow import QuickAirflow
from tests.bench.system import DEVELOPER, running_bot
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from tests.bench.system import Bot, System

P50_GOAL, P99_GOAL = 100.0, 500.0
_WARM_UP = 3
_PATIENCE_SECONDS = 60.0
_REST_SECONDS = 0.5
_SECONDS = 2.0
"""That each run takes."""


def figures(system: System, *, count: int) -> list[Figure]:
    """p50 and p99, in milliseconds.

    Raises:
        NotMeasured: a pull request led to no run.
    """
    with running_bot(system, "trigger", nudged=True, configuration=configuration(_SECONDS)) as bot:
        both = [_milliseconds(system, bot, number) for number in range(count + _WARM_UP)][_WARM_UP:]
    triggered, answered = ([each[index] for each in both] for index in (0, 1))
    return [
        Figure(
            f"webhook to Airflow trigger, idle, {title}",
            percentile(triggered, share),
            "ms",
            goal,
            {"the webhook answered": percentile(answered, share)},
            details={"pull_requests": count, "airflow": "quick", "slowest": max(triggered)},
        )
        for title, share, goal in (("p50", 0.5, P50_GOAL), ("p99", 0.99, P99_GOAL))
    ]


def _milliseconds(system: System, bot: Bot, number: int) -> tuple[float, float]:
    """Of one pull request: until Airflow was asked, and until the webhook was answered."""
    assert isinstance(system.airflow, QuickAirflow)
    runs = system.airflow.runs
    known = set(runs)
    files = {f"src/change_{number}.py": "print('changed')\n"}
    pull = bot.repository.open_pull(DEVELOPER, branch=f"change-{number}", files=files)
    try:
        wait_for(lambda: len(runs) > len(known), _PATIENCE_SECONDS, 0.02)
    except TimeoutError as error:
        raise NotMeasured(f"#{pull.number} led to no run") from error
    (name,) = set(runs) - known
    time.sleep(_SECONDS + _REST_SECONDS)  # so that the next one finds nothing else to do
    delivery = announced(system, pull.number, bot)
    if delivery.sent_at is None or delivery.answered_at is None:
        raise NotMeasured("GitHub has not sent a delivery although it was handled")
    triggered, answered = runs[name].began_at - delivery.sent_at, delivery.answered_at - delivery.sent_at
    return triggered * 1000, answered * 1000
