import time
from contextlib import AbstractContextManager

import pytest

from steps.errors import StepFailed, TryAgain
from tests.dags.deploy.conftest import TARGETS, Deploy, labels_of

CREATE, DESCRIBE = "clusters create", "clusters describe"
GONE = "ERROR: (gcloud.container.clusters.describe) ResponseError: code=404, message=Not found: "
GONE += "projects/my-project/zones/us-central1-a/clusters/c1.\nNo cluster named 'c1' in my-project."
BUSY = "ERROR: (gcloud.container.clusters.create) ResponseError: code=503, message=Currently unavailable."
LOST = "ERROR: gcloud crashed (ConnectionError): ('Connection aborted.', ConnectionResetError(104))"
QUOTA = (
    "ERROR: (gcloud.container.clusters.create) ResponseError: code=403, message=Insufficient regional quota "
    "to satisfy request: resource \"CPUS\": request requires '9.0' and is short '1.0'. project has a quota "
    "of '8.0' with '8.0' available. Please try again later."
)
FORBIDDEN = (
    "ERROR: (gcloud.container.clusters.describe) ResponseError: code=403, message=Required "
    '"container.clusters.get" permission(s) for "projects/my-project/zones/us-central1-a/clusters/c1".'
)


@pytest.mark.parametrize("provider", TARGETS)
class TestWithEachProvider:
    def test_makes_what_is_not_there_with_labels_of_ours(self, provider: str, deploy: Deploy) -> None:
        now = time.time()
        more = ("--owner=Octo Cat[bot]", "--run=manual__2024:01", "--lifetime=2h", "--label=team=infra")
        assert deploy("create-cluster", *TARGETS[provider], *more) == {"cluster": "c1"}
        labels = labels_of(deploy.stand_ins, provider)
        assert labels.pop("pod-security.kubernetes.io/enforce", "") == "baseline" * (provider == "current")
        assert int(labels.pop("expires")) >= int(now) + 7200
        assert labels == {
            "created-by": "preflight",
            "owner": "octo-cat-bot",
            "run": "manual__2024-01",
            "team": "infra",
        }

    def test_goes_on_with_the_one_of_an_earlier_try(self, provider: str, deploy: Deploy) -> None:
        deploy.there(provider)
        deploy("create-cluster", *TARGETS[provider], "--run=r1")
        assert deploy.asked() == []

    def test_gives_it_more_time_when_it_would_soon_expire(self, provider: str, deploy: Deploy) -> None:
        deploy.there(provider, labels={"created-by": "preflight", "expires": "1000", "other": "kept"})
        deploy("create-cluster", *TARGETS[provider])
        labels = labels_of(deploy.stand_ins, provider) if provider != "kind" else _node_labels(deploy)
        assert int(labels["expires"]) > time.time()
        assert labels["other"] == "kept"

    @pytest.mark.parametrize(
        ("labels", "why"),
        [
            pytest.param({"team": "other"}, "it has no label created-by=preflight", id="not ours"),
            pytest.param(
                {"created-by": "preflight", "run": "r2"}, "belongs to the run r2", id="of another run"
            ),
        ],
    )
    def test_refuses_the_name_of_what_belongs_to_others(
        self, provider: str, labels: dict[str, str], why: str, deploy: Deploy
    ) -> None:
        deploy.there(provider, labels=labels)
        with pytest.raises(StepFailed, match=why):
            deploy("create-cluster", *TARGETS[provider], "--run=r1")
        assert deploy.asked() == []

    def test_another_one_that_came_up_meanwhile_is_looked_at_again(
        self, provider: str, deploy: Deploy
    ) -> None:
        deploy.there(provider)
        deploy.stand_ins.says(DESCRIBE, stderr=GONE, exit_code=1, times=1)
        deploy.stand_ins.says("kubectl get namespace|kind get clusters", times=1)
        deploy("create-cluster", *TARGETS[provider], "--run=r1")
        assert deploy.asked() == ["create"]

    def test_a_dry_run_prints_and_does_nothing(
        self, provider: str, deploy: Deploy, capsys: pytest.CaptureFixture[str]
    ) -> None:
        deploy("create-cluster", *TARGETS[provider], dryrun=True)
        assert deploy.stand_ins.calls() == []
        assert " create " in capsys.readouterr().out


def _node_labels(deploy: Deploy) -> dict[str, str]:
    held = deploy.stand_ins.cloud["kube"]["kind-c1"]["objects"]["/node/n"]
    labels: dict[str, str] = held["object"]["metadata"]["labels"]
    return labels


@pytest.mark.parametrize(
    ("state", "verbs"),
    [
        pytest.param("PROVISIONING", [], id="being made: waits for it"),
        pytest.param("RECONCILING", [], id="being mended: usable"),
        pytest.param("DEGRADED", [], id="degraded: usable"),
        pytest.param("STOPPING", ["create"], id="being removed: waits, then makes it"),
        pytest.param("ERROR", ["delete", "create"], id="broken: removes and makes it anew"),
    ],
)
def test_whatever_state_an_earlier_try_left_it_in(state: str, verbs: list[str], deploy: Deploy) -> None:
    deploy.there(state=state, looks=3)
    deploy("create-cluster", *TARGETS["gke"], "--run=r1")
    assert deploy.asked() == verbs
    assert deploy.stand_ins.cloud["gke"]["c1"]["status"] in {"RUNNING", "RECONCILING", "DEGRADED"}


def test_a_broken_one_that_is_not_ours_stays(deploy: Deploy) -> None:
    deploy.there(state="ERROR", labels={"team": "other"})
    with pytest.raises(StepFailed, match="is not ours"):
        deploy("create-cluster", *TARGETS["gke"])
    assert deploy.asked() == []


def test_a_creation_that_has_begun_but_is_not_seen_yet_is_waited_for(deploy: Deploy) -> None:
    deploy.there(state="PROVISIONING", looks=3)
    deploy.stand_ins.says(DESCRIBE, stderr=GONE, exit_code=1, times=2)
    deploy("create-cluster", *TARGETS["gke"], "--run=r1")
    assert deploy.asked() == []


@pytest.mark.parametrize(
    ("rule", "creations"),
    [
        pytest.param({"stderr": BUSY, "exit_code": 1, "times": 2}, 3, id="temporary, then success"),
        pytest.param({"stderr": LOST, "exit_code": 1, "acts": True}, 1, id="made, but its answer was lost"),
        pytest.param(
            {"stderr": "is still running, check its status", "exit_code": 1, "acts": True, "times": 1},
            1,
            id="gcloud waits no longer",
        ),
    ],
)
def test_answers_that_deserve_another_look(rule: dict[str, object], creations: int, deploy: Deploy) -> None:
    deploy.stand_ins.says(CREATE, **rule)  # type: ignore[arg-type] # a table of keyword arguments
    deploy("create-cluster", *TARGETS["gke"])
    assert len(deploy.stand_ins.calls(CREATE)) == creations
    assert deploy.stand_ins.left() == ["cluster c1"]


@pytest.mark.parametrize(
    ("pattern", "said", "raises", "creations"),
    [
        pytest.param(
            CREATE, BUSY, pytest.raises(TryAgain, match="Currently unavailable"), 3, id="temporary for ever"
        ),
        pytest.param(
            CREATE, QUOTA, pytest.raises(StepFailed, match="my-project has no quota left"), 1, id="quota"
        ),
        pytest.param(
            DESCRIBE, FORBIDDEN, pytest.raises(StepFailed, match="permission"), 0, id="not allowed to look"
        ),
        pytest.param(CREATE, "ERROR: Bad value", pytest.raises(StepFailed, match="Bad value"), 1, id="wrong"),
    ],
)
def test_answers_that_end_it(
    pattern: str, said: str, raises: AbstractContextManager[object], creations: int, deploy: Deploy
) -> None:
    deploy.stand_ins.says(pattern, stderr=said, exit_code=1)
    with raises:
        deploy("create-cluster", *TARGETS["gke"])
    assert len(deploy.stand_ins.calls(CREATE)) == creations


def test_a_stockout_ends_the_try_and_the_next_one_begins_anew(deploy: Deploy) -> None:
    with deploy.stand_ins.change() as cloud:
        cloud["stockouts"] = 1
    with pytest.raises(TryAgain, match="does not have enough resources available"):
        deploy("create-cluster", *TARGETS["gke"])
    deploy("create-cluster", *TARGETS["gke"])
    assert deploy.asked() == ["create", "delete", "create"]
    assert deploy.stand_ins.cloud["gke"]["c1"]["status"] == "RUNNING"


def test_what_is_not_ready_in_time_is_told_with_its_state(deploy: Deploy) -> None:
    deploy.there(state="PROVISIONING", looks=99)
    with pytest.raises(TryAgain, match="c1 is PROVISIONING, after 0s"):
        deploy("create-cluster", *TARGETS["gke"], "--timeout=0", "--run=r1")


def test_a_namespace_that_is_still_going_is_waited_for(deploy: Deploy) -> None:
    deploy.there("current", state="Terminating", looks=2)
    deploy("create-cluster", *TARGETS["current"])
    assert deploy.asked() == ["create"]


def test_pods_of_a_namespace_may_be_more_or_less_when_asked(deploy: Deploy) -> None:
    deploy("create-cluster", *TARGETS["current"], "--pod-security=restricted")
    labels = labels_of(deploy.stand_ins, "current")
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_cluster_of_kind_that_does_not_answer_is_made_anew(deploy: Deploy) -> None:
    deploy.there("kind")
    deploy.stand_ins.says(
        "get nodes", stderr="The connection to the server was refused", exit_code=1, times=1
    )
    deploy("create-cluster", *TARGETS["kind"], "--nodes=2", "--run=r1")
    assert deploy.asked() == ["delete", "create"]
    (creation,) = deploy.stand_ins.calls("kind create")
    assert [line.strip() for line in creation.stdin.splitlines() if "role" in line] == [
        '"role": "control-plane",',
        '"role": "worker",',
    ]


@pytest.mark.parametrize("command", ["create-cluster", "teardown"])
def test_one_of_kind_that_does_not_answer_may_be_anybodys_by_hand(command: str, deploy: Deploy) -> None:
    deploy.there("kind", labels={})
    deploy.stand_ins.says("get nodes", stderr="The connection was refused", exit_code=1)
    with pytest.raises(StepFailed, match="whose it is can't be told"):
        deploy(command, *TARGETS["kind"])
    assert deploy.asked() == []


def test_a_cluster_is_shaped_as_asked(deploy: Deploy) -> None:
    shape = ("--machine-type=n1-standard-4", "--nodes=2", "--accelerator=nvidia-tesla-t4:2")
    more = ("--version=1.32", "--spot")
    region = ("--cluster=c1", "--project=my-project", "--region=europe-west4")
    deploy("create-cluster", *region, *shape, *more)
    (creation,) = deploy.stand_ins.calls(CREATE)
    argv = [each for each in creation.argv if not each.startswith("--labels=")]
    assert argv == [
        *("container", "clusters", "create", "c1", "--project=my-project", "--location=europe-west4"),
        *("--num-nodes=2", "--service-account=preflight-nodes@my-project.iam.gserviceaccount.com"),
        "--machine-type=n1-standard-4",
        "--accelerator=type=nvidia-tesla-t4,count=2,gpu-driver-version=default",
        *("--cluster-version=1.32", "--spot", "--quiet"),
    ]


@pytest.mark.parametrize(
    ("options", "account"),
    [
        pytest.param(("--project=my-project",), "preflight-nodes@my-project", id="as setup made it"),
        pytest.param(
            ("--project=example.com:my-project",),
            "preflight-nodes@my-project.example.com",
            id="in a project of a domain",
        ),
        pytest.param(
            ("--project=my-project", "--node-account=nodes@other-project.iam.gserviceaccount.com"),
            "nodes@other-project",
            id="another one",
        ),
    ],
)
def test_nodes_never_run_as_the_projects_default_account(
    options: tuple[str, ...], account: str, deploy: Deploy
) -> None:
    deploy("create-cluster", "--cluster=c1", "--zone=us-central1-a", *options)
    (creation,) = deploy.stand_ins.calls(CREATE)
    assert f"--service-account={account}.iam.gserviceaccount.com" in creation.argv
    assert not [each for each in creation.argv if "workload" in each], "a pool is the whole project's"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param('The user does not have access to service account "x@y".', id="not theirs"),
        pytest.param('Service account "x@y" does not exist.', id="not there"),
    ],
)
def test_an_account_that_nodes_can_not_have_is_told_with_what_to_do(said: str, deploy: Deploy) -> None:
    deploy.stand_ins.says(CREATE, stderr=f"ERROR: ResponseError: code=400, message={said}", exit_code=1)
    with pytest.raises(StepFailed, match=r"run deploy/gcp/setup, or name another with --node-account"):
        deploy("create-cluster", *TARGETS["gke"])


def test_a_label_may_not_replace_ours(deploy: Deploy) -> None:
    with pytest.raises(StepFailed, match="'run' is ours"):
        deploy("create-cluster", *TARGETS["gke"], "--label=run=x")
    assert deploy.asked() == []


def test_a_program_that_is_missing_is_named(deploy: Deploy) -> None:
    deploy.stand_ins.folder.joinpath("bin", "kind").unlink()
    with pytest.raises(StepFailed, match="kind is not on PATH"):
        deploy("create-cluster", *TARGETS["kind"])
