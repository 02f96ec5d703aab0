"""The overlay pubsub: both sides mean the same topics, and web needs no database."""

from __future__ import annotations

import pytest

from bot.settings import Settings
from deploy.kustomize.make_secrets import FROM_GITHUB, PREFLIGHT, main
from tests.manifests.rendered import Manifests, Workload, manifests
from tests.manifests.test_security import STEP, STEP_WITH_KEYS, reaches, reaches_metadata

PUBLISHERS = ("airflow-api-server", "airflow-scheduler")
NAMES = ("PREFLIGHT_EVENTS", "PREFLIGHT_PUBSUB_PROJECT", "PREFLIGHT_PUBSUB_PREFIX")


@pytest.fixture(scope="module")
def shown() -> Manifests:
    return manifests("pubsub")


def environment(shown: Manifests, one: Workload) -> dict[str, str]:
    """What its container is told, with what ConfigMaps hold."""
    maps = {name: found["data"] for name, found in shown.of("ConfigMap").items()}
    (container,) = one.spec["containers"]
    told: dict[str, str] = {}
    for source in container.get("envFrom", []):
        told |= maps[source["configMapRef"]["name"]]
    for variable in container.get("env", []):
        reference = variable.get("valueFrom", {}).get("configMapKeyRef")
        value = maps[reference["name"]][reference["key"]] if reference else variable.get("value", "a secret")
        told[variable["name"]] = value
    return told


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_airflow_publishes_where_the_bot_pulls(shown: Manifests, publisher: str) -> None:
    bot = environment(shown, shown.workload("preflight-worker"))
    airflow = environment(shown, shown.workload(publisher))
    assert [airflow[name] for name in NAMES] == [bot[name] for name in NAMES]
    assert "PREFLIGHT_NUDGE_SECRET" in airflow, "events are signed"
    assert reaches_metadata(shown, shown.workload(publisher))


@pytest.mark.parametrize("step", [STEP, STEP_WITH_KEYS])
def test_steps_pods_are_nobody_at_pubsub_and_go_on_nudging(shown: Manifests, step: str) -> None:
    told = environment(shown, shown.workload(step))
    assert "PREFLIGHT_EVENTS" not in told
    assert told["PREFLIGHT_NUDGE_URL"].startswith("http://preflight-web-internal:8081/")
    assert reaches(shown, shown.workload(step), "preflight-web", "internal")


def test_the_code_of_pull_requests_gets_no_tokens(shown: Manifests) -> None:
    assert not reaches_metadata(shown, shown.workload(STEP))
    annotations = shown.of("ServiceAccount")["airflow-step"]["metadata"].get("annotations", {})
    assert annotations == {}


def test_web_starts_without_a_database_and_workers_migrate_it(shown: Manifests) -> None:
    assert not shown.workload("preflight-web").spec.get("initContainers")
    assert [one["args"] for one in shown.workload("preflight-worker").spec["initContainers"]] == [["migrate"]]


def test_the_bot_takes_its_settings(shown: Manifests, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("secrets")
    main([str(folder)])
    (folder / PREFLIGHT / FROM_GITHUB).write_text("a key")
    told = environment(shown, shown.workload("preflight-web"))
    settings = Settings.from_env(
        {name: value.replace("/run/preflight", str(folder / PREFLIGHT)) for name, value in told.items()}
    )
    assert (settings.inbox, settings.events) == ("pubsub", "pubsub")
    assert settings.pubsub is not None
    assert settings.pubsub.project == "example-project"


def test_every_account_of_google_is_in_that_project(shown: Manifests) -> None:
    project = shown.of("ConfigMap")["preflight-config"]["data"]["PREFLIGHT_PUBSUB_PROJECT"]
    accounts = {
        name: one["metadata"]["annotations"]["iam.gke.io/gcp-service-account"]
        for name, one in shown.of("ServiceAccount").items()
        if "annotations" in one["metadata"]
    }
    assert accounts == {
        "preflight": f"preflight-bot@{project}.iam.gserviceaccount.com",
        "airflow": f"preflight-airflow@{project}.iam.gserviceaccount.com",
        "airflow-scheduler": f"preflight-airflow@{project}.iam.gserviceaccount.com",
    }
