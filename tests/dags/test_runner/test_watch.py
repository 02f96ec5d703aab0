"""How long is waited, by a clock that the test moves."""

import json
from typing import Any

import pytest

from steps.errors import StepFailed, TryAgain
from steps.test_runner.cluster import Cluster
from steps.test_runner.manifest import Manifest
from steps.test_runner.watch import Patience, Watch
from steps.tools import Tools

RUNNING: dict[str, Any] = {"metadata": {"uid": "u"}, "status": {"active": 1}}
COMPLETE = {"metadata": {"uid": "u"}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
STUCK = {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ErrImagePull"}}}]}


class Answers(Tools):
    """Answers what the cluster would, look by look; the last answer stays."""

    def __init__(self, *looks: dict[str, Any] | Exception, pod: dict[str, Any] | None = None) -> None:
        super().__init__(environ={})
        self.looks = [*looks]
        self.pods = (
            [{"metadata": {"name": "p", "ownerReferences": [{"uid": "u"}]}, "status": pod}] if pod else []
        )

    def ask(self, *argv: str, **_: Any) -> str:  # noqa: ANN401 - Tools' own options
        if argv[:3] == ("kubectl", "get", "pods"):
            return json.dumps({"items": self.pods})
        if argv[:3] == ("kubectl", "get", "events"):
            return "{}"
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return json.dumps(look)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def watch(clock: Clock, tools: Tools, *, timeout: float = 10_000, stuck: float = 300) -> None:
    manifest = Manifest({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "e2e"}, "spec": {}})
    patience = Patience(timeout, stuck, 5, ("Complete",), ("Failed",))
    Watch(Cluster(tools, "ci", manifest), patience, None, clock=clock, pause=clock.pause).run()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_looks_are_rarer_with_time(clock: Clock) -> None:
    watch(clock, Answers(*[RUNNING] * 7, COMPLETE))
    assert clock.pauses == [0.5, 1, 2, 4, 5, 5, 5]


def test_an_object_that_never_ends_is_given_up(clock: Clock) -> None:
    with pytest.raises(StepFailed, match=r"^Job e2e did not end within 100s$"):
        watch(clock, Answers(RUNNING), timeout=100)
    assert 100 <= clock.now < 106


def test_a_pod_that_can_not_start_is_given_up_earlier(clock: Clock) -> None:
    with pytest.raises(
        StepFailed, match=r"^Job e2e can't start: pod p can't get its image \(ErrImagePull\)$"
    ):
        watch(clock, Answers(RUNNING, pod=STUCK), stuck=60)
    assert 60 <= clock.now < 66


def test_a_pod_that_starts_after_all_is_waited_for(clock: Clock) -> None:
    class Late(Answers):
        def ask(self, *argv: str, **options: Any) -> str:  # noqa: ANN401 - Tools' own options
            if clock.now % 200 > 100:  # its image comes now and then
                self.pods = []
            else:
                self.pods = [{"metadata": {"name": "p", "labels": {"job-name": "e2e"}}, "status": STUCK}]
            return super().ask(*argv, **options)

    with pytest.raises(StepFailed, match="did not end within 1000s"):
        watch(clock, Late(RUNNING), timeout=1000, stuck=150)


def test_a_cluster_that_is_out_of_reach_is_waited_for(clock: Clock) -> None:
    watch(clock, Answers(RUNNING, *[TryAgain("i/o timeout")] * 100, COMPLETE))
    assert clock.now > 400


def test_a_cluster_that_stays_out_of_reach_is_worth_another_try(clock: Clock) -> None:
    with pytest.raises(TryAgain, match="i/o timeout"):
        watch(clock, Answers(TryAgain("i/o timeout")))
    assert 600 < clock.now < 610


def test_an_object_that_is_gone_is_not_waited_for(clock: Clock) -> None:
    with pytest.raises(StepFailed, match="Job e2e is gone"):
        watch(clock, Answers(RUNNING, {}))
