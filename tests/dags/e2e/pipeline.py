"""Runs of tf_k8s_tests in the real Airflow, many at a time, each with a cluster and an image of its own."""

import contextlib
import hashlib
import os
import signal
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import psutil

from bot.adapters.airflow import AirflowClient
from bot.errors import AirflowUnavailable
from bot.models import DagRun, RunRef, Step, StepState
from bot.runs.results import read_result
from tests.dags.tools.stand_ins import StandIns

_DEADLINE_SECONDS = 420.0
_LOOK_SECONDS = 1.0
"""Looks at all these runs are what Airflow's api-server works for most; nothing waits for one for long."""
_COMMANDS = {
    "build_images": "docker build {image}",
    "create_cluster": "gcloud container clusters create {cluster}",
    "setup_cluster": "helm upgrade {cluster}",
    "run_tests": "helm test {cluster}",
    "run_gpu_test": "kubectl apply {cluster}",
    "teardown_cluster": "gcloud container clusters delete {cluster}",
}
"""The words of the program that a step is about. pylint and pytest are the repository's own."""


@dataclass(frozen=True)
class Scenario:
    """What happens in one run."""

    name: str
    fails: tuple[str, ...] = ()
    """Steps whose program fails, once."""
    hangs: tuple[str, ...] = ()
    """Steps whose program waits to be killed, once."""
    then: Literal["", "cancel", "stop the worker"] = ""
    """What is done as soon as the steps `at` run, all at a time."""
    at: tuple[str, ...] = ()
    resumed: bool = False
    """The run is resumed when it has ended."""
    conf: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    run: DagRun
    left: Sequence[str]
    """What its cloud still has of it."""

    @property
    def states(self) -> dict[str, str]:
        return {step.task_id: step.state.value for step in self.run.steps}

    @property
    def tries(self) -> dict[str, int]:
        return {step.task_id: step.try_number for step in self.run.steps}

    def step(self, task: str) -> Step:
        return next(step for step in self.run.steps if step.task_id == task)

    def reason(self, task: str) -> str:
        result = self.step(task).result
        return result.reason if result else ""

    def argv(self, task: str) -> str:
        result = self.step(task).result
        return result.argv if result else ""


class Play:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, airflow: AirflowClient, stand_ins: StandIns) -> None:
        self.scenario = scenario
        self.ref = RunRef("tf_k8s_tests", f"e2e-{uuid.uuid4().hex[:12]}")
        self.ended: list[Ended] = []
        self._airflow = airflow
        self._stand_ins = stand_ins
        self._untouched = bool(scenario.then)

    @property
    def cluster(self) -> str:
        """The name that its cluster has, whatever happens."""
        whose = f"/{self.ref.dag_id}/{self.ref.dag_run_id}"
        return f"e2e-{hashlib.sha256(whose.encode()).hexdigest()[:12]}"

    def commands(self, words: str) -> list[str]:
        """Return what its steps called."""
        return [line for line in self._stand_ins.commands(words) if self.cluster in line]

    def start(self, conf: Mapping[str, object]) -> None:
        """Tell the cloud what happens, and trigger the run."""
        for task in {*_COMMANDS} & {*self.scenario.fails}:
            self._stand_ins.says(self._pattern(task), stderr="ERROR: broken\n", exit_code=1, times=1)
        for task in {*_COMMANDS} & {*self.scenario.hangs}:
            self._stand_ins.says(self._pattern(task), times=1, hangs=True, acts=True)
        deeds = [f"{task} fails" for task in self.scenario.fails]
        deeds += [f"{task} hangs" for task in self.scenario.hangs]
        own = {"JOB_NAME": ", ".join(deeds) or "all is well", "image": f"image-{self.cluster}"}
        assert self._airflow.trigger(self.ref, {**conf, **own, **self.scenario.conf}, "")

    def go_on(self, run: DagRun) -> bool:
        """Do what comes next, if it's time; returns whether there is more to come."""
        if self._untouched and self._is_at(run):
            self._touch()
            self._untouched = False
        if not run.state.finished:
            return True
        left = [what for what in self._stand_ins.left() if self.cluster in what]
        ended = Ended(self._with_results(run), left)
        more = self.scenario.resumed and not self.ended
        if more:
            self._airflow.resume(self.ref, run.steps)
        self.ended.append(ended)
        return more

    def _with_results(self, run: DagRun) -> DagRun:
        """Return it with what its steps told, as the bot reads it."""
        steps = [
            replace(step, result=read_result(self._airflow.xcom(self.ref, step, "preflight")))
            for step in run.steps
        ]
        return replace(run, steps=tuple(steps))

    def _is_at(self, run: DagRun) -> bool:
        """Whether the steps run, and have come to their programs."""
        running = {step.task_id for step in run.steps if step.state is StepState.RUNNING}
        programs = [self._words(task) for task in self.scenario.at if task in _COMMANDS]
        return running >= {*self.scenario.at} and all(map(self._stand_ins.commands, programs))

    def _words(self, task: str) -> str:
        return _COMMANDS[task].format(cluster=self.cluster, image=f"image-{self.cluster}")

    def _pattern(self, task: str) -> str:
        program, _, name = self._words(task).rpartition(" ")
        return f"^{program} .*{name}"

    def _touch(self) -> None:
        if self.scenario.then == "cancel":
            self._airflow.cancel(self.ref)
            return
        # A worker that is told to stop passes SIGTERM on to its tasks.
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            parents = [word for word in words if word.startswith("--parent=")]
            if parents and f"--cluster={self.cluster}" in words:
                os.kill(int(parents[0].partition("=")[2]), signal.SIGTERM)


def perform(
    scenarios: Sequence[Scenario], airflow: AirflowClient, stand_ins: StandIns, conf: Mapping[str, object]
) -> dict[str, Play]:
    """Run all scenarios together to their ends; `conf` is what their runs are triggered with."""
    plays = {scenario.name: Play(scenario, airflow, stand_ins) for scenario in scenarios}
    for play in plays.values():
        play.start(conf)
    waiting = list(plays.values())
    deadline = time.monotonic() + _DEADLINE_SECONDS
    runs: Mapping[RunRef, DagRun | None] = {}
    while waiting:
        with contextlib.suppress(AirflowUnavailable):  # busy, which is told as often as it is so
            runs = airflow.look([play.ref for play in waiting])
            waiting = [play for play in waiting if (run := runs[play.ref]) is None or play.go_on(run)]
        assert time.monotonic() < deadline, [
            f"{play.scenario.name}: {_told(runs.get(play.ref))}" for play in waiting
        ]
        time.sleep(_LOOK_SECONDS)
    return plays


def _told(run: DagRun | None) -> str:
    return (
        "not there" if run is None else " ".join(f"{each.task_id}={each.state.value}" for each in run.steps)
    )
