"""gcloud: Kubernetes clusters that take their time, and a few commands that just succeed.

Its texts are those of Google Cloud SDK 528 and of GKE's API, as people quote them in public issues.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.dags.tools.clouds.line import Answer, Cloud, Line, pairs

_STOCKOUT = (
    "Try a different location, or try again later: "
    "Google Compute Engine does not have enough resources available to fulfill request: {}."
)


def answer(_program: str, argv: list[str], _stdin: str, cloud: Cloud, *, interrupted: bool) -> Answer:
    """Do what gcloud would do."""
    line = Line(argv)
    command = " ".join(line.words[:3])
    if command.startswith("container clusters"):
        return _clusters(line, cloud, interrupted=interrupted)
    if command.startswith("container operations"):
        return _operations(line, cloud)
    if command.startswith("builds"):
        return _builds(line, cloud)
    if command.startswith("auth print-access-token"):
        return 0, "token-of-the-stand-in\n", ""
    if command.startswith(("auth ", "config ", "version", "services ", "info")):
        return 0, "", ""
    return 2, "", f"ERROR: (gcloud) the stand-in knows no {command!r}: add a rule, or a cloud for it\n"


def _builds(line: Line, cloud: Cloud) -> Answer:
    """Cloud Build: what is submitted is built and in the registry at once."""
    verb = line.words[1]
    builds = cloud.setdefault("builds", {})
    if verb == "submit":
        config = line.get("--config")
        images = json.loads(Path(config).read_text(encoding="utf-8"))["images"] if config else []
        build = f"build-{len(builds) + 1}"
        made = {}
        for image in [*images, *line.options.get("--tag", [])]:
            made[image] = cloud["registry"][image] = "sha256:" + f"{len(cloud['registry']) + 1:064x}"
        builds[build] = {"images": [{"name": name, "digest": digest} for name, digest in made.items()]}
        return 0, f"{build}\n", ""
    if line.words[2] not in builds:
        return _error(verb, f"NOT_FOUND: build {line.words[2]} not found", "builds")
    described = {"id": line.words[2], "status": "SUCCESS", "results": builds[line.words[2]]}
    return 0, _printed(line, described) if verb == "describe" else f"{verb} of {line.words[2]}\n", ""


def _clusters(line: Line, cloud: Cloud, *, interrupted: bool) -> Answer:
    verb, name = line.words[2], (line.words[3:] or [""])[0]
    place = _place(line)
    if verb == "list":
        return _list(line, cloud, place)
    if not place["location"]:
        return _error(verb, "One of [--location, --zone, --region] must be supplied.")
    if verb == "create":
        return _create(line, cloud, name, place, interrupted=interrupted)
    return _existing(verb, line, cloud, name, interrupted=interrupted)


def _existing(verb: str, line: Line, cloud: Cloud, name: str, *, interrupted: bool) -> Answer:
    place = _place(line)
    found = _look(cloud, name, place)
    if found is None:
        return _not_found(verb, name, place)
    if verb == "delete":
        return _delete(line, cloud, name, found, interrupted=interrupted)
    if verb == "get-credentials":
        _use(context(name, found))
        return 0, "", f"Fetching cluster endpoint and auth data.\nkubeconfig entry generated for {name}.\n"
    found["labels"] |= pairs(line.get("--update-labels"))
    return 0, _printed(line, _described(name, found)), ""


def _place(line: Line) -> dict[str, str]:
    return {"project": line.get("--project"), "location": line.get("--location", "--zone", "--region", "-z")}


def context(name: str, cluster: dict[str, Any]) -> str:
    """Return the name that gcloud gives a cluster in kubectl's configuration."""
    return f"gke_{cluster['project']}_{cluster['location']}_{name}"


def _create(line: Line, cloud: Cloud, name: str, place: dict[str, str], *, interrupted: bool) -> Answer:
    if name in cloud["gke"]:
        return _error("create", f"ResponseError: code=409, message=Already exists: {_path(name, place)}.")
    if not line.get("--service-account"):  # what preflight-e2e may act as is preflight-nodes alone
        return _error(
            "create",
            'ResponseError: code=400, message=The user does not have access to service account "default".',
        )
    operation = f"operation-{len(cloud['operations']) + 1}"
    cloud["operations"][operation] = {"type": "CREATE_CLUSTER", "target": name, **place}
    made = cloud["gke"][name] = {
        **place,
        "labels": pairs(line.get("--labels")),
        "status": "PROVISIONING",
        "looks": cloud["looks"],
        "operation": operation,
    }
    if cloud.get("stockouts", 0) > 0:
        cloud["stockouts"] -= 1
        made |= {"status": "ERROR", "operation": "", "message": _STOCKOUT.format(place["location"])}
        return _error("create", f"Operation [<Operation ...>] finished with error: {made['message']}")
    if not interrupted and not line.has("--async"):
        _finish(cloud, name, made)
    spaces = {each: {"labels": {}, "phase": "Active"} for each in ("default", "kube-system")}
    cloud["kube"][context(name, made)] = {"namespaces": spaces, "objects": {}, "releases": {}}
    return (
        0,
        _printed(line, _described(name, made)),
        f"Creating cluster {name} in {place['location']}...done.\n",
    )


def _delete(line: Line, cloud: Cloud, name: str, found: dict[str, Any], *, interrupted: bool) -> Answer:
    if busy := found["operation"]:
        doing = "creating" if cloud["operations"][busy]["type"] == "CREATE_CLUSTER" else "deleting"
        return _error(
            "delete",
            "Some requests did not succeed:\n - ResponseError: code=400, message=Operation "
            f"{busy} is currently {doing} cluster {name}. Please wait and try again once it is done.\n",
        )
    operation = f"operation-{len(cloud['operations']) + 1}"
    cloud["operations"][operation] = {"type": "DELETE_CLUSTER", "target": name, "project": found["project"]}
    found |= {"status": "STOPPING", "operation": operation, "looks": cloud["looks"]}
    if not interrupted and not line.has("--async"):
        _finish(cloud, name, found)
    return 0, "", f"Deleting cluster {name}...done.\n"


def _list(line: Line, cloud: Cloud, place: dict[str, str]) -> Answer:
    """List clusters; of filters only `resourceLabels.KEY=VALUE` and `name=NAME` are understood."""
    wanted = re.findall(r"resourceLabels\.([\w-]+)[=:]\"?([\w-]+)", line.get("--filter"))
    names = re.findall(r"\bname[=:]\"?([\w-]+)", line.get("--filter"))
    listed = []
    for name in [*cloud["gke"]]:
        here = cloud["gke"][name]
        if here["project"] == place["project"] and place["location"] in {"", here["location"]}:
            found = _look(cloud, name, {**place, "location": here["location"]})
            if (
                found
                and all(found["labels"].get(key) == value for key, value in wanted)
                and name in (names or [name])
            ):
                listed.append(_described(name, found))
    return 0, _printed(line, listed), ""


def _operations(line: Line, cloud: Cloud) -> Answer:
    """List those that run (whatever else a filter says, it is for running ones), or wait for one."""
    running = [
        {"name": here["operation"], "operationType": cloud["operations"][here["operation"]]["type"]}
        | {"status": "RUNNING", "targetLink": f"https://container.googleapis.com/v1/{_path(name, here)}"}
        for name, here in cloud["gke"].items()
        if here["operation"] and (name in line.get("--filter") or not line.get("--filter"))
    ]
    if line.words[2] == "list":
        for each in running:
            _look(cloud, each["targetLink"].rpartition("/")[2], {})
        if "value(name)" in line.get("--format"):
            return 0, "".join(f"{each['name']}\n" for each in running), ""
        return 0, _printed(line, running), ""
    for name, here in [*cloud["gke"].items()]:
        if here["operation"] in line.words:
            _finish(cloud, name, here)
    return 0, "", "Waiting for operation to complete...done.\n"


def _look(cloud: Cloud, name: str, place: dict[str, str]) -> dict[str, Any] | None:
    """Return a cluster as it is now; each look brings it nearer to its end."""
    found: dict[str, Any] | None = cloud["gke"].get(name)
    if found is None or (
        place and (found["project"], found["location"]) != (place["project"], place["location"])
    ):
        return None
    if found["operation"] and not found["looks"]:
        _finish(cloud, name, found)
    elif found["operation"]:
        found["looks"] -= 1
    return found if name in cloud["gke"] else None


def _finish(cloud: Cloud, name: str, found: dict[str, Any]) -> None:
    if cloud["operations"][found["operation"]]["type"] == "DELETE_CLUSTER":
        cloud["gke"].pop(name)
        cloud["kube"].pop(context(name, found), None)
    else:
        found |= {"status": "RUNNING", "operation": ""}


def _described(name: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "status": found["status"],
        "location": found["location"],
        "resourceLabels": found["labels"],
        "selfLink": f"https://container.googleapis.com/v1/{_path(name, found)}",
    } | ({"statusMessage": found["message"]} if "message" in found else {})


def _printed(line: Line, value: object) -> str:
    return json.dumps(value) + "\n" if "json" in line.get("--format") else ""


def _path(name: str, place: dict[str, str]) -> str:
    return f"projects/{place['project']}/zones/{place['location']}/clusters/{name}"


def _not_found(verb: str, name: str, place: dict[str, str]) -> Answer:
    said = f"ResponseError: code=404, message=Not found: {_path(name, place)}."
    if verb == "delete":
        return _error(verb, f"Some requests did not succeed:\n - {said}\n")
    return _error(verb, f"{said}\nNo cluster named '{name}' in {place['project']}.")


def _error(verb: str, said: str, group: str = "container.clusters") -> Answer:
    return 1, "", f"ERROR: (gcloud.{group}.{verb}) {said}\n"


def _use(name: str) -> None:
    """Write the kubectl configuration, as JSON, which is YAML."""
    file = Path(os.environ.get("KUBECONFIG") or Path(os.environ["HOME"], ".kube", "config"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"kind": "Config", "current-context": name}), encoding="utf-8")
