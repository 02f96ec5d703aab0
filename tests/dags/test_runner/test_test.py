"""`python -m steps.test_runner test`, against a stand-in of kubectl."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steps.archive import pack
from tests.dags.conftest import Done
from tests.dags.test_cases import written
from tests.dags.tools.stand_ins import StandIns

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: "${name}"}
spec:
  backoffLimit: ${retries}
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: main, image: "${image}"}
"""
TFJOB = "{apiVersion: kubeflow.org/v1, kind: TFJob, spec: {tfReplicaSpecs: {}}}"
IMAGE = "registry.example/app@sha256:abc"
NAME = "e2e-0123abcd"
SETTINGS = (f"--set=image={IMAGE}", "--set=retries=0")

Test = Callable[..., Done]


@pytest.fixture
def cluster(tmp_path: Path) -> StandIns:
    """The cluster that kubectl points at, with the run's namespace `ci-1`."""
    made = StandIns.install(tmp_path / "tools")
    with made.change() as cloud:
        cloud["kube"]["current"]["namespaces"]["ci-1"] = {"labels": {"owner": "ci"}, "phase": "Active"}
    return made


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    return tmp_path / "junit.xml"


@pytest.fixture
def options(tmp_path: Path, junit: Path) -> list[str]:
    (tmp_path / "e2e.yaml").write_text(JOB)
    return [
        "test",
        f"--spec={tmp_path / 'e2e.yaml'}",
        f"--name={NAME}",
        "--provider=current",
        "--cluster=ci-1",
        f"--artifacts={tmp_path / 'kept'}",
        f"--junit_path={junit}",
        "--poll=0",
    ]


@pytest.fixture
def test(step: Callable[..., Done], cluster: StandIns, options: list[str]) -> Test:
    def run(*more: str) -> Done:
        return step("steps.test_runner", *options, *more, PATH=cluster.path)

    return run


def reason(done: Done) -> str:
    return str(json.loads(done.handed_on.read_text())["reason"])


def outcome(cluster: StandIns, status: dict[str, Any], kind: str = "Job", looks: int = 0) -> None:
    with cluster.change() as cloud:
        cloud["outcomes"][kind] = status
        cloud["looks"] = looks


def pods(cluster: StandIns, *statuses: dict[str, Any]) -> None:
    items = [
        {
            "metadata": {"name": f"{NAME}-{number}", "labels": {"job-name": NAME}},
            "spec": {"containers": [{"name": "main", "env": [{"name": "TOKEN", "value": "s3cret"}]}]},
            "status": status,
        }
        for number, status in enumerate(statuses)
    ]
    others = {"metadata": {"name": "other", "labels": {"job-name": "other"}}, "status": {"phase": "Failed"}}
    cluster.says(r"^kubectl get pods", json.dumps({"items": [*items, others]}))


def status_of(state: str, phase: str = "Running", **fields: object) -> dict[str, Any]:
    main = {"name": "main", "image": IMAGE, "restartCount": 0, "state": {state: fields}}
    return {"phase": phase, "containerStatuses": [main]}


FAILED = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}


def objects(cluster: StandIns) -> list[str]:
    return [*cluster.cloud["kube"]["current"]["objects"]]


class TestAJob:
    def test_is_applied_watched_and_deleted(self, test: Test, cluster: StandIns, junit: Path) -> None:
        outcome(cluster, {"conditions": [{"type": "Complete", "status": "True"}]}, looks=3)
        done = test(*SETTINGS)
        assert done.exit_code == 0, done.output
        verbs = [call.argv[0] for call in cluster.calls("Job.v1.batch")]
        assert verbs[:1] + verbs[-1:] == ["delete", "delete"]
        assert verbs.count("get") == 4
        assert [how for _, how, _ in written(junit)] == ["passed"] * 3
        assert objects(cluster) == []

    def test_is_what_its_spec_says(self, test: Test, cluster: StandIns) -> None:
        test(*SETTINGS)
        (call,) = cluster.calls("kubectl apply")
        made = json.loads(call.stdin)
        assert made["metadata"]["name"] == NAME
        assert made["metadata"]["namespace"] == "ci-1"
        assert made["spec"]["backoffLimit"] == 0
        assert made["spec"]["template"]["spec"]["containers"] == [{"name": "main", "image": IMAGE}]
        assert IMAGE not in shlex.join(call.argv)

    def test_that_fails_is_explained_in_words(self, test: Test, cluster: StandIns, junit: Path) -> None:
        outcome(cluster, FAILED)
        pods(cluster, status_of("terminated", "Failed", exitCode=137, reason="OOMKilled"))
        done = test(*SETTINGS)
        words = f"pod {NAME}-0 ran out of memory: main was killed (OOMKilled)"
        why = f"Job {NAME} failed (BackoffLimitExceeded): {words}"
        assert (done.exit_code, reason(done)) == (1, why)
        assert written(junit)[-1][1:] == ("failure", why)
        assert objects(cluster) == []

    def test_whose_node_was_taken_is_worth_another_try(self, test: Test, cluster: StandIns) -> None:
        outcome(cluster, FAILED)
        pods(cluster, {"phase": "Failed", "reason": "Evicted", "message": "node was low on memory"})
        done = test(*SETTINGS)
        assert (done.exit_code, "was evicted" in reason(done)) == (75, True)

    def test_that_takes_too_long_fails(self, test: Test, cluster: StandIns) -> None:
        outcome(cluster, {"active": 1})
        pods(cluster, {"phase": "Pending", "conditions": [UNSCHEDULABLE]})
        done = test(*SETTINGS, "--timeout=0.2")
        why = f"Job {NAME} did not end within 0.2s: pod {NAME}-0 finds no node: 0/3 nodes are available"
        assert (done.exit_code, reason(done)) == (1, why)
        assert objects(cluster) == []

    def test_whose_pod_can_not_start_is_not_waited_for(self, test: Test, cluster: StandIns) -> None:
        outcome(cluster, {"active": 1})
        pods(cluster, status_of("waiting", "Pending", reason="ImagePullBackOff", message="not found"))
        done = test(*SETTINGS, "--stuck=0.1")
        why = f"Job {NAME} can't start: pod {NAME}-0 can't get {IMAGE} (ImagePullBackOff): not found"
        assert (done.exit_code, reason(done)) == (1, why)

    def test_that_is_gone_fails(self, test: Test, cluster: StandIns) -> None:
        cluster.says(r"^kubectl get Job", "")
        assert reason(test(*SETTINGS)) == f"Job {NAME} is gone: somebody deleted it"

    def test_that_an_earlier_try_left_is_replaced(self, test: Test, cluster: StandIns) -> None:
        left = {"kind": "Job", "metadata": {"name": NAME}, "status": FAILED}
        with cluster.change() as cloud:
            cloud["kube"]["current"]["objects"][f"ci-1/job/{NAME}"] = {"object": left, "looks": 0}
        assert test(*SETTINGS).exit_code == 0
        assert objects(cluster) == []

    def test_that_can_not_be_deleted_keeps_its_verdict(self, test: Test, cluster: StandIns) -> None:
        cluster.says("^kubectl delete", times=1)
        cluster.says("^kubectl delete", stderr="error: timed out waiting for the condition", exit_code=1)
        done = test(*SETTINGS)
        assert done.exit_code == 0, done.output
        assert (
            f"Job {NAME} could not be deleted: kubectl delete Job.v1.batch: error: timed out" in done.output
        )


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}


class TestWhatItLeaves:
    @pytest.fixture(autouse=True)
    def _pods(self, cluster: StandIns) -> None:
        pods(cluster, status_of("terminated", "Failed", exitCode=1))
        cluster.says("^kubectl logs", "2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z two\n")
        about = {"kind": "Pod", "name": f"{NAME}-0"}
        events: list[dict[str, Any]] = [
            {"lastTimestamp": "2026-01-01T00:00:02Z", "type": "Warning", "reason": "BackOff", "count": 3},
            {"lastTimestamp": "2026-01-01T00:00:01Z", "type": "Normal", "reason": "Pulled"},
            {"type": "Warning", "reason": "Strange", "involvedObject": {"name": "other"}},
        ]
        told = [{"metadata": {}, "involvedObject": about, "message": "a\nb"} | event for event in events]
        cluster.says("^kubectl get events", json.dumps({"items": told}))
        outcome(cluster, FAILED)

    def test_logs_are_shown_and_kept(self, test: Test, tmp_path: Path) -> None:
        done = test(*SETTINGS)
        assert f"[{NAME}-0/main] one\n[{NAME}-0/main] two\n" in done.output
        assert (tmp_path / "kept" / "pods" / f"{NAME}-0.main.log").read_text() == "one\ntwo\n"

    def test_events_are_kept_and_warnings_shown(self, test: Test, tmp_path: Path) -> None:
        done = test(*SETTINGS)
        warning = f"2026-01-01T00:00:02Z Warning BackOff Pod/{NAME}-0: a b (3 times)"
        normal = f"2026-01-01T00:00:01Z Normal Pulled Pod/{NAME}-0: a b"
        assert (tmp_path / "kept" / "events.txt").read_text() == f"{normal}\n{warning}\n"
        assert f"event: {warning}\n" in done.output
        assert "Pulled" not in done.output
        assert "Strange" not in done.output

    def test_what_pods_are_is_kept_but_not_what_they_were_given(self, test: Test, tmp_path: Path) -> None:
        test(*SETTINGS)
        text = (tmp_path / "kept" / "status.json").read_text()
        assert set(json.loads(text)["pods"]) == {f"{NAME}-0"}
        assert "s3cret" not in text


def test_trouble_with_events_changes_nothing(test: Test, cluster: StandIns) -> None:
    outcome(cluster, FAILED)
    cluster.says("^kubectl get events", stderr="forbidden", exit_code=1)
    done = test(*SETTINGS)
    assert "events can't be read" in done.output
    assert reason(done) == f"Job {NAME} failed (BackoffLimitExceeded)"


class TestACustomResource:
    @pytest.fixture(autouse=True)
    def _spec(self, tmp_path: Path, options: list[str]) -> None:  # noqa: ARG002 - which write another spec
        (tmp_path / "e2e.yaml").write_text(TFJOB)

    @pytest.mark.parametrize(
        ("condition", "more", "exit_code"),
        [
            pytest.param("Succeeded", [], 0, id="succeeded"),
            pytest.param("Failed", [], 1, id="failed"),
            pytest.param("Ready", ["--success=Ready"], 0, id="another word for success"),
            pytest.param("Degraded", ["--failure=Degraded"], 1, id="another word for failure"),
        ],
    )
    def test_is_judged_by_its_conditions(
        self, test: Test, cluster: StandIns, condition: str, more: list[str], exit_code: int
    ) -> None:
        outcome(cluster, {"conditions": [{"type": condition, "status": "True"}]}, kind="TFJob", looks=2)
        done = test(*more)
        assert done.exit_code == exit_code, done.output
        assert cluster.commands("delete TFJob.v1.kubeflow.org")

    def test_that_the_cluster_does_not_know_fails(self, test: Test, cluster: StandIns) -> None:
        said = 'error: the server doesn\'t have a resource type "TFJob"'
        cluster.says("^kubectl delete", stderr=said, exit_code=1)
        assert reason(test()).endswith('have a resource type "TFJob"')


class TestTheCluster:
    def test_may_be_out_of_reach_for_a_while(self, test: Test, cluster: StandIns) -> None:
        cluster.says("^kubectl get Job", stderr="Unable to connect: i/o timeout", exit_code=1, times=1)
        outcome(cluster, {"conditions": [{"type": "Complete", "status": "True"}]})
        done = test(*SETTINGS)
        assert (done.exit_code, "i/o timeout" in done.output) == (0, True)

    def test_that_answers_nonsense_is_a_failure(self, test: Test, cluster: StandIns) -> None:
        cluster.says("^kubectl get Job", "<html>")
        done = test(*SETTINGS)
        assert (done.exit_code, "what is no JSON: '<html>'" in reason(done)) == (1, True)
        assert objects(cluster) == []


class TestSpecs:
    def test_of_the_source_tree_are_found(self, test: Test, tmp_path: Path, cluster: StandIns) -> None:
        tree = tmp_path / "merged"
        (tree / "tests").mkdir(parents=True)
        (tree / "tests" / "gpu.yaml").write_text(JOB)
        pack(tree, tmp_path / "source.tar.gz", {})
        archive = f"--archive={tmp_path / 'source.tar.gz'}"
        assert test(*SETTINGS, "--spec=tests/gpu.yaml", archive).exit_code == 0
        assert cluster.calls("kubectl apply")

    @pytest.mark.parametrize(
        ("spec", "why"),
        [
            ("nowhere.yaml", "the source tree has no nowhere.yaml"),
            ("link.yaml", "the spec link.yaml is no file of the source tree"),
            ("folder", "the spec folder is no file of the source tree"),
            ("../e2e.yaml", "the source tree has no ../e2e.yaml"),
            ("long.yaml", "the spec long.yaml is longer than 256 kB"),
            ("bytes.yaml", "the spec bytes.yaml is no UTF-8 text"),
        ],
    )
    def test_that_are_none_are_refused(
        self, test: Test, tmp_path: Path, cluster: StandIns, spec: str, why: str
    ) -> None:
        tree = tmp_path / "merged"
        (tree / "folder").mkdir(parents=True)
        (tree / "link.yaml").symlink_to("/etc/hostname")
        (tree / "long.yaml").write_text("#" * 2_000_000)
        (tree / "bytes.yaml").write_bytes(b"\xff")
        pack(tree, tmp_path / "source.tar.gz", {})
        assert reason(test(f"--spec={spec}", f"--archive={tmp_path / 'source.tar.gz'}")) == why
        assert cluster.calls() == []

    def test_that_are_not_there_are_explained(self, test: Test) -> None:
        assert reason(test("--spec=/nowhere.yaml")).startswith(
            "the spec /nowhere.yaml can't be read: No such file"
        )

    def test_know_only_what_was_declared(self, test: Test, cluster: StandIns, junit: Path) -> None:
        done = test("--set=image=x")
        assert reason(done).startswith("the spec uses ${retries}, which is not declared")
        assert [how for _, how, _ in written(junit)] == ["failure"]
        assert cluster.calls() == []

    def test_can_not_be_told_another_name(self, test: Test) -> None:
        assert reason(test(*SETTINGS, "--set=name=x")).startswith("--set=name is not possible")

    @pytest.mark.parametrize("setting", ["image", "=x", "a b=c", "a=b\nc", "$x=1"])
    def test_settings_are_checked(self, test: Test, setting: str) -> None:
        assert test(f"--set={setting}").exit_code == 2


def test_without_a_name_retries_share_one_and_specs_do_not(
    step: Callable[..., Done], tmp_path: Path, options: list[str], cluster: StandIns
) -> None:
    options = [option for option in options if not option.startswith("--name")]
    for name in ("GPU test.yaml", "GPU test.yaml", "other.yaml"):
        (tmp_path / name).write_text(TFJOB)
        step("steps.test_runner", *options, f"--spec={tmp_path / name}", PATH=cluster.path)
    names = [json.loads(call.stdin)["metadata"]["name"] for call in cluster.calls("kubectl apply")]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("gpu-test-")
    assert names[2].startswith("other-")


@pytest.mark.parametrize("during", ["apply", "get Job", "logs"])
def test_a_cancelled_test_is_deleted(
    cluster: StandIns, options: list[str], environment: dict[str, str], junit: Path, during: str
) -> None:
    outcome(cluster, {"active": 1})
    pods(cluster, status_of("running"))
    cluster.says(f"^kubectl {during}", acts=during == "apply", hangs=True)
    argv = [sys.executable, "-m", "steps.test_runner", *options, *SETTINGS]
    with subprocess.Popen(argv, env=environment | {"PATH": cluster.path}, start_new_session=True) as process:
        cluster.wait_for(f"kubectl {during}")
        os.killpg(process.pid, 15)
        assert process.wait(60) == 143
    assert "--wait=false" in cluster.commands("kubectl delete")[-1]
    assert objects(cluster) == []
    assert written(junit)[-1][1:] == ("failure", "stopped by SIGTERM")
    assert reason(Done(0, "", Path(environment["STEP_OUTPUT"]), Path())) == "stopped by SIGTERM"


def test_a_dry_run_prints_what_can_be_copied_and_asks_nothing(
    test: Test, cluster: StandIns, tmp_path: Path
) -> None:
    done = test(*SETTINGS, "--dryrun")
    assert done.exit_code == 0, done.output
    assert cluster.calls() == []
    commands = [line for line in done.output.splitlines() if line.startswith("kubectl ")]
    assert [line.split()[1] for line in commands] == ["delete", "apply", "get", "get", "get", "delete"]
    environment = os.environ | {"PATH": cluster.path}
    subprocess.run(["sh", "-ec", done.output], check=True, env=environment, capture_output=True)
    (call,) = cluster.calls("kubectl apply")
    assert json.loads(call.stdin)["metadata"]["name"] == NAME
    assert not (tmp_path / "kept").exists()


def test_a_dry_run_needs_no_source_tree(test: Test) -> None:
    done = test("--archive=/nowhere.tar.gz", "--spec=tests/gpu.yaml", "--dryrun")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(
        "# /nowhere.tar.gz is not there yet: instead of what tests/gpu.yaml describes"
    )
    assert "kubectl apply --namespace=ci-1 --filename=- <<'EOF'\n" in done.output


def test_on_gke_credentials_are_fetched_first(
    step: Callable[..., Done], options: list[str], cluster: StandIns, tmp_path: Path
) -> None:
    gke = ["--provider=gke", "--project=my-project", "--zone=us-central1-a", "--namespace=ci-1"]
    done = step(
        "steps.test_runner", *options, *SETTINGS, *gke, "--dryrun", PATH=cluster.path, HOME=str(tmp_path)
    )
    commands = [line for line in done.output.splitlines() if line.startswith(("gcloud", "kubectl"))]
    assert commands[0].startswith("gcloud container clusters get-credentials ci-1")
    assert "--namespace=ci-1" in commands[1]
