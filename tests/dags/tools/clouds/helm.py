"""helm: releases in a cluster, charts in files and registries."""

import json
import re
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.dags.tools.clouds import kubernetes
from tests.dags.tools.clouds.line import Answer, Cloud, Line


def answer(_program: str, argv: list[str], _stdin: str, cloud: Cloud, *, interrupted: bool) -> Answer:
    """Do what helm would do."""
    line = Line(argv)
    verb = (line.words or ["version"])[0]
    if verb == "package":
        return _package(line)
    if verb == "push":
        chart, registry = line.words[1:3]
        name = f"{registry}/{re.sub(r'-(?=[0-9])', ':', Path(chart).name.removesuffix('.tgz'), count=1)}"
        cloud["registry"][name] = "sha256:" + f"{len(cloud['registry']):064x}"
        return 0, f"Pushed: {name.removeprefix('oci://')}\nDigest: {cloud['registry'][name]}\n", ""
    if verb in {"upgrade", "install", "uninstall", "status", "test", "list", "get"}:
        return _released(verb, line, cloud, interrupted=interrupted)
    return 0, "", ""


def _released(verb: str, line: Line, cloud: Cloud, *, interrupted: bool) -> Answer:
    kube = kubernetes.reach(line, cloud)
    if kube is None:
        return 1, "", "Error: Kubernetes cluster unreachable: dial tcp 192.0.2.1:443: i/o timeout\n"
    space, name = line.get("-n", "--namespace", default="default"), (line.words[1:] or [""])[0]
    key = f"{space}/{name}"
    held = kube["releases"].get(key)
    if verb in {"upgrade", "install"}:
        return _installed(line, kube, space, name, interrupted=interrupted)
    if verb == "list":
        found = [{"name": each.split("/")[1], **value} for each, value in kube["releases"].items()]
        return 0, json.dumps(found) + "\n", ""
    if verb == "uninstall":
        return _uninstalled(line, kube, space, name)
    if verb == "test" and held:
        return _tested(name, cloud)
    return _status(line, space, name, held)


def _status(line: Line, space: str, name: str, held: dict[str, Any] | None) -> Answer:
    if held is None:
        return 1, "", "Error: release: not found\n"
    shown = {"name": name, "namespace": space, "info": {"status": held["status"]}}
    return 0, json.dumps(shown) + "\n" if line.get("-o", "--output") == "json" else f"NAME: {name}\n", ""


def _installed(line: Line, kube: dict[str, Any], space: str, name: str, *, interrupted: bool) -> Answer:
    if kube["releases"].get(f"{space}/{name}", {}).get("status", "").startswith("pending"):
        return 1, "", "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n"
    if space not in kube["namespaces"]:
        if not line.has("--create-namespace"):
            return 1, "", f'Error: create: failed to create: namespaces "{space}" not found\n'
        kube["namespaces"][space] = {"labels": {}, "phase": "Active"}
    status = "pending-install" if interrupted else "deployed"
    kube["releases"][f"{space}/{name}"] = {
        "status": status,
        "chart": line.words[2],
        "set": line.options.get("--set", []),
    }
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space, "labels": {"app.kubernetes.io/instance": name}},
    }
    kubernetes.add(kube, space, deployment, 0)
    return 0, f'Release "{name}" has been upgraded. Happy Helming!\nSTATUS: {status}\n', ""


def _uninstalled(line: Line, kube: dict[str, Any], space: str, name: str) -> Answer:
    if not kube["releases"].pop(f"{space}/{name}", None) and not line.has("--ignore-not-found"):
        return 1, "", f"Error: uninstall: Release not loaded: {name}: release: not found\n"
    kube["objects"].pop(f"{space}/deployment/{name}", None)
    return 0, f'release "{name}" uninstalled\n', ""


def _tested(name: str, cloud: Cloud) -> Answer:
    """Tell of the test pods in `cloud["helm_tests"]` (name -> phase), by default one that succeeded."""
    phases = cloud.get("helm_tests", {f"{name}-test-connection": "Succeeded"})
    suites = "".join(
        f"TEST SUITE:     {pod}\nLast Started:   Mon Jan  1 00:00:00 2024\n"
        f"Last Completed: Mon Jan  1 00:00:02 2024\nPhase:          {phase}\n"
        for pod, phase in phases.items()
    )
    failed = [pod for pod, phase in phases.items() if phase == "Failed"]
    head = f"NAME: {name}\nLAST DEPLOYED: Mon Jan  1 00:00:00 2024\nSTATUS: deployed\n{suites}"
    if failed:
        return 1, head, "Error: 1 error occurred:\n\t* pod " + failed[0] + " failed\n\n\n"
    return 0, head, ""


def _package(line: Line) -> Answer:
    """Pack the chart's Chart.yaml, with the version that was asked for."""
    chart = Path(line.words[1])
    text = (chart / "Chart.yaml").read_text(encoding="utf-8")
    for option, key in (("--version", "version"), ("--app-version", "appVersion")):
        if value := line.get(option):
            text = re.sub(rf"^{key}:.*\n?", "", text, flags=re.MULTILINE) + f"\n{key}: {value}\n"
    found = dict(re.findall(r"^(\w+): *[\"']?([^\"'\n]*)", text, re.MULTILINE))
    made = Path(line.get("--destination", "-d", default=".")) / f"{found['name']}-{found['version']}.tgz"
    made.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(made, "w:gz") as tar:
        entry = tarfile.TarInfo(f"{found['name']}/Chart.yaml")
        entry.size = len(text.encode())
        tar.addfile(entry, BytesIO(text.encode()))
    return 0, f"Successfully packaged chart and saved it to: {made}\n", ""
