"""What may be run, and under which name."""

from typing import Any

import pytest

from steps.errors import StepFailed
from steps.test_runner.manifest import complete

JOB: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {}}}
TFJOB: dict[str, Any] = {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "spec": {"tfReplicaSpecs": {}}}


def made(content: dict[str, Any]) -> dict[str, Any]:
    return complete(content, name="e2e-1", namespace="ci", timeout=600).content


def test_a_job_gets_name_namespace_label_and_an_end() -> None:
    assert made(JOB) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "e2e-1",
            "namespace": "ci",
            "labels": {"app.kubernetes.io/managed-by": "preflight"},
        },
        "spec": {"ttlSecondsAfterFinished": 3600, "activeDeadlineSeconds": 1200, "template": {}},
    }


def test_what_it_says_itself_stays() -> None:
    metadata = {"name": "e2e-1-gpu", "namespace": "ci", "labels": {"a": "b"}, "annotations": {"c": "d"}}
    spec = {"ttlSecondsAfterFinished": 1, "activeDeadlineSeconds": 2}
    content = made(JOB | {"metadata": metadata, "spec": spec})
    assert content["metadata"] == metadata | {
        "labels": {"app.kubernetes.io/managed-by": "preflight", "a": "b"}
    }
    assert content["spec"] == spec


def test_a_custom_resource_is_as_it_is() -> None:
    assert made(TFJOB)["spec"] == TFJOB["spec"]


@pytest.mark.parametrize(
    ("content", "resource"),
    [(JOB, "Job.v1.batch"), (TFJOB, "TFJob.v1.kubeflow.org")],
    ids=["job", "custom resource"],
)
def test_kubectl_can_not_mistake_it(content: dict[str, Any], resource: str) -> None:
    assert complete(content, name="a", namespace="ci", timeout=1).resource == resource


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("v1", "Pod"),
        ("v1", "Secret"),
        ("apps/v1", "Deployment"),
        ("batch/v1", "CronJob"),
        ("batch/v1beta1", "Job"),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ("k8s.io/v1", "X"),
        ("kubeflow.org/v1", "TFJob x"),
        ("kubeflow.org/v1", "--all"),
        ("kubeflow.org/v1", None),
        ("kubeflow.org/1", "TFJob"),
        ("kubeflow.org/v1/x", "TFJob"),
        (None, "Job"),
        ([], {}),
    ],
)
def test_nothing_else_is_run(version: object, kind: object) -> None:
    with pytest.raises(
        StepFailed, match="can't be run as a test: only a Job of batch/v1, or a custom resource"
    ):
        made(JOB | {"apiVersion": version, "kind": kind})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param(
            {"metadata": {"name": "production"}}, r"has to hold \${name} \(now 'e2e-1'\)", id="its own name"
        ),
        pytest.param({"metadata": {"generateName": "e2e-1-"}}, r"has to hold \${name}", id="no name"),
        pytest.param({"metadata": {"name": 1}}, r"has to hold \${name}", id="a number"),
        pytest.param({"metadata": {"name": "E2E/e2e-1"}}, "is no name: small letters", id="no DNS name"),
        pytest.param({"metadata": {"name": "e2e-1" + "x" * 60}}, "is no name: small letters", id="long"),
        pytest.param(
            {"metadata": {"namespace": "kube-system"}}, "the run's is 'ci': leave it out", id="namespace"
        ),
        pytest.param({"metadata": {"labels": ["a"]}}, "metadata.labels must be a mapping", id="labels"),
        pytest.param({"metadata": "x"}, "needs a mapping `spec`", id="metadata"),
        pytest.param({"spec": "x"}, "needs a mapping `spec`", id="spec"),
    ],
)
def test_names_that_could_meet_others_are_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(StepFailed, match=words):
        made(JOB | changed)
