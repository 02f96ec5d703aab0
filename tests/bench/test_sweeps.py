from __future__ import annotations

import time

from bot.adapters.postgres.rows import step_from
from bot.models import StepState
from tests.bench.sleeping_run import SleepingRun
from tests.bench.sweeps import known_steps


def test_what_the_bot_remembers_of_a_run_leaves_nothing_to_ask_for() -> None:
    run = SleepingRun.begin("a run", {"steps": {"one": "sleep 1000", "two": "sleep 1000"}}, time.time() - 60)
    clone, *others = (step_from(step) for step in known_steps(run))
    assert clone.state is StepState.SUCCEEDED
    assert clone.result is not None
    assert [step.state for step in others] == [StepState.RUNNING] * 2
