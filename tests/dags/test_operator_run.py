"""What StepOperator makes of a run: announced XComs, its time, keys, steps that have nothing to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dags.airflow_server import Server

Execute = Callable[..., dict[str, Any]]


@pytest.fixture
def execute(server: Server, tmp_path: Path) -> Execute:
    def run(*argv: str, **given: Any) -> Any:  # noqa: ANN401 - JSON
        env = {"PREFLIGHT_ARTIFACTS_ROOT": str(tmp_path / "artifacts"), "TMPDIR": str(tmp_path)}
        return server.ask(do="execute", argv=argv, env=env, **{"params": {}, **given})

    return run


class TestXComs:
    @pytest.mark.parametrize("deed", ["true", "exit 1", "exit 75", "kill -9 $$"])
    def test_what_is_announced_is_there_however_the_step_ends(self, execute: Execute, deed: str) -> None:
        assert execute("sh", "-c", deed, announces={"cluster": "e2e-1"})["xcoms"]["cluster"] == "e2e-1"

    def test_what_is_announced_is_there_even_where_the_run_is_over(self, execute: Execute) -> None:
        done = execute("true", announces={"cluster": "e2e-1"}, params={"run_timeout": 60}, began=61)
        assert (done["raised"], done["xcoms"]["cluster"]) == ("final", "e2e-1")

    def test_what_is_foretold_is_there_in_a_dry_run_only(self, execute: Execute) -> None:
        told = {"announces": {"cluster": "e2e-1"}, "foretells": {"image": "app:<tag>"}}
        real, dry = execute("true", **told), execute("true", **told, params={"dryrun": True})
        assert {*real["xcoms"]} == {"preflight", "cluster"}
        assert {*dry["xcoms"]} == {"preflight", "cluster", "image"}


class TestTheEnvironment:
    def test_a_command_may_add_to_it_and_no_value_is_shown(self, execute: Execute) -> None:
        ticket = {"PREFLIGHT_TICKET": "pft_s3cret"}
        assert "pft_s3cret" in execute("sh", "-c", "echo $PREFLIGHT_TICKET", environment=ticket)["log"]
        shown = execute("true", environment=ticket, params={"dryrun": True})
        assert " PREFLIGHT_TICKET " in shown["log"][-1]
        assert "s3cret" not in str(shown)

    @pytest.mark.parametrize("mapped", [False, True], ids=["a step", "a mapped step"])
    def test_keys_are_refused_to_code_of_the_pull_request(self, server: Server, *, mapped: bool) -> None:
        made = server.ask(do="construct", inherit=["A_KEY"], mapped=mapped, env={})
        assert made["refused"].startswith("unit would hand A_KEY to code from the pull request")

    @pytest.mark.parametrize("mapped", [False, True], ids=["a step", "a mapped step"])
    def test_a_step_with_keys_has_a_pod_apart(self, server: Server, *, mapped: bool) -> None:
        env = {"PREFLIGHT_KEYS_POD_TEMPLATE": "/keys.yaml"}
        made = server.ask(do="construct", inherit=["A_KEY"], runs_their_code=False, mapped=mapped, env=env)
        assert made == {"refused": None, "executor_config": {"pod_template_file": "/keys.yaml"}}


class TestTheTimeOfTheRun:
    OVER = "the run timed out after 1m00s"

    def test_a_step_is_stopped_when_it_is_over(self, execute: Execute) -> None:
        done = execute("sleep", "600", params={"run_timeout": 60}, began=59)
        assert (done["raised"], done["message"]) == ("final", self.OVER)
        assert done["xcoms"]["preflight"]["outcome"] == "timed_out"

    def test_no_step_begins_afterwards(self, execute: Execute, tmp_path: Path) -> None:
        done = execute("touch", str(tmp_path / "ran"), params={"run_timeout": 60}, began=61)
        assert (done["raised"], done["message"]) == ("final", self.OVER)
        assert done["xcoms"]["preflight"]["reason"] == self.OVER
        assert not (tmp_path / "ran").exists()

    def test_what_cleans_up_does(self, execute: Execute) -> None:
        assert execute("true", params={"run_timeout": 60}, began=61, always=True)["raised"] is None

    def test_a_dry_run_has_all_the_time_in_the_world(self, execute: Execute) -> None:
        assert execute("true", params={"run_timeout": 60, "dryrun": True}, began=61)["raised"] is None

    def test_its_own_timeout_is_told_where_that_is_nearer(self, execute: Execute) -> None:
        done = execute("sleep", "600", params={"run_timeout": 600}, began=1, timeout=0.5)
        assert done["message"] == "timed out after 0.5s"


def test_a_step_with_nothing_to_do_is_skipped_and_says_why(execute: Execute) -> None:
    done = execute("true", skip="no accelerators are asked for")
    assert (done["raised"], done["message"]) == ("skipped", "no accelerators are asked for")
    assert done["xcoms"] == {}
