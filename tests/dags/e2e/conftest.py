"""All runs of the E2E pipeline that tests look at: together they cost the time of a few."""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from bot.adapters.airflow import AirflowClient
from deploy.local.airflow import LocalAirflow
from tests.dags.conftest import Repository
from tests.dags.e2e import plan
from tests.dags.e2e.pipeline import Play, Scenario, perform
from tests.dags.e2e.source import push
from tests.dags.git_server import git_server
from tests.dags.tools.stand_ins import StandIns

AT_ONCE = ("build_images", "pylint", "pytest", "create_cluster")
TESTS = ("run_tests", "run_gpu_test")
FAILING = (*AT_ONCE, "setup_cluster", *TESTS, "teardown_cluster")
CANCELLED = (("clone_repo",), AT_ONCE, ("setup_cluster",), TESTS, ("teardown_cluster",))
RESUMED = ("build_images", "run_tests", "teardown_cluster")


@dataclass(frozen=True)
class Source:
    """The repository under test."""

    url: str
    main: str
    head: str
    """Of pull request 7, which adds a file to `main`."""

    @property
    def pull(self) -> Mapping[str, object]:
        """What the bot would send for the pull request, and the pipeline's params."""
        return {
            "CLONE_URL": self.url,
            "PULL_NUMBER": "7",
            "PULL_BASE_SHA": self.main,
            "PULL_PULL_SHA": self.head,
            "PULL_BASE_REF": "main",
            "project": "my-project-1",
            "registry": "registry.example/e2e",
            "accelerators": "nvidia-tesla-t4:1",
        }


@pytest.fixture(scope="session")
def airflow(real_airflow: LocalAirflow) -> AirflowClient:
    return AirflowClient(real_airflow.url, real_airflow.username, real_airflow.password)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    repository = Repository.create(tmp_path_factory.mktemp("e2e"))
    main, head = push(repository)
    with git_server(repository.bare.parents[1]) as address:
        yield Source(f"{address}/o/r.git", main, head)


@pytest.fixture(scope="session")
def silent() -> Iterator[str]:
    """A URL whose server takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/o/r.git"


@pytest.fixture(scope="session")
def plays(airflow: AirflowClient, stand_ins: StandIns, source: Source, silent: str) -> dict[str, Play]:
    """All runs, ended, by the names of their scenarios."""
    gpus = {"items": [{"status": {"allocatable": {"nvidia.com/gpu": "1"}}}]}
    stand_ins.says("kubectl get nodes", json.dumps(gpus))
    none = ("PULL_NUMBER", "PULL_BASE_SHA", "PULL_PULL_SHA", "PULL_BASE_REF", "accelerators")
    scenarios = [
        Scenario("green"),
        Scenario("default branch", conf={**dict.fromkeys(none, ""), "provider": "current"}),
        Scenario("dry run", conf=plan.CONF),
        Scenario("clone_repo fails", conf={"CLONE_URL": "ftp://nowhere"}),
        *(Scenario(f"{task} fails", fails=(task,), resumed=task in RESUMED) for task in FAILING),
        *(
            Scenario(
                f"cancelled at {tasks[0]}",
                hangs=tasks if tasks != ("teardown_cluster",) else (),
                then="cancel",
                at=tasks,
                conf={"CLONE_URL": silent} if tasks == ("clone_repo",) else {},
            )
            for tasks in CANCELLED
        ),
        Scenario("killed", hangs=("create_cluster",), then="stop the worker", at=("create_cluster",)),
        Scenario("out of time", hangs=("setup_cluster",), conf={"run_timeout": 30}),
    ]
    return perform(scenarios, airflow, stand_ins, source.pull)
