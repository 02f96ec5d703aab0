"""A whole installation: all of deployment.yaml's pods, and the repository that it serves."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from deploy.kustomize import make_secrets
from deploy.local.airflow_probe import Probe
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.github_standin.client import Repository, Standin
    from tests.images.cluster import Cluster
    from tests.images.manifests import Manifests

_SECONDS = 300.0
DAG = "checks"


@dataclass(frozen=True)
class Installation:
    """One that is being played."""

    cluster: Cluster
    manifests: Manifests
    secrets: Path
    github: Standin
    repository: Repository

    def start(self) -> None:
        """Start all pods but PostgreSQL's, which was started, and wait until they work."""
        probe = self._pod("postgres")["containers"][0]["readinessProbe"]["exec"]["command"]
        postgres = self.container("postgres")
        # Kubernetes would start what can't migrate again and again.
        self._wait(lambda: self.cluster.succeeds(postgres, *probe), "PostgreSQL took connections")
        wanted = set(self.manifests.of_kind("Deployment")) - {"postgres"}
        # Airflow's api-server migrates its database, for which the others wait before they begin.
        for deployment in sorted(wanted, key=lambda name: name != "airflow-api-server"):
            self.cluster.play(self.manifests, deployment)
        airflow = self.airflow()
        self._wait(airflow.warm_up, "the api-server answered")
        for part in ("scheduler", "dag_processor"):
            self._wait(partial(airflow.is_healthy, part), f"Airflow's {part} was healthy")
        self._wait(partial(airflow.knows, DAG), f"Airflow knew the DAG {DAG}")
        self._wait(lambda: self.get("preflight-web", 8081, "/readyz") == "ready\n", "the bot's web was ready")
        self._wait(lambda: self.get("preflight-worker", 8082, "/healthz"), "the bot's worker was well")

    def airflow(self) -> Probe:
        """Questions to its Airflow, asked as the bot."""
        password = (self.secrets / make_secrets.PREFLIGHT / "airflow-password").read_text()
        return Probe(f"http://{self.cluster.address('airflow-api-server')}:8080", "preflight", password)

    def container(self, deployment: str) -> str:
        """The name of the container that a Deployment is there for."""
        suffix = f"-{self._pod(deployment)['containers'][0]['name']}"
        names = self.cluster.containers()
        return next(name for name in names if name.startswith(deployment) and name.endswith(suffix))

    def get(self, deployment: str, port: int, path: str) -> str | None:
        """What a pod answers to a GET; None if that's an error, or it does not answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.cluster.address(deployment)}:{port}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except (OSError, urllib.error.HTTPError):
            return None

    def _pod(self, deployment: str) -> dict[str, Any]:
        pod: dict[str, Any] = self.manifests.of_kind("Deployment")[deployment]["spec"]["template"]["spec"]
        return pod

    def _wait(self, condition: Callable[[], object], wanted: str) -> None:
        until(condition, f"that {wanted}", self.cluster.story, _SECONDS)
