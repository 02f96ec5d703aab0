"""deployment.yaml as it is shipped, played by podman: a pull request runs through it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from deploy.local import demo_repository
from tests.images.podman import PodmanError
from tests.stories.waiting import until

if TYPE_CHECKING:
    from tests.images.installation import Installation
    from tests.images.podman import Podman

WORKLOADS = {
    "postgres",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "preflight-web",
    "preflight-worker",
}
SECONDS = 240.0


@pytest.fixture(scope="module")
def containers(installation: Installation) -> dict[str, dict[str, Any]]:
    """All but those that only hold a pod's network together."""
    found = installation.cluster.containers()
    return {name: one for name, one in found.items() if not name.endswith("-infra")}


def test_it_is_the_whole(installation: Installation) -> None:
    assert set(installation.manifests.of_kind("Deployment")) == WORKLOADS


def test_nothing_in_it_is_root_or_can_write_to_its_root(containers: dict[str, dict[str, Any]]) -> None:
    for name, one in containers.items():
        user = one["Config"]["User"].partition(":")[0]
        assert (name, user) == (name, "999" if name.startswith("postgres") else "10001")
        assert one["HostConfig"]["ReadonlyRootfs"], name
        assert one["EffectiveCaps"] in (None, []), name


def test_nothing_had_to_be_started_twice(containers: dict[str, dict[str, Any]]) -> None:
    assert {name: one["RestartCount"] for name, one in containers.items() if one["RestartCount"]} == {}


def test_a_pull_request_runs_to_green(installation: Installation) -> None:
    wanted = demo_repository.PASSING
    pull = wanted.open(installation.repository)

    def is_over() -> bool:
        return not wanted.unmet(pull.combined(), pull.comments("preflight[bot]"))

    until(
        is_over,
        "a green pull request",
        lambda: f"{pull.combined()}\n{pull.comments()}\n{installation.cluster.story()}",
        SECONDS,
    )
    assert installation.github.deliveries()


def test_the_dags_that_are_baked_in_have_no_errors(installation: Installation) -> None:
    """All of them were read by then: the pull request's was."""
    said = installation.cluster.exec(
        installation.container("airflow-dag-processor"),
        "airflow",
        "dags",
        "list-import-errors",
        "--output=json",
    )
    assert said.splitlines()[-1] == "[]"  # warnings stand before it


@pytest.mark.parametrize(
    "deployment",
    ["preflight-web", "preflight-worker", "airflow-api-server", "airflow-scheduler", "airflow-dag-processor"],
)
def test_the_images_own_health_check_agrees(
    installation: Installation, podman: Podman, deployment: str
) -> None:
    """Kubernetes leaves it out, and so does what plays its manifests; it's for those who run a container."""
    container = installation.container(deployment)
    image = installation.cluster.containers()[container]["ImageName"]
    (described,) = json.loads(podman.run("image", "inspect", str(image)))
    _, *check = described["Healthcheck"]["Test"]
    installation.cluster.exec(container, *check)


@pytest.mark.parametrize("deployment", ["preflight-web", "preflight-worker", "airflow-scheduler"])
def test_it_stops_when_it_is_told_to(installation: Installation, podman: Podman, deployment: str) -> None:
    """The last: afterwards this part is gone. 137 would be the kill that follows where that is ignored."""
    name = installation.container(deployment)
    podman.run("stop", "--time=60", name)
    (described,) = json.loads(podman.run("inspect", name))
    assert described["State"]["ExitCode"] in (0, 143)
    with pytest.raises(PodmanError):
        podman.run("exec", name, "true")
