from contextlib import AbstractContextManager

import pytest

from steps.deploy.clusters import Found
from steps.deploy.teardown import Removal
from steps.deploy.waiting import Patience
from steps.errors import StepFailed, TryAgain
from tests.dags.deploy.conftest import TARGETS, Deploy
from tests.dags.deploy.test_create_cluster import DESCRIBE, FORBIDDEN, GONE

DELETE = "clusters delete"
BUSY = "ERROR: (gcloud.container.clusters.delete) ResponseError: code=503, message=Service unavailable."


@pytest.mark.parametrize("provider", TARGETS)
class TestWithEachProvider:
    def test_what_is_gone_is_success(self, provider: str, deploy: Deploy) -> None:
        deploy("teardown", *TARGETS[provider])
        assert deploy.asked() == []

    def test_removes_what_is_there_and_bears_to_run_twice(self, provider: str, deploy: Deploy) -> None:
        deploy.there(provider)
        for _ in range(2):
            deploy("teardown", *TARGETS[provider], "--run=r1")
            assert deploy.stand_ins.left() == []

    def test_leaves_what_create_cluster_setup_and_test_made_nowhere(
        self, provider: str, deploy: Deploy
    ) -> None:
        for command, more in (
            ("create-cluster", ()),
            ("setup", ("--chart=x.tgz",)),
            ("test", ()),
            ("teardown", ()),
        ):
            deploy(command, *TARGETS[provider], *more)
        assert deploy.stand_ins.left() == []
        assert [file for file in deploy.home.rglob("*") if file.is_file()] == []

    @pytest.mark.parametrize(
        "labels",
        [
            pytest.param({"team": "other"}, id="not ours"),
            pytest.param({"created-by": "preflight", "run": "r2"}, id="of another run"),
        ],
    )
    def test_what_belongs_to_others_stays(
        self, provider: str, labels: dict[str, str], deploy: Deploy
    ) -> None:
        deploy.there(provider, labels=labels)
        with pytest.raises(StepFailed, match="it stays"):
            deploy("teardown", *TARGETS[provider], "--run=r1")
        assert deploy.asked() == []

    def test_a_dry_run_prints_and_does_nothing(
        self, provider: str, deploy: Deploy, capsys: pytest.CaptureFixture[str]
    ) -> None:
        deploy("teardown", *TARGETS[provider], dryrun=True)
        assert deploy.stand_ins.calls() == []
        assert " delete " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "verbs"),
    [
        pytest.param("RUNNING", {"delete"}, id="running"),
        pytest.param("PROVISIONING", {"delete"}, id="being made: removed once that is done"),
        pytest.param("STOPPING", set(), id="being removed: waited for"),
        pytest.param("ERROR", {"delete"}, id="broken"),
        pytest.param("DEGRADED", {"delete"}, id="degraded"),
    ],
)
def test_whatever_state_it_is_in(state: str, verbs: set[str], deploy: Deploy) -> None:
    deploy.there(state=state, looks=3)
    with deploy.stand_ins.change() as cloud:
        cloud["looks"] = 2
    deploy("teardown", *TARGETS["gke"])
    asked = {call.argv[2] for call in deploy.stand_ins.calls("gcloud container clusters")}
    assert asked & {"create", "delete", "update"} == verbs
    assert deploy.stand_ins.left() == []


def test_a_creation_that_has_begun_but_is_not_seen_yet_is_removed_too(deploy: Deploy) -> None:
    deploy.there(state="PROVISIONING", looks=5)
    deploy.stand_ins.says(DESCRIBE, stderr=GONE, exit_code=1, times=2)
    deploy("teardown", *TARGETS["gke"])
    assert deploy.stand_ins.left() == []


@pytest.mark.parametrize(
    ("pattern", "rule", "deletions"),
    [
        pytest.param(DELETE, {"stderr": BUSY, "exit_code": 1, "times": 2}, 3, id="temporary, then success"),
        pytest.param(
            DELETE, {"stderr": GONE, "exit_code": 1, "acts": True}, 1, id="somebody else removed it just now"
        ),
        pytest.param(DESCRIBE, {"stderr": BUSY, "exit_code": 1, "times": 3}, 1, id="looking fails"),
    ],
)
def test_answers_that_deserve_another_look(
    pattern: str, rule: dict[str, object], deletions: int, deploy: Deploy
) -> None:
    deploy.there()
    deploy.stand_ins.says(pattern, **rule)  # type: ignore[arg-type] # a table of keyword arguments
    deploy("teardown", *TARGETS["gke"])
    assert len(deploy.stand_ins.calls(DELETE)) == deletions
    assert deploy.stand_ins.left() == []


@pytest.mark.parametrize(
    ("pattern", "said", "raises"),
    [
        pytest.param(
            DELETE, BUSY, pytest.raises(TryAgain, match="can't be removed yet"), id="temporary for ever"
        ),
        pytest.param(DESCRIBE, BUSY, pytest.raises(TryAgain, match="unavailable"), id="can't look for ever"),
        pytest.param(DELETE, FORBIDDEN, pytest.raises(StepFailed, match="permission"), id="may not remove"),
        pytest.param(DESCRIBE, FORBIDDEN, pytest.raises(StepFailed, match="permission"), id="nor to look"),
    ],
)
def test_answers_that_end_it(
    pattern: str, said: str, raises: AbstractContextManager[object], deploy: Deploy
) -> None:
    deploy.there()
    deploy.stand_ins.says(pattern, stderr=said, exit_code=1)
    with raises:
        deploy("teardown", *TARGETS["gke"], "--timeout=0")
    assert deploy.stand_ins.left() == ["cluster c1"]


def test_what_does_not_end_in_time_is_told_with_its_state(deploy: Deploy) -> None:
    deploy.there(state="STOPPING", looks=99)
    with pytest.raises(TryAgain, match="c1 is STOPPING, after 0s: run teardown again"):
        deploy("teardown", *TARGETS["gke"], "--timeout=0")


def test_a_namespace_that_does_not_end_says_what_keeps_it(deploy: Deploy) -> None:
    deploy.there("current", state="Terminating", looks=99)
    with deploy.stand_ins.change() as cloud:
        cloud["kube"]["current"]["namespaces"]["c1"]["conditions"] = [
            {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "all is well"},
            {
                "type": "NamespaceContentRemaining",
                "status": "True",
                "message": "tfjobs has 1 instances",
            },
        ]
    with pytest.raises(TryAgain, match=r"Terminating \(tfjobs has 1 instances\)"):
        deploy("teardown", *TARGETS["current"], "--timeout=0")


class TestTheChartInAClusterThatStays:
    def test_is_uninstalled_first(self, deploy: Deploy) -> None:
        deploy.there("current")
        deploy("teardown", *TARGETS["current"])
        assert deploy.asked() == ["uninstall", "delete"]

    def test_is_a_remark_when_that_fails(self, deploy: Deploy, capsys: pytest.CaptureFixture[str]) -> None:
        deploy.there("current")
        deploy.stand_ins.says("helm uninstall", stderr="Error: completed with 1 error", exit_code=1)
        deploy("teardown", *TARGETS["current"])
        assert "could not all be removed before" in capsys.readouterr().out
        assert deploy.stand_ins.left() == []

    def test_is_a_remark_without_helm(self, deploy: Deploy) -> None:
        deploy.there("current")
        deploy.stand_ins.folder.joinpath("bin", "helm").unlink()
        deploy("teardown", *TARGETS["current"])
        assert deploy.stand_ins.left() == []


class TestWhatCouldOutliveAClusterOfGoogle:
    """Load balancers and disks: gone with chart and namespace, while the cluster can still remove them."""

    def test_is_removed_first(self, deploy: Deploy) -> None:
        deploy.there()
        deploy("setup", *TARGETS["gke"], "--chart=x.tgz")
        deploy("teardown", *TARGETS["gke"])
        verbs = ("helm uninstall", "kubectl delete namespace", "gcloud container clusters delete")
        lines = [line for line in deploy.stand_ins.commands() if line.startswith(verbs)]
        assert [line.partition(" c1")[0] for line in lines] == [*verbs]

    @pytest.mark.parametrize("namespace", ["default", "kube-system"])
    def test_is_left_in_namespaces_that_no_cluster_is_without(self, namespace: str, deploy: Deploy) -> None:
        deploy.there()
        deploy("teardown", *TARGETS["gke"], f"--namespace={namespace}")
        assert deploy.stand_ins.calls("kubectl delete") == []

    @pytest.mark.parametrize("command", ["get-credentials", "helm uninstall", "kubectl delete"])
    def test_never_keeps_the_cluster(self, command: str, deploy: Deploy) -> None:
        deploy.there()
        deploy.stand_ins.says(command, stderr="Unable to connect to the server: EOF", exit_code=1)
        deploy("teardown", *TARGETS["gke"])
        assert deploy.stand_ins.left() == []
        assert len(deploy.stand_ins.calls(command)) == 1, "asked once"

    def test_is_not_looked_for_where_the_cluster_is_not_ours(self, deploy: Deploy) -> None:
        deploy.there(labels={"team": "other"})
        with pytest.raises(StepFailed, match="it stays"):
            deploy("teardown", *TARGETS["gke"])
        assert deploy.stand_ins.calls("get-credentials") == []


def test_a_cluster_of_kind_that_does_not_answer_is_removed(deploy: Deploy) -> None:
    deploy.there("kind")
    deploy.stand_ins.says("get nodes", stderr="The connection was refused", exit_code=1)
    deploy("teardown", *TARGETS["kind"], "--run=r1")
    assert deploy.stand_ins.left() == []


class Late:
    """Clusters where one comes up on the third look, and goes as soon as it is told to."""

    noun = "cluster"

    def __init__(self) -> None:
        self.looks = 0
        self.deleted = False

    def look(self, name: str) -> Found | None:
        self.looks += 1
        return Found(name, "RUNNING", "ready", {}) if self.looks == 3 and not self.deleted else None

    def delete(self, found: Found) -> None:
        assert found.name == "c1"
        self.deleted = True


@pytest.mark.parametrize(
    ("settle", "looks", "deleted"),
    [
        pytest.param(0, 1, False, id="one look is enough where nobody can still be creating it"),
        pytest.param(1.5, 6, True, id="after a cancel until nothing was seen for so long"),
    ],
)
def test_settling(settle: float, looks: int, *, deleted: bool) -> None:
    clusters, now = Late(), [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    patience = Patience(600, 0.5, clock=lambda: now[0], pause=pause)
    removal = Removal(clusters, "c1", lambda _: "")  # type: ignore[arg-type] # it needs look and delete
    removal.finish(patience, settle=settle)
    assert (clusters.looks, clusters.deleted) == (looks, deleted)
