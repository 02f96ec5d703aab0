"""When an object has ended, and what is wrong with its pods, in words."""

from typing import Any

import pytest

from steps.test_runner.verdict import Verdict, in_words, troubles_of, verdict_of


def condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        pytest.param(None, None, id="nothing yet"),
        pytest.param({"active": 1}, None, id="a Job that runs"),
        pytest.param(condition("Complete"), Verdict("succeeded"), id="a Job that is complete"),
        pytest.param(condition("Complete", "False"), None, id="a Job that is not"),
        pytest.param(condition("Suspended"), None, id="a Job that waits"),
        pytest.param(condition("FailureTarget"), None, id="a Job that is about to fail"),
        pytest.param(
            condition("Failed", reason="BackoffLimitExceeded", message="Job has reached the limit"),
            Verdict("failed", "BackoffLimitExceeded: Job has reached the limit"),
            id="a Job that failed",
        ),
        pytest.param(
            {
                "conditions": [
                    *condition("Running", "False")["conditions"],
                    *condition("Succeeded")["conditions"],
                ]
            },
            Verdict("succeeded"),
            id="a TFJob that succeeded",
        ),
        pytest.param({"phase": "Running"}, None, id="a Workflow that runs"),
        pytest.param(
            {"phase": "Failed", "message": "child failed"} | condition("Completed"),
            Verdict("failed", "child failed"),
            id="a Workflow that is complete and failed",
        ),
        pytest.param({"state": {"phase": "Aborted"}}, Verdict("failed"), id="Volcano"),
        pytest.param({"applicationState": {"state": "COMPLETED"}}, Verdict("succeeded"), id="Spark"),
        pytest.param({"jobStatus": "SUCCEEDED"}, Verdict("succeeded"), id="Ray"),
        pytest.param({"conditions": "x", "phase": 3}, None, id="nonsense"),
        pytest.param({"conditions": ["x", {}]}, None, id="more nonsense"),
    ],
)
def test_an_object_says_how_it_ended(status: dict[str, Any] | None, verdict: Verdict | None) -> None:
    assert verdict_of({"status": status}) == verdict


@pytest.mark.parametrize(
    ("kind", "outcome"), [("Ready", "succeeded"), ("Broken", "failed"), ("Complete", None)]
)
def test_other_words_can_be_given(kind: str, outcome: str | None) -> None:
    verdict = verdict_of({"status": condition(kind)}, ["ready"], ["Broken"])
    assert (verdict and verdict.outcome) == outcome


def pod(phase: str = "Running", *containers: dict[str, Any], **status: object) -> dict[str, Any]:
    limits = {"resources": {"limits": {"memory": "512Mi"}}}
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "main", **limits}]},
        "status": {"phase": phase, "containerStatuses": list(containers), **status},
    }


def container(state: str, /, last: dict[str, Any] | None = None, **fields: object) -> dict[str, Any]:
    return {
        "name": "main",
        "image": "app:1",
        "state": {state: fields},
        "lastState": {"terminated": last or {}},
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(pod("Running", container("running")), "", id="runs"),
        pytest.param(pod("Succeeded", container("terminated", exitCode=0)), "", id="succeeded"),
        pytest.param(
            pod("Pending", container("waiting", reason="ContainerCreating")), "", id="is being made"
        ),
        pytest.param(
            pod(
                "Pending", container("waiting", reason="ImagePullBackOff", message='Back-off pulling "app:1"')
            ),
            'pod p can\'t get app:1 (ImagePullBackOff): Back-off pulling "app:1"',
            id="no image",
        ),
        pytest.param(
            pod("Pending", container("waiting", reason="InvalidImageName", message="no")),
            "pod p can't get app:1 (InvalidImageName): no",
            id="no image's name",
        ),
        pytest.param(
            pod(
                "Pending",
                container("waiting", reason="CreateContainerConfigError", message='secret "x" not found'),
            ),
            'pod p can\'t start main (CreateContainerConfigError): secret "x" not found',
            id="no secret",
        ),
        pytest.param(
            pod("Failed", container("terminated", exitCode=137, reason="OOMKilled")),
            "pod p ran out of memory: main was killed (OOMKilled, its limit is 512Mi)",
            id="out of memory",
        ),
        pytest.param(
            pod("Failed", container("terminated", exitCode=3, reason="Error")),
            "pod p failed: main ended with exit code 3",
            id="exit code",
        ),
        pytest.param(
            pod("Failed", container("terminated", exitCode=128, reason="StartError", message="no such file")),
            "pod p failed: main ended with exit code 128 (StartError): no such file",
            id="can't be started",
        ),
        pytest.param(
            pod(
                "Running", container("waiting", {"exitCode": 1, "reason": "Error"}, reason="CrashLoopBackOff")
            ),
            "pod p failed: main ended with exit code 1",
            id="crashes",
        ),
        pytest.param(
            pod(
                "Pending",
                conditions=[
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
                    }
                ],
            ),
            "pod p finds no node: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
            id="no node",
        ),
        pytest.param(
            pod("Failed", reason="Evicted", message="low on memory"),
            "pod p was evicted: low on memory",
            id="evicted",
        ),
        pytest.param(
            pod(
                "Failed",
                container("terminated", exitCode=143),
                conditions=[
                    {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
                ],
            ),
            "pod p was taken off its node: PreemptionByScheduler",
            id="preempted",
        ),
        pytest.param(
            pod("Failed", message="DeadlineExceeded"), "pod p failed: DeadlineExceeded", id="no more is known"
        ),
        pytest.param({"metadata": {"name": "p"}}, "", id="no status"),
        pytest.param(
            {"status": {"containerStatuses": [None, {"state": "x"}]}, "metadata": {}}, "", id="nonsense"
        ),
    ],
)
def test_what_is_wrong_with_a_pod_is_told(content: dict[str, Any], words: str) -> None:
    assert in_words(troubles_of(content)) == words


def test_init_containers_count() -> None:
    broken = container("terminated", exitCode=1) | {"name": "setup"}
    content = pod("Pending", initContainerStatuses=[broken])
    assert in_words(troubles_of(content)) == "pod p failed: setup ended with exit code 1"


@pytest.mark.parametrize(
    ("content", "waiting", "innocent"),
    [
        (pod("Pending", container("waiting", reason="ErrImagePull")), True, False),
        (pod("Failed", container("terminated", exitCode=1)), False, False),
        (pod("Failed", reason="Evicted"), False, True),
    ],
    ids=["no image", "failed", "evicted"],
)
def test_what_follows_of_it_is_known(content: dict[str, Any], *, waiting: bool, innocent: bool) -> None:
    (trouble,) = troubles_of(content)
    assert (trouble.keeps_waiting, trouble.not_its_fault) == (waiting, innocent)


def test_of_many_the_first_are_told() -> None:
    pods = [
        pod("Failed", container("terminated", exitCode=1)) | {"metadata": {"name": f"p{n}"}} for n in range(9)
    ]
    words = in_words(trouble for each in pods for trouble in troubles_of(each))
    assert words.startswith("pod p0 failed")
    assert words.endswith("pod p2 failed: main ended with exit code 1; and 6 more")


def test_long_words_are_cut() -> None:
    content = pod("Failed", container("terminated", exitCode=1, message="x\n" * 10_000))
    assert len(in_words(troubles_of(content))) < 400
