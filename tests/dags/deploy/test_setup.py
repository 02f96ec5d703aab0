import json
from pathlib import Path

import pytest

from steps.errors import StepFailed, TryAgain
from tests.dags.deploy.conftest import TARGETS, Deploy

GKE = TARGETS["gke"]
STUCK = "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress"
UNREACHABLE = "Error: Kubernetes cluster unreachable: Get: dial tcp 192.0.2.1:443: i/o timeout"
TOO_SLOW = "Error: UPGRADE FAILED: context deadline exceeded"


@pytest.fixture(autouse=True)
def _cluster(deploy: Deploy) -> None:
    deploy.there()


@pytest.mark.parametrize("provider", TARGETS)
def test_installs_the_chart_and_hands_on_where(provider: str, deploy: Deploy) -> None:
    deploy.there(provider)
    assert deploy("setup", *TARGETS[provider], "--chart=x.tgz") == {"namespace": "c1", "release": "c1"}
    assert [call.argv[:2] for call in deploy.stand_ins.calls("kubectl rollout")] == [("rollout", "status")]


def test_the_command_line_of_helm(deploy: Deploy, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    more = (f"--values={values}", "--set=image.tag=1", "--set=a=b=c", "--set-string=id=007", "--timeout=60")
    deploy("setup", *GKE, "--namespace=n1", "--release=r1", "--chart=oci://host/chart", *more)
    (command,) = deploy.stand_ins.commands("helm upgrade")
    assert command == (
        f"helm upgrade --install r1 oci://host/chart --namespace=n1 --create-namespace --values={values} "
        "--set=image.tag=1 --set=a=b=c --set-string=id=007 --wait --timeout=60s"
    )


@pytest.mark.parametrize("provider", TARGETS)
def test_without_a_chart_there_is_a_namespace_and_a_retry_finds_it(provider: str, deploy: Deploy) -> None:
    deploy.there(provider)
    for _ in range(2):
        assert deploy("setup", *TARGETS[provider]) == {"namespace": "c1", "release": "c1"}
    assert deploy.stand_ins.calls("helm") == []
    context = {"gke": "gke_my-project_us-central1-a_c1", "kind": "kind-c1", "current": "current"}[provider]
    assert "c1" in deploy.stand_ins.cloud["kube"][context]["namespaces"]


def test_a_namespace_that_stands_for_a_cluster_is_never_made_by_helm(deploy: Deploy) -> None:
    with pytest.raises(StepFailed, match="not found"):
        deploy("setup", *TARGETS["current"], "--chart=x.tgz")
    assert deploy.stand_ins.left() == ["cluster c1"]


def test_a_release_that_a_killed_try_left_half_made_is_taken_out(deploy: Deploy) -> None:
    deploy.stand_ins.says("helm upgrade", stderr=STUCK, exit_code=1, times=1)
    deploy("setup", *GKE, "--chart=x.tgz")
    assert [call.argv[0] for call in deploy.stand_ins.calls("helm")] == ["upgrade", "uninstall", "upgrade"]


def test_what_may_pass_is_asked_again(deploy: Deploy) -> None:
    deploy.stand_ins.says("helm upgrade", stderr=UNREACHABLE, exit_code=1, times=2)
    deploy.stand_ins.says("get-credentials", stderr="code=503, message=Unavailable", exit_code=1, times=1)
    deploy("setup", *GKE, "--chart=x.tgz")
    assert len(deploy.pauses) == 3


@pytest.mark.parametrize(
    ("pattern", "said", "error", "tries"),
    [
        pytest.param("helm upgrade", UNREACHABLE, TryAgain, 4, id="temporary for ever"),
        pytest.param("helm upgrade", TOO_SLOW, StepFailed, 1, id="not ready in time"),
        pytest.param("helm upgrade", "Error: no such chart", StepFailed, 1, id="wrong chart"),
        pytest.param(
            "rollout", "error: timed out waiting for the condition", StepFailed, 1, id="never available"
        ),
    ],
)
def test_what_goes_wrong_shows_pods_and_events(
    pattern: str, said: str, error: type[Exception], tries: int, deploy: Deploy
) -> None:
    deploy.stand_ins.says(pattern, stderr=said, exit_code=1)
    with pytest.raises(error, match=said.rsplit(": ", maxsplit=1)[-1]):
        deploy("setup", *GKE, "--chart=x.tgz")
    assert len(deploy.stand_ins.calls(pattern)) == tries
    assert [call.argv[1] for call in deploy.stand_ins.calls("kubectl get")][-2:] == ["pods", "events"]


class TestGpus:
    def test_are_waited_for(self, deploy: Deploy) -> None:
        for offered in (0, 1):
            node = {"metadata": {"name": "n"}, "status": {"allocatable": {"nvidia.com/gpu": str(offered)}}}
            deploy.stand_ins.says("get nodes", json.dumps({"items": [node, node]}), times=1)
        deploy("setup", *GKE, "--chart=x.tgz", "--gpus=2")
        assert len(deploy.stand_ins.calls("get nodes")) == 2

    def test_that_do_not_come_are_told(self, deploy: Deploy) -> None:
        with pytest.raises(TryAgain, match="the nodes offer 0 of 2 GPUs"):
            deploy("setup", *GKE, "--chart=x.tgz", "--gpus=2", "--timeout=0")

    def test_may_need_a_driver(self, deploy: Deploy) -> None:
        deploy("setup", *GKE, "--chart=x.tgz", "--gpu-driver=https://localhost/driver.yaml")
        applied = "kubectl apply --filename=https://localhost/driver.yaml"
        assert deploy.stand_ins.commands("kubectl apply") == [applied]


def test_an_image_that_no_registry_has_is_loaded_into_the_nodes_of_kind(deploy: Deploy) -> None:
    deploy.there("kind")
    deploy("setup", *TARGETS["kind"], "--chart=x.tgz", "--image=app:0123")
    assert deploy.stand_ins.commands("kind load") == ["kind load docker-image app:0123 --name=c1"]
    with pytest.raises(StepFailed, match="pull images from a registry"):
        deploy("setup", *GKE, "--chart=x.tgz", "--image=app:0123")


def test_credentials_are_kept_in_a_file_of_their_own(deploy: Deploy) -> None:
    deploy("setup", *GKE, "--chart=x.tgz")
    assert [file.name for file in deploy.home.rglob("*") if file.is_file()] == ["preflight-c1"]


def test_gcloud_gets_a_key_by_the_environment_only(deploy: Deploy) -> None:
    deploy.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/keys/key.json"
    deploy("setup", *GKE, "--chart=x.tgz")
    (call,) = deploy.stand_ins.calls("gcloud")
    assert "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE" in call.environment
    assert "key.json" not in "".join(deploy.stand_ins.commands())
