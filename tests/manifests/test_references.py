"""What schemas can't see: names that point at something, and all that must agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bot.settings.known import KNOWN
from deploy.kustomize.render import HERE
from tests.manifests.rendered import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.manifests.rendered import Manifests, Workload

NOT_OURS = {"preflight-tls"}
"""Secrets that others make: cert-manager, or whoever has the certificate."""


def ids(workloads: list[Workload]) -> list[str]:
    return [one.name for one in workloads]


def test_every_selector_finds_its_own_pods(shown: Manifests) -> None:
    for name, deployment in shown.of("Deployment").items():
        found = shown.selected(deployment["spec"]["selector"])
        assert ids(found) == [name]


def test_every_service_finds_one_kind_of_pod_and_a_port_of_it(shown: Manifests) -> None:
    for name, service in shown.of("Service").items():
        (found,) = shown.selected({"matchLabels": service["spec"]["selector"]})
        for port in service["spec"]["ports"]:
            assert found.ports.get(port["targetPort"]) == port["port"], f"{name}: {port}"


def test_the_ingress_leads_to_the_public_listener_only(shown: Manifests) -> None:
    services = shown.of("Service")
    backends = [
        path["backend"]["service"]
        for ingress in shown.of("Ingress").values()
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    assert [(one["name"], one["port"]["name"]) for one in backends] == [("preflight-web", "http")]
    assert [port["port"] for port in services["preflight-web"]["spec"]["ports"]] == [8080]


def test_every_budget_and_autoscaler_finds_a_deployment(shown: Manifests) -> None:
    budgets = shown.of("PodDisruptionBudget")
    for budget in budgets.values():
        assert shown.selected(budget["spec"]["selector"])
        assert budget["spec"].get("maxUnavailable") == 1, "what allows no disruption stops every drain"
    assert set(budgets) == set(shown.of("Deployment"))
    for scaler in shown.of("HorizontalPodAutoscaler").values():
        target = scaler["spec"]["scaleTargetRef"]
        assert "replicas" not in shown.of(target["kind"])[target["name"]]["spec"], "two would set it"


def test_every_affinity_and_spread_is_about_its_own_kind_of_pod(shown: Manifests) -> None:
    for one in shown.workloads:
        spread = [term["labelSelector"] for term in one.spec.get("topologySpreadConstraints", [])]
        affinity = one.spec.get("affinity", {}).get("podAffinity", {})
        terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
        for selector in (*spread, *(term["labelSelector"] for term in terms)):
            assert matches(selector, one.labels), one.name


def test_a_volume_of_one_node_keeps_its_pods_together(shown: Manifests) -> None:
    for name, claim in shown.of("PersistentVolumeClaim").items():
        users = [one for one in shown.workloads if name in set(claims(one))]
        assert users, f"nobody mounts {name}"
        if claim["spec"]["accessModes"] == ["ReadWriteOnce"] and len(users) > 1:
            assert all("podAffinity" in one.spec.get("affinity", {}) for one in users)
        else:
            assert not any("affinity" in one.spec for one in users)


def test_every_mount_has_its_volume_and_every_volume_its_mount(shown: Manifests) -> None:
    for one in shown.workloads:
        volumes = {volume["name"] for volume in one.spec.get("volumes", [])}
        mounted = {
            mount["name"] for container in one.containers for mount in container.get("volumeMounts", [])
        }
        assert volumes == mounted, one.name
        for container in one.containers:
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths)), one.name


def test_every_config_map_claim_and_account_that_is_named_is_there(shown: Manifests) -> None:
    maps, accounts = shown.of("ConfigMap"), shown.of("ServiceAccount")
    for one in shown.workloads:
        assert one.spec["serviceAccountName"] in accounts
        assert set(claims(one)) <= set(shown.of("PersistentVolumeClaim"))
        named = {
            volume["configMap"]["name"] for volume in one.spec.get("volumes", []) if "configMap" in volume
        }
        named |= {
            source["configMapRef"]["name"]
            for container in one.containers
            for source in container.get("envFrom", [])
        }
        assert named <= set(maps), one.name


def test_every_account_and_config_map_is_used(shown: Manifests) -> None:
    text = "\n".join(shown.strings())
    for kind in ("ConfigMap", "ServiceAccount"):
        for name in shown.of(kind):
            assert len(re.findall(rf"\b{re.escape(name)}\b", text)) > 1, f"{kind} {name}"


def test_rights_in_kubernetes_are_those_of_accounts_that_are_there(shown: Manifests) -> None:
    for binding in shown.of("RoleBinding").values():
        assert binding["roleRef"]["name"] in shown.of("Role")
        assert {subject["name"] for subject in binding["subjects"]} <= set(shown.of("ServiceAccount"))
    rights = {subject["name"] for one in shown.of("RoleBinding").values() for subject in one["subjects"]}
    with_token = {one.spec["serviceAccountName"] for one in shown.workloads if has_token(one)}
    assert with_token == rights


def test_every_probe_asks_a_port_of_its_container(shown: Manifests) -> None:
    for one in shown.workloads:
        for container in one.containers:
            ports = {port["name"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = container.get(probe, {}).get("httpGet")
                assert asked is None or asked["port"] in ports, f"{one.name}: {probe}"


def test_all_of_preflight_is_of_one_version(shown: Manifests) -> None:
    images = {container["image"] for one in shown.workloads for container in one.containers}
    versions = {image.partition(":")[2] for image in images if image.startswith("preflight-")}
    assert len(versions) == 1
    assert "latest" not in versions
    by_hand = {"filled-in-by-airflow"}
    assert {image.partition(":")[0] for image in images} - by_hand <= {
        "postgres",
        "preflight-airflow",
        "preflight-bot",
    }


def test_all_is_in_the_namespace(shown: Manifests) -> None:
    outside = [one["kind"] for one in shown.documents if one["metadata"].get("namespace") != "preflight"]
    assert outside == ["Namespace"]


class TestSettings:
    def test_the_bots_are_known(self, shown: Manifests) -> None:
        assert set(shown.of("ConfigMap")["preflight-config"]["data"]) <= set(KNOWN)

    def test_airflows_of_ours_are_documented(self, shown: Manifests) -> None:
        documented = (HERE.parents[1] / "dags" / "README.md").read_text()
        names = {name for one in shown.workloads for name in environment(one)}
        names |= set(shown.of("ConfigMap")["airflow-config"]["data"])
        for name in sorted(name for name in names if name.startswith("PREFLIGHT_")):
            assert f"`{name}`" in documented, name

    def test_the_bots_files_are_mounted(self, shown: Manifests) -> None:
        data = shown.of("ConfigMap")["preflight-config"]["data"]
        for name, path in data.items():
            if name.endswith("_FILE"):
                assert path.startswith("/run/preflight/"), name

    def test_what_one_side_listens_on_the_other_asks(self, shown: Manifests) -> None:
        config = shown.of("ConfigMap")
        bot, airflow = config["preflight-config"]["data"], config["airflow-config"]["data"]
        services = shown.of("Service")
        urls = [bot["PREFLIGHT_AIRFLOW_URL"], airflow["PREFLIGHT_NUDGE_URL"]]
        urls += [airflow["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]]
        for url in urls:
            found = re.match(r"http://([a-z-]+):(\d+)(/|$)", url)
            assert found
            assert int(found[2]) in {port["port"] for port in services[found[1]]["spec"]["ports"]}, url

    @pytest.mark.parametrize(
        ("setting", "workload", "port"),
        [
            ("PREFLIGHT_LISTEN", "preflight-web", "http"),
            ("PREFLIGHT_INTERNAL_LISTEN", "preflight-web", "internal"),
            ("PREFLIGHT_WORKER_LISTEN", "preflight-worker", "metrics"),
        ],
    )
    def test_the_bot_listens_where_its_ports_are(
        self, shown: Manifests, setting: str, workload: str, port: str
    ) -> None:
        (found,) = [one for one in shown.workloads if one.name == workload]
        listens = shown.of("ConfigMap")["preflight-config"]["data"][setting]
        assert listens == f"0.0.0.0:{found.ports[port]}"


def claims(workload: Workload) -> Iterator[str]:
    for volume in workload.spec.get("volumes", []):
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]


def environment(workload: Workload) -> dict[str, Any]:
    return {one["name"]: one for container in workload.containers for one in container.get("env", [])}


def has_token(workload: Workload) -> bool:
    return workload.spec["automountServiceAccountToken"] is not False
