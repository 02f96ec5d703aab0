"""deployment.yaml is the base; base and overlays are valid Kubernetes; overlays can be put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no annotations
import pytest
import yaml

from deploy.kustomize import render
from tests.manifests.rendered import FOLDERS, OVERLAYS, Manifests, manifests, needs_kubectl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OLDEST, NEWEST = "1.30", "1.37"
"""Versions of Kubernetes that the manifests are for."""


def test_deployment_yaml_is_what_the_base_renders_to() -> None:
    needs_kubectl()
    assert render.DEPLOYMENT.read_text() == render.deployment(), "run `make render`"


def test_the_tests_see_all_there_is() -> None:
    assert {path.name for path in (render.HERE / "overlays").iterdir()} == set(OVERLAYS)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_all_is_valid(shown: Manifests, version: str) -> None:
    pods = shown.pod_templates
    for document in (*shown.documents, *pods):
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("order", [1, -1], ids=["as listed", "backwards"])
def test_components_go_together_in_any_order(tmp_path: Path, order: int) -> None:
    """As in an overlay of one's own, which has all of them and its own images."""
    chosen = ("shared-volume", "remote-logs", "kubernetes-executor", "external-postgres", "high-availability")
    images = [{"name": "preflight-bot", "newName": "registry.example.com/bot", "newTag": "2.0.0"}]
    together = put_together(tmp_path, chosen[::order], images=images)
    assert "registry.example.com/bot:2.0.0" in set(together.strings())
    assert "postgres" not in together.of("Deployment")
    assert together.of("Deployment")["airflow-scheduler"]["spec"]["replicas"] == 2
    assert (
        together.of("ConfigMap")["airflow-config"]["data"]["AIRFLOW__CORE__EXECUTOR"] == "KubernetesExecutor"
    )


def test_the_bot_can_be_had_alone(tmp_path: Path) -> None:
    """For Airflow by its own chart."""
    alone = put_together(tmp_path, ["airflow-elsewhere"])
    assert set(alone.of("Deployment")) == {"postgres", "preflight-web", "preflight-worker"}
    for policy in alone.of("NetworkPolicy").values():
        assert alone.selected(policy["spec"]["podSelector"])
    airflow = yaml.safe_load((render.HERE.parent / "helm" / "airflow-values.yaml").read_text())
    nudge = {one["name"]: one["value"] for one in airflow["env"]}["PREFLIGHT_NUDGE_URL"]
    port = alone.of("Service")["preflight-web-internal"]["spec"]["ports"][0]["port"]
    assert nudge == f"http://preflight-web-internal.preflight:{port}/nudge"
    images = {container["image"] for one in alone.workloads for container in one.containers}
    assert f"preflight-bot:{airflow['defaultAirflowTag']}" in images


def test_deliveries_over_pubsub_go_with_steps_in_the_schedulers_pod(tmp_path: Path) -> None:
    alone = put_together(tmp_path, ["workload-identity", "pubsub"])
    config = alone.of("ConfigMap")
    assert config["preflight-config"]["data"]["PREFLIGHT_INBOX"] == "pubsub"
    assert "PREFLIGHT_EVENTS" not in config["preflight-config"]["data"]
    assert "annotations" not in alone.of("ServiceAccount")["airflow"]["metadata"]


def test_a_kustomization_that_cannot_be_rendered_says_so(tmp_path: Path) -> None:
    needs_kubectl()
    with pytest.raises(render.RenderError, match=r"kubectl kustomize .* failed"):
        render.render(tmp_path)


def test_a_missing_kubectl_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(render.RenderError, match="kubectl is missing"):
        render.render(FOLDERS["base"])


def test_rendering_is_repeatable() -> None:
    needs_kubectl()
    assert tuple(yaml.safe_load_all(render.render(FOLDERS["base"]))) == manifests("base").documents


def put_together(folder: Path, components: Sequence[str], **more: object) -> Manifests:
    """What an overlay of one's own gives, valid for Kubernetes. Kustomize takes relative paths only."""
    needs_kubectl()
    up = "/".join([".."] * (len(folder.resolve().parts) - 1))
    text = {
        "resources": [f"{up}{FOLDERS['base']}"],
        "components": [f"{up}{render.HERE}/components/{name}" for name in components],
        **more,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    documents = tuple(yaml.safe_load_all(render.render(folder)))
    for document in documents:
        kubernetes_validate.validate(document, NEWEST, strict=True)
    return Manifests(documents)
