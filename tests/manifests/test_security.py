"""No secret in the manifests, the strictest of contexts, and nobody talks to whom they needn't."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from bot.settings import Settings
from deploy.kustomize import make_secrets
from deploy.kustomize.render import HERE
from tests.manifests.rendered import manifests, matches

if TYPE_CHECKING:
    from pathlib import Path

    from tests.manifests.rendered import Manifests, Workload

DOCKERFILE = HERE.parents[1] / "Dockerfile"
STEP, STEP_WITH_KEYS = "filled-in-by-airflow", "filled-in-by-airflow-with-keys"
INTERNET = {"0.0.0.0/0", "::/0"}
POSTGRES = {
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "preflight-web",
    "preflight-worker",
}


def keys(workload: Workload) -> set[tuple[str, str]]:
    """What it reads of Secrets: all of one is ('name', '*')."""
    found = set()
    for container in workload.containers:
        for one in container.get("env", []):
            if reference := one.get("valueFrom", {}).get("secretKeyRef"):
                found.add((reference["name"], reference["key"]))
        assert not any("secretRef" in source for source in container.get("envFrom", []))
    for volume in workload.spec.get("volumes", []):
        if secret := volume.get("secret"):
            items = [item["key"] for item in secret.get("items", [])] or ["*"]
            found |= {(secret["secretName"], key) for key in items}
    return found


class TestSecrets:
    def test_none_is_contained(self, shown: Manifests) -> None:
        assert not shown.of("Secret")
        for text in shown.strings():
            assert not re.search(r"://[^/\s]*:[^/\s]*@", text), "a URL with a password"
            assert "PRIVATE KEY" not in text
            assert not re.fullmatch(r"(?=.*\d)[A-Za-z0-9+_-]{32,}=*", text), text

    def test_all_that_are_read_can_be_made(self, shown: Manifests, tmp_path: Path) -> None:
        make_secrets.main([str(tmp_path)])
        made = {(file.parent.name, file.name) for file in tmp_path.glob("*/*")}
        for workload in shown.workloads:
            for secret, key in keys(workload):
                assert (secret, key) in made or (key == "*" and secret == make_secrets.PREFLIGHT)

    def test_the_bots_files_can_be_made_but_for_what_github_gives(self, tmp_path: Path) -> None:
        make_secrets.main([str(tmp_path)])
        made = {file.name for file in (tmp_path / make_secrets.PREFLIGHT).iterdir()}
        data = manifests("base").of("ConfigMap")["preflight-config"]["data"]
        wanted = {path.rpartition("/")[2] for name, path in data.items() if name.endswith("_FILE")}
        assert wanted - made == {make_secrets.FROM_GITHUB}

    @pytest.mark.parametrize(
        ("workload", "secrets"),
        [
            pytest.param("airflow-dag-processor", {"connection"}, id="dag-processor"),
            pytest.param(
                "airflow-scheduler", {"connection", "fernet-key", "jwt-secret", "nudge-secret"}, id="sch"
            ),
            pytest.param("airflow-clean", set(), id="clean"),
        ],
    )
    def test_a_process_gets_those_that_it_needs(self, workload: str, secrets: set[str]) -> None:
        (found,) = [one for one in manifests("base").workloads if one.name == workload]
        assert {key for _, key in keys(found)} == secrets

    def test_a_pod_of_a_step_knows_neither_database_nor_airflows_keys(self) -> None:
        pods = [one for one in manifests("kubernetes-executor").workloads if one.kind == "Pod"]
        assert [pod.name for pod in pods] == [STEP_WITH_KEYS, STEP]
        for pod in pods:
            assert keys(pod) == {("preflight-secrets", "nudge-secret")}

    def test_airflows_token_is_taken_out_of_the_arguments_of_a_steps_pod(self) -> None:
        (entrypoint,) = re.findall(
            r'^ENTRYPOINT (\[.*airflow-entrypoint"\])$', DOCKERFILE.read_text(), re.MULTILINE
        )
        for name in (STEP, STEP_WITH_KEYS):
            (container,) = manifests("kubernetes-executor").workload(name).containers
            launcher, rest = container["command"][:3], container["command"][3:]
            assert launcher == ["/opt/venv/bin/python", "-I", "/opt/airflow/dags/steps/unseen.py"]
            assert (rest, "args" in container) == (json.loads(entrypoint), False)
        assert DOCKERFILE.with_name("dags").joinpath("steps/unseen.py").exists()

    def test_keys_are_for_pods_that_run_none_of_the_pull_requests_code(self) -> None:
        shown = manifests("kubernetes-executor")
        plain, with_keys = shown.workload(STEP), shown.workload(STEP_WITH_KEYS)
        assert (plain.spec["serviceAccountName"], with_keys.spec["serviceAccountName"]) == (
            "airflow-step",
            "preflight-e2e",
        )
        assert {**plain.spec, "serviceAccountName": ""} == {**with_keys.spec, "serviceAccountName": ""}
        assert {*with_keys.labels} - {*plain.labels} == {"preflight/keys"}
        assert reaches_metadata(shown, with_keys)
        config = shown.of("ConfigMap")["airflow-config"]["data"]
        mount = "/etc/airflow"
        for name, setting in (
            ("pod-template.yaml", "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"),
            ("pod-template-with-keys.yaml", "PREFLIGHT_KEYS_POD_TEMPLATE"),
        ):
            assert config[setting] == f"{mount}/{name}"
            assert name in shown.of("ConfigMap")["airflow-pod-template"]["data"]

    def test_nobody_has_a_clouds_rights_but_for_who_runs_none_of_the_pull_requests_code(
        self, shown: Manifests
    ) -> None:
        allowed = {STEP_WITH_KEYS, "preflight-web", "preflight-worker", "airflow-api-server"}
        accounts = {"preflight"}
        if shown.pod_templates:  # else steps run in the scheduler's pod
            allowed |= {"airflow-scheduler"}
            accounts |= {"airflow", "airflow-scheduler"}
        assert {one.name for one in shown.workloads if reaches_metadata(shown, one)} <= allowed
        annotated = {
            name for name, one in shown.of("ServiceAccount").items() if "annotations" in one["metadata"]
        }
        assert annotated <= accounts


class TestMakeSecrets:
    def test_the_bot_takes_what_is_made(self, tmp_path: Path) -> None:
        make_secrets.main([str(tmp_path)])
        folder = tmp_path / make_secrets.PREFLIGHT
        (folder / make_secrets.FROM_GITHUB).write_text("a key")
        data = manifests("base").of("ConfigMap")["preflight-config"]["data"]
        environment = {name: value.replace("/run/preflight", str(folder)) for name, value in data.items()}
        settings = Settings.from_env(environment)
        assert settings.database_url.endswith("@postgres:5432/preflight")
        passwords = json.loads((tmp_path / make_secrets.AIRFLOW / "passwords.json").read_text())
        assert passwords["preflight"] == settings.airflow_password
        users = manifests("base").of("ConfigMap")["airflow-config"]["data"]
        assert {
            user.partition(":")[0] for user in users["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")
        } == {*passwords}

    def test_airflow_takes_its_key(self) -> None:
        Fernet(make_secrets.fernet_key())

    def test_only_their_owner_reads_them(self, tmp_path: Path) -> None:
        make_secrets.main([str(tmp_path / "new")])
        for file in (tmp_path / "new").rglob("*"):
            assert file.stat().st_mode & 0o077 == 0

    def test_what_is_there_is_kept(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        make_secrets.main([str(tmp_path)])
        before = {file: file.read_text() for file in tmp_path.glob("*/*")}
        capsys.readouterr()
        make_secrets.main([str(tmp_path)])
        assert {file: file.read_text() for file in tmp_path.glob("*/*")} == before
        assert "all are there already" in capsys.readouterr().out

    def test_none_is_shown(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        make_secrets.main([str(tmp_path)])
        said = capsys.readouterr().out
        assert not any(file.read_text() in said for file in tmp_path.glob("*/*"))

    def test_every_key_is_in_the_runbook(self, tmp_path: Path) -> None:
        make_secrets.main([str(tmp_path)])
        runbook = (HERE.parent / "KUBERNETES.md").read_text()
        for file in tmp_path.glob("*/*"):
            assert f"`{file.name}`" in runbook, file.name


def test_containers_may_nothing(shown: Manifests) -> None:
    for one in shown.workloads:
        assert one.spec["enableServiceLinks"] is False
        assert one.spec["securityContext"]["runAsNonRoot"] is True
        assert one.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert one.spec["securityContext"]["runAsUser"] == (999 if one.name == "postgres" else 10001)
        for container in one.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]["limits"]) >= {"cpu", "memory"}
            assert set(container["resources"]["requests"]) >= {"cpu", "memory"}


def test_the_namespace_refuses_what_may_more(shown: Manifests) -> None:
    labels = shown.of("Namespace")["preflight"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


class TestNetwork:
    def test_every_policy_is_about_somebody(self, shown: Manifests) -> None:
        for name, policy in shown.of("NetworkPolicy").items():
            assert shown.selected(policy["spec"]["podSelector"]), name
            for port in [port for rule in rules(policy) for port in rule.get("ports", [])]:
                assert isinstance(port["port"], int), f"{name}: some networks know no named ports"
            listened = {
                port for one in shown.selected(policy["spec"]["podSelector"]) for port in one.ports.values()
            }
            for rule in policy["spec"].get("ingress", []):
                assert {port["port"] for port in rule["ports"]} <= listened, name

    def test_what_is_not_allowed_is_denied(self, shown: Manifests) -> None:
        policy = shown.of("NetworkPolicy")["default-deny"]["spec"]
        assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    @pytest.mark.parametrize(
        ("target", "port", "who"),
        [
            pytest.param("postgres", "postgres", POSTGRES, id="database"),
            pytest.param(
                "airflow-api-server",
                "http",
                {"airflow-scheduler", "preflight-web", "preflight-worker"},
                id="airflow",
            ),
            pytest.param(
                "preflight-web",
                "internal",
                {"airflow-api-server", "airflow-scheduler"},
                id="internal listener",
            ),
            pytest.param("preflight-worker", "metrics", set(), id="metrics"),
        ],
    )
    def test_who_reaches_what(self, target: str, port: str, who: set[str]) -> None:
        base = manifests("base")
        assert {one.name for one in base.workloads if reaches(base, one, target, port)} == who

    def test_a_step_in_a_pod_of_its_own_reaches_airflow_and_the_bot_only(self) -> None:
        shown = manifests("kubernetes-executor")
        step = shown.workload(STEP)
        assert reaches(shown, step, "airflow-api-server", "http")
        assert reaches(shown, step, "preflight-web", "internal")
        assert not reaches(shown, step, "postgres", "postgres")

    def test_steps_reach_no_private_network_and_no_metadata_server(self, shown: Manifests) -> None:
        found = shown.selected(shown.of("NetworkPolicy")["steps"]["spec"]["podSelector"])
        (runs_steps,) = (one for one in found if one.name != STEP_WITH_KEYS)
        assert runs_steps.name == (STEP if shown.pod_templates else "airflow-scheduler")
        blocks = [
            peer["ipBlock"]
            for policy in shown.of("NetworkPolicy").values()
            if matches(policy["spec"]["podSelector"], runs_steps.labels)
            for rule in policy["spec"].get("egress", [])
            for peer in rule.get("to", [])
            if "ipBlock" in peer and not is_database(policy)
        ]
        assert {block["cidr"] for block in blocks} == INTERNET
        forbidden = {address for block in blocks for address in block["except"]}
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= forbidden


def rules(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]


def reaches_metadata(shown: Manifests, one: Workload) -> bool:
    """Whether a policy lets it talk to GKE's metadata server, which hands out the account's tokens."""
    peers = [peer for rule in rules_about(shown, one, "egress") for peer in rule.get("to", [])]
    return any(peer.get("ipBlock", {}).get("cidr") == "169.254.169.254/32" for peer in peers)


def is_database(policy: dict[str, Any]) -> bool:
    return bool(policy["metadata"]["name"] == "external-postgres")


def reaches(shown: Manifests, source: Workload, target: str, port: str) -> bool:
    """Whether the policies let a pod of `source` talk to that port of `target`: out there and in here."""
    (other,) = [one for one in shown.workloads if one.name == target]
    out = ((rule, rule.get("to")) for rule in rules_about(shown, source, "egress"))
    into = ((rule, rule.get("from")) for rule in rules_about(shown, other, "ingress"))
    return any(_lets(rule, peers, other, other.ports[port]) for rule, peers in out) and any(
        _lets(rule, peers, source, other.ports[port]) for rule, peers in into
    )


def rules_about(shown: Manifests, one: Workload, direction: str) -> list[dict[str, Any]]:
    return [
        rule
        for policy in shown.of("NetworkPolicy").values()
        if matches(policy["spec"]["podSelector"], one.labels)
        for rule in policy["spec"].get(direction, [])
    ]


def _lets(rule: dict[str, Any], peers: list[dict[str, Any]] | None, peer: Workload, port: int) -> bool:
    """Whether a rule lets a pod through; without peers or ports it lets all through."""
    by_port = not rule.get("ports") or port in {one["port"] for one in rule["ports"]}
    here = [one["podSelector"] for one in peers or [] if "podSelector" in one]
    return by_port and (peers is None or any(matches(selector, peer.labels) for selector in here))
