"""python -m steps.deploy as Airflow and people run it: exit codes, XComs, JUnit, cancel."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.dags.conftest import Done
from tests.dags.deploy.conftest import TARGETS
from tests.dags.tools.stand_ins import StandIns

GKE = TARGETS["gke"]
Step = Callable[..., Done]


@pytest.mark.parametrize("command", ["create-cluster", "setup", "test", "teardown", "sweep"])
def test_each_command_tells_its_options(command: str, step: Step) -> None:
    done = step("steps.deploy", command, "--help")
    assert done.exit_code == 0
    assert {"--dryrun", "--junit_path", "--provider"} <= {*done.output.replace(",", " ").split()}


def test_a_place_to_test_in_from_its_making_to_its_end(step: Step, stand_ins: StandIns) -> None:
    handed = []
    for command in ("create-cluster", "setup --chart=x.tgz", "test", "teardown --poll=0"):
        done = step("steps.deploy", *command.split(), *GKE)
        assert done.exit_code == 0, done.output
        handed.append(json.loads(done.handed_on.read_text()))
    assert handed == [{"cluster": "c1"}, {"namespace": "c1", "release": "c1"}, {}, {}]
    assert stand_ins.left() == []
    assert done.left_behind == []


@pytest.mark.parametrize(
    ("said", "argv", "ended"),
    [
        pytest.param("ERROR: Insufficient regional quota", GKE, (1, "no quota left"), id="final"),
        pytest.param("ERROR: Service unavailable", (*GKE, "--poll=0"), (75, "unavailable"), id="temporary"),
        pytest.param("", (*GKE, "--cluster=X"), (2, "can't be a cluster's name"), id="a mistake"),
        pytest.param("", GKE[:2], (1, "needs --zone or --region"), id="options that don't fit together"),
        pytest.param("", GKE[::2], (1, "needs --project"), id="no project"),
        pytest.param(
            "",
            (*TARGETS["current"], "--namespace=n"),
            (1, "leave --namespace out"),
            id="a namespace that nobody would remove",
        ),
    ],
)
def test_exit_codes_and_reasons(
    said: str, argv: tuple[str, ...], ended: tuple[int, str], step: Step, stand_ins: StandIns
) -> None:
    if said:
        stand_ins.says("clusters create", stderr=said, exit_code=1)
    junit = stand_ins.folder / "junit.xml"
    done = step("steps.deploy", "create-cluster", *argv, f"--junit_path={junit}")
    assert done.exit_code == ended[0], done.output
    assert ended[1] in json.loads(done.handed_on.read_text())["reason"]
    if done.exit_code != 2:
        assert 'failures="1"' in junit.read_text(encoding="utf-8")


def test_a_dry_run_prints_every_command_in_order_ready_to_copy(
    step: Step, stand_ins: StandIns, environment: dict[str, str]
) -> None:
    printed = "".join(
        step("steps.deploy", *command.split(), *GKE, "--dryrun").output
        for command in ("create-cluster", "setup --chart=x.tgz --set=a=$b", "test", "teardown")
    )
    where = "--project=my-project --location=us-central1-a"
    credentials = (
        f"export KUBECONFIG={environment['HOME']}/.kube/preflight-c1\n"
        f"gcloud container clusters get-credentials c1 {where}\n"
    )
    lines = [line for line in printed.splitlines() if "clusters create" not in line]
    assert "\n".join(lines) + "\n" == (
        f"gcloud container clusters describe c1 --format=json {where}\n"
        f"{credentials}"
        "helm upgrade --install c1 x.tgz --namespace=c1 --create-namespace '--set=a=$b' "
        "--wait --timeout=900s\n"
        "kubectl get deployments,statefulsets,daemonsets --namespace=c1 --output=name\n"
        f"{credentials}"
        "helm test c1 --namespace=c1 --timeout=1800s\n"
        f"gcloud container clusters describe c1 --format=json {where}\n"
        f"{credentials}"
        "helm uninstall c1 --namespace=c1 --ignore-not-found --wait --timeout=5m\n"
        "kubectl delete namespace c1 --ignore-not-found --wait --timeout=120s\n"
        f"gcloud container clusters describe c1 --format=json {where}\n"
        f"gcloud container clusters delete c1 {where} --async --quiet\n"
    )
    assert stand_ins.calls() == []


CANCELLED = [
    pytest.param("gke", "clusters describe", id="gke: before it asked"),
    pytest.param("gke", "clusters create", id="gke: while it is being made"),
    pytest.param("kind", "kind create", id="kind: while it is being made"),
    pytest.param("current", "kubectl create", id="current: while it is being made"),
]


@pytest.mark.parametrize(("provider", "where"), CANCELLED)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
class TestACancel:
    """The session gets a signal, as from Airflow; what it asked for goes on in the cloud."""

    @pytest.fixture(autouse=True)
    def _cancelled(
        self, provider: str, where: str, number: int, environment: dict[str, str], stand_ins: StandIns
    ) -> None:
        with stand_ins.change() as cloud:
            cloud["looks"] = 3
        stand_ins.says(where, acts=True, hangs=True, times=1)
        junit = stand_ins.folder / "junit.xml"
        argv = ["create-cluster", *TARGETS[provider], "--run=r1", f"--junit_path={junit}"]
        with subprocess.Popen(
            [sys.executable, "-m", "steps.deploy", *argv],
            env=environment,
            cwd=stand_ins.folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            stand_ins.wait_for(where)
            os.killpg(process.pid, number)
            process.wait()
        if number == signal.SIGTERM:
            assert process.returncode == 128 + signal.SIGTERM
            assert "stopped by SIGTERM" in junit.read_text(encoding="utf-8")

    def test_leaves_nothing_that_teardown_can_not_remove(
        self, provider: str, step: Step, stand_ins: StandIns
    ) -> None:
        done = step("steps.deploy", "teardown", *TARGETS[provider], "--run=r1", "--poll=0")
        assert done.exit_code == 0, done.output
        assert stand_ins.left() == []

    def test_leaves_what_the_next_try_goes_on_with(
        self, provider: str, step: Step, stand_ins: StandIns
    ) -> None:
        done = step("steps.deploy", "create-cluster", *TARGETS[provider], "--run=r1", "--poll=0")
        assert done.exit_code == 0, done.output
        assert len(stand_ins.left()) == 1
