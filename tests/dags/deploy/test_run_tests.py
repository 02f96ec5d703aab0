from pathlib import Path

import pytest

from steps.cases import Cases
from steps.deploy.run_tests import Suite, suites_of
from steps.errors import StepFailed, TryAgain
from tests.dags.deploy.conftest import TARGETS, Deploy

GKE = TARGETS["gke"]


@pytest.fixture(autouse=True)
def _release(deploy: Deploy) -> None:
    deploy.there()
    deploy("setup", *GKE, "--chart=x.tgz")


class TestHelmTest:
    def test_each_test_of_the_chart_is_a_case(self, deploy: Deploy, tmp_path: Path) -> None:
        deploy.cases = Cases("deploy test", tmp_path / "junit.xml")
        with deploy.stand_ins.change() as cloud:
            cloud["helm_tests"] = {"t-one": "Succeeded", "t-two": "Failed"}
        with pytest.raises(StepFailed, match="helm test: t-two Failed"):
            deploy("test", *GKE)
        deploy.cases.write()
        written = tmp_path.joinpath("junit.xml").read_text(encoding="utf-8")
        assert 'tests="3" failures="1"' in written
        assert deploy.stand_ins.commands("kubectl logs") == [
            "kubectl logs pod/t-two --namespace=c1 --all-containers --tail=200"
        ]

    def test_the_log_of_a_job_is_found_too(self, deploy: Deploy) -> None:
        with deploy.stand_ins.change() as cloud:
            cloud["helm_tests"] = {"t": "Failed"}
        deploy.stand_ins.says("logs pod/t", stderr='pods "t" not found', exit_code=1)
        with pytest.raises(StepFailed):
            deploy("test", *GKE)
        assert len(deploy.stand_ins.calls("logs job/t")) == 1

    def test_a_chart_without_tests_passes_and_says_so(
        self, deploy: Deploy, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with deploy.stand_ins.change() as cloud:
            cloud["helm_tests"] = {}
        deploy("test", *GKE)
        assert "the chart has no tests" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            pytest.param("Error: release: not found", StepFailed, id="no release"),
            pytest.param("Error: Kubernetes cluster unreachable: EOF", TryAgain, id="temporary for ever"),
        ],
    )
    def test_what_is_no_test_that_failed(self, said: str, error: type[Exception], deploy: Deploy) -> None:
        deploy.stand_ins.says("helm test", stderr=said, exit_code=1)
        with pytest.raises(error, match=said.removeprefix("Error: ")):
            deploy("test", *GKE)


class TestACommand:
    @pytest.mark.parametrize(
        ("script", "exit_code", "printed"),
        [
            pytest.param("echo $CLUSTER $NAMESPACE $RELEASE", 0, "c1 c1 c1", id="knows where"),
            pytest.param("test -s $KUBECONFIG", 0, "", id="has credentials"),
            pytest.param("echo no >&2; exit 3", 3, "ended with exit code 3", id="its exit code is ours"),
            pytest.param("exit 75", 75, "", id="may ask for another try"),
            pytest.param("kill -9 $$", 137, "", id="killed by a signal"),
            pytest.param("echo connection refused; exit 1", 1, "connection refused", id="is never repeated"),
        ],
    )
    def test_runs_instead(
        self, script: str, exit_code: int, printed: str, deploy: Deploy, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert deploy("test", *GKE, "--", "sh", "-c", script) == exit_code
        assert printed in capfd.readouterr().out
        assert deploy.stand_ins.commands("helm test") == []

    def test_has_its_time(self, deploy: Deploy, capsys: pytest.CaptureFixture[str]) -> None:
        assert deploy("test", *GKE, "--timeout=0.1", "--", "sleep", "60") == 1
        assert "took longer than 0.1s" in capsys.readouterr().out

    def test_that_is_not_there_is_named(self, deploy: Deploy) -> None:
        with pytest.raises(StepFailed, match="no-such-program can't be run"):
            deploy("test", *GKE, "--", "no-such-program")

    def test_a_dry_run_prints_it(self, deploy: Deploy, capsys: pytest.CaptureFixture[str]) -> None:
        deploy("test", *GKE, "--", "pytest", "e2e tests", "--dryrun", dryrun=True)
        last = capsys.readouterr().out.splitlines()[-1]
        assert last == "CLUSTER=c1 NAMESPACE=c1 RELEASE=c1 pytest 'e2e tests' --dryrun"


@pytest.mark.parametrize(
    ("said", "suites"),
    [
        pytest.param("NAME: r\nTEST SUITE: None\n", [], id="none"),
        pytest.param(
            "NAME: r\nTEST SUITE:     a\nLast Started:   x\nLast Completed: y\nPhase:          Succeeded\n"
            "TEST SUITE:     b\nLast Started:   x\nPhase:          Failed\nError: 1 error occurred\n",
            [Suite("a", "Succeeded"), Suite("b", "Failed")],
            id="two",
        ),
        pytest.param("TEST SUITE: a\nTEST SUITE: b\nPhase: Running\n", [Suite("b", "Running")], id="cut off"),
        pytest.param("Error: release: not found\n", [], id="an error"),
    ],
)
def test_what_helm_tells_of_tests(said: str, suites: list[Suite]) -> None:
    assert suites_of(said) == suites
