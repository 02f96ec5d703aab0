"""kind: clusters that are there at once, with labels on their nodes."""

import json
import os
from pathlib import Path

from tests.dags.tools.clouds.line import Answer, Cloud, Line


def answer(_program: str, argv: list[str], stdin: str, cloud: Cloud, *, interrupted: bool) -> Answer:
    """Do what kind would do."""
    line = Line(argv)
    name = line.get("--name", "-n", default="kind")
    command = " ".join(line.words[:2])
    if command == "get clusters":
        return (
            0,
            "".join(f"{each}\n" for each in cloud["kind"]),
            "" if cloud["kind"] else "No kind clusters found.\n",
        )
    if command == "create cluster":
        return _create(line, name, stdin, cloud, interrupted=interrupted)
    if command == "delete cluster":
        cloud["kind"].pop(name, None)
        cloud["kube"].pop(f"kind-{name}", None)
        return 0, "", f'Deleting cluster "{name}" ...\n'
    if command in {"get kubeconfig", "export kubeconfig"}:
        return _kubeconfig(line, name, cloud)
    return 0, "", ""


def _kubeconfig(line: Line, name: str, cloud: Cloud) -> Answer:
    if name not in cloud["kind"]:
        return 1, "", f'ERROR: could not locate any control plane nodes for cluster named "{name}"\n'
    config = json.dumps({"kind": "Config", "current-context": f"kind-{name}"})
    if line.words[0] == "get":
        return 0, config + "\n", ""
    _write(line, config)
    return 0, "", f'Set kubectl context to "kind-{name}"\n'


def _create(line: Line, name: str, stdin: str, cloud: Cloud, *, interrupted: bool) -> Answer:
    if name in cloud["kind"]:
        return (
            1,
            "",
            f'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "{name}"\n',
        )
    labels = json.loads(stdin)["nodes"][0].get("labels", {}) if stdin else {}
    cloud["kind"][name] = {"labels": {} if interrupted else labels}
    spaces = {each: {"labels": {}, "phase": "Active"} for each in ("default", "kube-system")}
    node = {"kind": "Node", "metadata": {"name": f"{name}-control-plane", "labels": labels}}
    cloud["kube"][f"kind-{name}"] = {
        "namespaces": spaces,
        "objects": {} if interrupted else {f"/node/{name}-control-plane": {"object": node, "looks": 0}},
        "releases": {},
    }
    _write(line, json.dumps({"kind": "Config", "current-context": f"kind-{name}"}))
    return 0, "", f'Creating cluster "{name}" ...\nSet kubectl context to "kind-{name}"\n'


def _write(line: Line, config: str) -> None:
    named = line.get("--kubeconfig") or os.environ.get("KUBECONFIG")
    file = Path(named or Path(os.environ["HOME"], ".kube", "config"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(config, encoding="utf-8")
