"""A run that is said to have been there, with all that a decision may ask of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import PREFIX, CancelKind, Outcome, Phase, Rules, Run, Step, StepState
from bot.policy.rules import values_of
from bot.simulate.given import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.policy.configuration import Pipeline
    from bot.policy.facts import Base
    from bot.simulate.scene import Scene

WITH_INPUTS = re.compile(r"(\S+) \((.*=.*)\)", re.DOTALL)
OUTCOMES = {
    State.SUCCESS: Outcome.SUCCESS,
    State.FAILURE: Outcome.FAILURE,
    State.ERROR: Outcome.ERROR,
    State.CANCELLED: Outcome.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Past:
    """Makes up the runs of a scene, configured as their pipelines are now. `now` is when they were."""

    scene: Scene
    base: Base
    now: datetime

    def parted(self, context: str) -> tuple[str, Mapping[str, object]]:
        """The pipeline and the inputs that a context tells: "preflight/unit (gpu=1)"."""
        name = context.removeprefix(PREFIX)
        match = WITH_INPUTS.fullmatch(name)
        if match is None:
            return name, {}
        pipeline = self._pipeline(match[1])
        declared = {} if pipeline is None else pipeline.inputs
        inputs: dict[str, object] = {}
        for pair in match[2].split(", "):
            key, _, text = pair.partition("=")
            try:
                inputs[key] = declared[key].read(text)
            except (KeyError, ValueError):
                inputs[key] = text
        return match[1], inputs

    def run(self, context: str, state: State, head_sha: str, base_ref: str) -> Run:
        """The run of that context at that head and base; one that ended can go on where it failed."""
        name, inputs = self.parted(context)
        pipeline = self._pipeline(name)
        given = inputs if pipeline is None else values_of(pipeline, inputs)
        ended, queued, cancelled = state in OUTCOMES, state is State.QUEUED, state is State.CANCELLED
        step = StepState.SUCCEEDED if state is State.SUCCESS else StepState.FAILED
        return Run(
            id=hashlib.sha256(f"{context}@{head_sha}".encode(errors="replace")).hexdigest()[:32],
            repository=self.scene.repository,
            number=self.scene.number,
            branch=self.scene.branch,
            pipeline=name,
            dag_id=pipeline.dag if pipeline else name,
            head_sha=head_sha,
            base_ref=base_ref,
            attempt=1,
            actor=self.scene.pusher,
            created_at=self.now,
            conf={**given, "PULL_BASE_SHA": self.base.sha},
            inputs=inputs,
            rules=Rules(supersede=pipeline is None or pipeline.supersede),
            admitted=not queued,
            phase=Phase.FINISHED if ended else Phase.WANTED if queued else Phase.ACTIVE,
            dag_run_id=None if queued else f"simulated {context}",
            cancel="cancelled" if cancelled else None,
            cancel_kind=CancelKind.COMMAND if cancelled else None,
            outcome=OUTCOMES.get(state),
            steps=(Step("step", -1, "step", step),) if ended else (),
            finished_at=self.now if ended else None,
        )

    def _pipeline(self, name: str) -> Pipeline | None:
        return self.base.pipelines.get(name)
