"""What each step of tf_k8s_tests runs, for what is asked of the pipeline. Nothing is started."""

from collections.abc import Callable
from typing import Any, ClassVar

import jsonschema
import pytest

from tests.dags.airflow_server import Server

Answer = dict[str, Any]
Ask = Callable[..., Answer]
CONF = {"CLONE_URL": "https://localhost/o/Some_App.git", "project": "my-project-1", "registry": "reg/e2e"}
MADE = {
    "clone_repo.commit": "0123456789abcdef",
    "create_cluster.cluster": "e2e-1",
    "create_cluster.preflight": {"outcome": "succeeded"},
    "build_images.image": "reg/e2e/app@sha256:1",
    "build_images.chart": "/artifacts/run/charts/app-0.1.0.tgz",
    "setup_cluster.namespace": "space",
    "setup_cluster.release": "rel",
}
GKE = ["--provider=gke", "--cluster=e2e-1", "--project=my-project-1", "--zone=us-central1-a"]


@pytest.fixture
def ask(server: Server) -> Ask:
    def call(
        function: str,
        xcoms: dict[str, object] | None = None,
        states: dict[str, str] | None = None,
        **params: object,
    ) -> Any:  # noqa: ANN401 - JSON
        given = {"params": CONF | params, "xcoms": MADE if xcoms is None else xcoms, "states": states or {}}
        return server.ask(do="command", dag="tf_k8s_tests", function=function, env={}, **given)

    return call


def words(answer: Answer) -> list[str]:
    """Return the command line but for its JUnit file, which every step has."""
    said: list[str]
    *said, junit = answer["argv"]
    assert junit.startswith("--junit_path=/artifacts/run/artifacts/")
    return said


@pytest.mark.parametrize(
    ("function", "params", "expected"),
    [
        pytest.param("run_tests", {}, ["steps.deploy", "test", *GKE], id="the chart's own tests"),
        pytest.param("run_tests", {"spec": "a.yaml"}, ["steps.test_runner", "test", *GKE], id="a spec"),
        pytest.param(
            "run_gpu_test", {"accelerators": "t4:1"}, ["steps.test_runner", "test", *GKE], id="the GPU test"
        ),
        pytest.param("teardown_cluster", {}, ["steps.deploy", "teardown", *GKE], id="teardown"),
        pytest.param("setup_cluster", {}, ["steps.deploy", "setup", *GKE], id="setup"),
    ],
)
def test_steps_work_on_the_cluster_that_was_made(
    ask: Ask, function: str, params: dict[str, object], expected: list[str]
) -> None:
    assert words(ask(function, **params))[: len(expected)] == expected


def test_tests_find_what_was_deployed(ask: Ask) -> None:
    said = words(ask("run_gpu_test", accelerators="t4:1", gpu_spec="e2e/x.yaml"))
    assert {
        "--namespace=space",
        "--release=rel",
        "--spec=e2e/x.yaml",
        "--set=image=reg/e2e/app@sha256:1",
    } <= {*said}


class TestTheCluster:
    def test_is_announced_under_a_name_that_follows_from_the_run(self, ask: Ask) -> None:
        first, again = ask("create_cluster", {}), ask("create_cluster", {})
        assert first["announces"] == again["announces"]
        assert f"--cluster={first['announces']['cluster']}" in first["argv"]

    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({"region": "europe-west4"}, "--region=europe-west4"),
            ({"accelerators": "nvidia-tesla-t4:2"}, "--accelerator=nvidia-tesla-t4:2"),
            ({"machine_type": "n1-standard-4"}, "--machine-type=n1-standard-4"),
            ({"node_account": "nodes@p.iam"}, "--node-account=nodes@p.iam"),
            ({"preflight": {"actor": "ada"}}, "--owner=ada"),
            ({"run_timeout": 7200}, "--lifetime=180m"),
        ],
    )
    def test_is_as_asked_for(self, ask: Ask, params: dict[str, object], expected: str) -> None:
        assert expected in words(ask("create_cluster", {}, **params))

    def test_is_the_same_runs_to_whoever_makes_and_removes_it(self, ask: Ask) -> None:
        whose = [
            [word for word in words(ask(function)) if word.startswith("--run=")]
            for function in ("create_cluster", "teardown_cluster")
        ]
        assert whose[0] == whose[1] != []

    @pytest.mark.parametrize("provider", ["kind", "current"])
    def test_is_googles_for_code_of_strangers(self, ask: Ask, provider: str) -> None:
        said = ask("create_cluster", {}, provider=provider, preflight={"trusted": False})
        assert "use provider gke" in said["ContractError"]

    def test_waits_for_its_gpus(self, ask: Ask) -> None:
        assert "--gpus=2" in words(ask("setup_cluster", accelerators="nvidia-tesla-t4:2"))
        assert "--gpus=1" in words(ask("setup_cluster", accelerators="nvidia-tesla-t4"))
        assert not [word for word in words(ask("setup_cluster")) if word.startswith("--gpus")]


class TestTheImage:
    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({}, {"--image=some-app", "--registry=reg/e2e", "--push", "--builder=auto"}),
            ({"image": "mine"}, {"--image=mine"}),
            ({"CLONE_URL": "https://localhost/o/.github"}, {"--image=github"}),
            ({"CLONE_URL": "https://localhost/o/a...b--.git"}, {"--image=a-b"}),
            ({"builder": "cloudbuild"}, {"--builder=cloudbuild", "--project=my-project-1"}),
        ],
    )
    def test_is_built_as_asked_for(self, ask: Ask, params: dict[str, object], expected: set[str]) -> None:
        assert expected <= {*words(ask("build_images", **params))}

    @pytest.mark.parametrize("provider", ["gke", "current"])
    def test_needs_a_registry_that_nodes_pull_from(self, ask: Ask, provider: str) -> None:
        said = ask("build_images", provider=provider, registry="")["ContractError"]
        assert said.startswith("conf has no registry")

    def test_needs_none_with_kind_whose_nodes_are_given_it(self, ask: Ask) -> None:
        build, setup = (
            words(ask(function, provider="kind", registry=""))
            for function in ("build_images", "setup_cluster")
        )
        assert "--push" not in build
        assert "--image=reg/e2e/app@sha256:1" in setup

    def test_reaches_the_chart_as_the_value_that_takes_it(self, ask: Ask) -> None:
        said = words(ask("setup_cluster", image_value="app.image"))
        assert "--set-string=app.image=reg/e2e/app@sha256:1" in said
        assert "--chart=/artifacts/run/charts/app-0.1.0.tgz" in said


class TestTeardown:
    """Airflow forgets XComs when another try begins: so what is not known counts as begun."""

    def test_has_nothing_to_do_where_conf_was_refused(self, ask: Ask) -> None:
        refused = {"create_cluster.preflight": {"argv": "", "outcome": "failed"}}
        assert ask("teardown_cluster", refused) == {"Skipped": "no cluster was begun"}

    def test_removes_by_its_name_what_no_xcom_tells_of(self, ask: Ask) -> None:
        name = ask("create_cluster", {})["announces"]["cluster"]
        assert f"--cluster={name}" in words(ask("teardown_cluster", {}))

    @pytest.mark.parametrize(
        ("state", "waits"),
        [("success", False), ("failed", True), ("skipped", True), ("upstream_failed", True)],
    )
    def test_looks_again_where_a_request_may_be_on_its_way(
        self, ask: Ask, state: str, *, waits: bool
    ) -> None:
        said = words(ask("teardown_cluster", MADE, {"create_cluster": state}))
        assert ("--settle=15" in said) is waits


def test_without_accelerators_there_is_no_gpu_test(ask: Ask) -> None:
    assert ask("run_gpu_test") == {"Skipped": "no accelerators are asked for"}


@pytest.mark.parametrize(("accelerators", "may"), [("", True), ("t4:1", False)], ids=["none", "some"])
def test_only_a_gpu_test_that_nobody_asked_for_may_be_missing(
    server: Server, accelerators: str, *, may: bool
) -> None:
    states = {"done": "running", "pytest": "success", "run_gpu_test": "skipped"}
    asked = {"dag": "tf_k8s_tests", "function": "done", "env": {}, "states": states}
    said = server.ask(do="command", params={"accelerators": accelerators}, **asked)["argv"]
    assert [word for word in said if word.startswith("--state")] == [
        "--state=pytest=success",
        "--state=run_gpu_test=skipped",
    ]
    assert ("--may-skip=run_gpu_test" in said) is may


class TestTheDag:
    DOWNSTREAM: ClassVar = {
        "clone_repo": ["build_images", "create_cluster", "done", "pylint", "pytest", "teardown_cluster"],
        "build_images": ["done", "setup_cluster"],
        "pylint": ["done", "setup_cluster"],
        "pytest": ["done", "setup_cluster"],
        "create_cluster": ["setup_cluster", "teardown_cluster"],
        "setup_cluster": ["run_gpu_test", "run_tests", "teardown_cluster"],
        "run_tests": ["teardown_cluster"],
        "run_gpu_test": ["teardown_cluster"],
        "teardown_cluster": ["done"],
        "done": [],
    }

    @pytest.fixture
    def dag(self, loaded: Answer) -> Any:  # noqa: ANN401 - JSON
        return loaded["dags"]["tf_k8s_tests"]

    def test_is_what_its_page_draws(self, dag: Answer) -> None:
        assert dag["downstream"] == self.DOWNSTREAM

    def test_cleans_up_after_whatever_was_set_up(self, dag: Answer) -> None:
        assert dag["setups"] == ["clone_repo", "create_cluster", "setup_cluster"]
        assert dag["teardowns"] == ["done", "teardown_cluster"]

    def test_gives_no_keys_to_what_runs_the_repositorys_code(self, dag: Answer) -> None:
        assert {*dag["downstream"]} - {*dag["inherit"]} == {"pylint", "pytest"}
        assert "GOOGLE_APPLICATION_CREDENTIALS" not in {
            *dag["inherit"]["clone_repo"],
            *dag["inherit"]["done"],
        }

    def test_says_what_each_param_means_and_can_be_triggered_with_none(self, dag: Answer) -> None:
        for param in dag["params"].values():
            assert param["description"].endswith(".")
            jsonschema.validate(param["default"], param["schema"])

    @pytest.mark.parametrize(
        ("param", "value"),
        [
            ("provider", "aws"),
            ("project", "-x"),
            ("zone", "a b"),
            ("accelerators", "T4;x"),
            ("registry", "--x"),
            ("chart", ""),
            ("chart", "../x --y"),
            ("spec", "$(x)"),
            ("run_timeout", 0),
            ("run_timeout", "60"),
            ("exclude", "x"),
            ("builder", "make"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, dag: Answer, param: str, value: object) -> None:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(value, dag["params"][param]["schema"])


def test_the_sweep_waits_to_be_unpaused(loaded: Answer) -> None:
    dag = loaded["dags"]["sweep_clusters"]
    assert (dag["schedule"], dag["paused"], dag["catchup"]) == ("@hourly", True, False)
