"""kubectl: namespaces that end slowly, and objects whose status comes after some looks."""

import json
import os
from pathlib import Path
from typing import Any

from tests.dags.tools.clouds.line import Answer, Cloud, Line, pairs
from tests.dags.tools.clouds.manifests import manifests

_SHORT = {
    "ns": "namespace",
    "po": "pod",
    "deploy": "deployment",
    "svc": "service",
    "no": "node",
    "ev": "event",
}
_GOOD = [{"type": kind, "status": "True"} for kind in ("Succeeded", "Ready", "Available")]
_DONE = {"job": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}
_CLUSTER_WIDE = frozenset(
    {"node", "namespace", "customresourcedefinition", "clusterrole", "clusterrolebinding"}
)


def answer(_program: str, argv: list[str], stdin: str, cloud: Cloud, *, interrupted: bool) -> Answer:
    """Do what kubectl would do."""
    line = Line(argv)
    if line.words[:1] == ["config"]:
        return 0, f"{current(line)}\n", ""
    kube = reach(line, cloud)
    if kube is None:
        return 1, "", "Unable to connect to the server: dial tcp 192.0.2.1:443: i/o timeout\n"
    verb = line.words[0]
    if verb in {"get", "delete", "wait"}:
        for space in [*kube["namespaces"]]:
            look(kube, space)
    done = _VERBS.get(verb)
    return done(line, stdin, kube, cloud) if done else (0, "", "")


def current(line: Line) -> str:
    """Return the context that kubectl and helm would use; without a configuration the one of the pod."""
    if context := line.get("--context", "--kube-context"):
        return context
    file = Path(
        line.get("--kubeconfig")
        or os.environ.get("KUBECONFIG")
        or f"{os.environ.get('HOME', '')}/.kube/config"
    )
    return (
        str(json.loads(file.read_text(encoding="utf-8"))["current-context"]) if file.is_file() else "current"
    )


def reach(line: Line, cloud: Cloud) -> dict[str, Any] | None:
    """Return the cluster, or None when it is gone."""
    found: dict[str, Any] | None = cloud["kube"].get(current(line))
    return found


def look(kube: dict[str, Any], space: str) -> dict[str, Any] | None:
    """Return a namespace as it is now; each look at one that is Terminating brings it nearer to its end."""
    found: dict[str, Any] | None = kube["namespaces"].get(space)
    if found is None or found["phase"] != "Terminating":
        return found
    if found["looks"] > 0:
        found["looks"] -= 1
        return found
    if found["looks"] == 0:  # below zero it never ends
        kube["namespaces"].pop(space)
        for kept in ("objects", "releases"):
            kube[kept] = {key: value for key, value in kube[kept].items() if not key.startswith(f"{space}/")}
        return None
    return found


def add(kube: dict[str, Any], space: str, manifest: dict[str, Any], looks: int) -> str:
    """Put an object there; a Job comes with its pod. Returns its kind, as kubectl prints it."""
    kind, name = _kind(manifest.get("kind", "")), manifest["metadata"]["name"]
    where = "" if kind in _CLUSTER_WIDE else space
    kube["objects"][f"{where}/{kind}/{name}"] = {"object": manifest, "looks": looks}
    if kind == "job":
        labels = {"job-name": name, "batch.kubernetes.io/job-name": name}
        pod = {"kind": "Pod", "metadata": {"name": f"{name}-pod", "namespace": space, "labels": labels}}
        kube["objects"][f"{space}/pod/{name}-pod"] = {
            "object": pod | {"status": {"phase": "Succeeded"}},
            "looks": 0,
        }
    return kind


def _made(line: Line, stdin: str, kube: dict[str, Any], cloud: Cloud) -> Answer:
    said = ""
    given = [*manifests(line, stdin)]
    if line.words[1:2] and _kind(line.words[1]) == "namespace":
        given = [{"kind": "Namespace", "metadata": {"name": line.words[2]}}]
    for manifest in given:
        meta = manifest["metadata"]
        kind, space = _kind(manifest.get("kind", "")), meta.get("namespace") or _space(line)
        if kind == "namespace":
            found = kube["namespaces"].get(meta["name"])
            if found and line.words[0] == "create":
                being = "object is being deleted: " if found["phase"] == "Terminating" else ""
                said_error = f'{being}namespaces "{meta["name"]}" already exists'
                return (
                    1,
                    said,
                    f'Error from server (AlreadyExists): error when creating "STDIN": {said_error}\n',
                )
            kube["namespaces"][meta["name"]] = {"labels": meta.get("labels", {}), "phase": "Active"}
        elif space not in kube["namespaces"]:
            said_error = f'namespaces "{space}" not found'
            return 1, said, f'Error from server (NotFound): error when creating "STDIN": {said_error}\n'
        elif _named(kube, space, kind, meta["name"]) and line.words[0] == "create":
            said_error = f'{kind}s "{meta["name"]}" already exists'
            return 1, said, f'Error from server (AlreadyExists): error when creating "STDIN": {said_error}\n'
        else:
            add(kube, space, manifest, cloud["looks"])
        said += f"{kind}/{meta['name']} created\n"
    return 0, said, ""


def _get(line: Line, _stdin: str, kube: dict[str, Any], cloud: Cloud) -> Answer:
    targets = _targets(line.words[1:])
    kind, name = targets[0]
    if name:
        found = (
            _namespace(kube, name) if kind == "namespace" else _seen(kube, _space(line), kind, name, cloud)
        )
        if found is None and line.has("--ignore-not-found"):
            return 0, "", ""
        if found is None:
            return 1, "", f'Error from server (NotFound): {kind}s "{name}" not found\n'
        return 0, _printed(line, [found], alone=True), ""
    if kind == "namespace":
        items = [_namespace(kube, each) for each in kube["namespaces"]]
    else:
        everywhere = line.has("-A", "--all-namespaces") or kind in _CLUSTER_WIDE
        keys = [each.split("/", 2) for each in kube["objects"]]
        items = [
            _seen(kube, space, here, each, cloud)
            for space, here, each in keys
            if here in {_kind(part) for part in kind.split(",")} and (everywhere or space == _space(line))
        ]
    wanted = pairs(line.get("-l", "--selector"))
    kept = [each for each in items if each and wanted.items() <= each["metadata"].get("labels", {}).items()]
    return 0, _printed(line, kept), ""


def _delete(line: Line, stdin: str, kube: dict[str, Any], cloud: Cloud) -> Answer:
    targets = _targets(line.words[1:])
    if line.has("-f", "--filename"):
        targets = [(_kind(each["kind"]), each["metadata"]["name"]) for each in manifests(line, stdin)]
    said = ""
    for kind, name in targets:
        if kind == "namespace" and name in kube["namespaces"]:
            kube["namespaces"][name] |= {"phase": "Terminating", "looks": cloud["looks"]}
            if line.get("--wait") != "false":
                look(kube, name)
        elif _named(kube, _space(line), kind, name):
            kube["objects"].pop(f"{'' if kind in _CLUSTER_WIDE else _space(line)}/{kind}/{name}")
            kube["objects"].pop(f"{_space(line)}/pod/{name}-pod", None)
        elif not line.has("--ignore-not-found"):
            return 1, said, f'Error from server (NotFound): {kind}s "{name}" not found\n'
        else:
            continue
        said += f'{kind} "{name}" deleted\n'
    return 0, said, ""


def _wait(line: Line, _stdin: str, kube: dict[str, Any], cloud: Cloud) -> Answer:
    kind, name = _targets(line.words[1:])[0]
    found = _seen(kube, _space(line), kind, name, cloud) if name else {}
    if line.get("--for") == "delete":
        return (
            (0, "", "")
            if not found
            else (1, "", f"error: timed out waiting for the condition on {kind}s/{name}\n")
        )
    if found is None:
        return 1, "", f'Error from server (NotFound): {kind}s "{name}" not found\n'
    wanted = line.get("--for").partition("=")[2].partition("=")[0].lower()
    conditions = found.get("status", {}).get("conditions", _GOOD)
    if any(
        each["type"].lower() == wanted and each["status"] == "True" for each in conditions
    ) or "jsonpath" in str(line.options):
        return 0, f"{kind}/{name or 'all'} condition met\n", ""
    return 1, "", f"error: timed out waiting for the condition on {kind}s/{name}\n"


def _describe(line: Line, _stdin: str, _kube: dict[str, Any], _cloud: Cloud) -> Answer:
    return 0, f"Name: {' '.join(line.words[1:])}\nEvents: <none>\n", ""


def _logs(line: Line, _stdin: str, _kube: dict[str, Any], cloud: Cloud) -> Answer:
    """Print what `cloud["logs"]` holds for the pod, or a line of its own."""
    name = (line.words[1:] or [line.get("-l", "--selector")])[0]
    return 0, cloud.get("logs", {}).get(name, f"log of {name}\n"), ""


def _rollout(line: Line, _stdin: str, kube: dict[str, Any], _cloud: Cloud) -> Answer:
    kind, name = _targets(line.words[2:])[0]
    if not _named(kube, _space(line), kind, name):
        return 1, "", f'Error from server (NotFound): {kind}s.apps "{name}" not found\n'
    return 0, f'{kind} "{name}" successfully rolled out\n', ""


def _label(line: Line, _stdin: str, kube: dict[str, Any], _cloud: Cloud) -> Answer:
    """Set labels of a namespace, or of all nodes."""
    given = pairs(",".join(word for word in line.words if "=" in word))
    if _kind(line.words[1]) == "namespace":
        kube["namespaces"][line.words[2]]["labels"] |= given
        return 0, f"namespace/{line.words[2]} labeled\n", ""
    for key, held in kube["objects"].items():
        if key.startswith("/node/"):
            held["object"]["metadata"]["labels"] |= given
    return 0, "", ""


_VERBS = {
    "label": _label,
    "create": _made,
    "apply": _made,
    "get": _get,
    "delete": _delete,
    "wait": _wait,
    "describe": _describe,
    "logs": _logs,
    "rollout": _rollout,
}


def _seen(kube: dict[str, Any], space: str, kind: str, name: str, cloud: Cloud) -> dict[str, Any] | None:
    held = _named(kube, space, kind, name)
    if held is None:
        return None
    if held["looks"]:
        held["looks"] -= 1
    elif "status" not in held["object"]:
        given = cloud["outcomes"].get(held["object"].get("kind", ""))
        held["object"]["status"] = given or _DONE.get(kind) or {"conditions": _GOOD}
    seen: dict[str, Any] = held["object"]
    return seen


def _named(kube: dict[str, Any], space: str, kind: str, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = kube["objects"].get(
        f"{'' if kind in _CLUSTER_WIDE else space}/{kind}/{name}"
    )
    return found


def _namespace(kube: dict[str, Any], name: str) -> dict[str, Any] | None:
    found = kube["namespaces"].get(name)
    if found is None:
        return None
    status = {"phase": found["phase"]} | (
        {"conditions": found["conditions"]} if "conditions" in found else {}
    )
    return {"kind": "Namespace", "metadata": {"name": name, "labels": found["labels"]}, "status": status}


def _printed(line: Line, items: list[dict[str, Any]], *, alone: bool = False) -> str:
    form = line.get("-o", "--output")
    if form == "json":
        return json.dumps(items[0] if alone else {"kind": "List", "items": items}) + "\n"
    if form == "name":
        return "".join(f"{_kind(each['kind'])}/{each['metadata']['name']}\n" for each in items)
    return "" if form else "".join(f"{each['metadata']['name']}\n" for each in items)


def _targets(words: list[str]) -> list[tuple[str, str]]:
    """Return kinds and names of `KIND NAME...`, `KIND/NAME...` and `KIND`."""
    if not words:
        return [("", "")]
    if "/" in words[0]:
        return [(_kind(each.partition("/")[0]), each.partition("/")[2]) for each in words]
    return [(_kind(words[0]), name) for name in words[1:] or [""]]


def _kind(text: str) -> str:
    if "," in text:
        return text
    plain = text.partition(".")[0].lower()
    name: str = _SHORT.get(plain, plain)
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _space(line: Line) -> str:
    return line.get("-n", "--namespace", default="default")
