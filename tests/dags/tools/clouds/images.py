"""docker, podman and buildah: images that are built here, and those that a registry has."""

import json
from pathlib import Path

from tests.dags.tools.clouds.line import Answer, Cloud, Line


def answer(program: str, argv: list[str], _stdin: str, cloud: Cloud, *, interrupted: bool) -> Answer:
    """Do what a container engine would do."""
    line = Line(argv)
    words = [word for word in line.words if word not in {"image", "buildx"}]
    verb, rest = (words or ["version"])[0], words[1:]
    if verb in {"build", "bud"}:
        return _build(line, cloud)
    if verb == "tag":
        cloud["images"][rest[1]] = cloud["images"].get(rest[0], "")
        return 0, "", ""
    if verb == "push":
        return _push(program, line, rest, cloud)
    if verb == "inspect":
        return _inspect(line, rest, cloud)
    if verb == "pull":
        return _pull(rest[0].removeprefix("docker://"), cloud)
    return 0, "27.0.0\n" if verb == "version" else "", ""


def _pull(name: str, cloud: Cloud) -> Answer:
    """Take an image from the registry: by a tag that it has, or by any digest, which says what comes."""
    digest = name.rpartition("@")[2] if "@" in name else cloud["registry"].get(name, "")
    if not digest:
        return 1, "", f"Error response from daemon: manifest for {name} not found: manifest unknown\n"
    cloud["images"][name] = digest
    return 0, f"{name}\n", ""


def _build(line: Line, cloud: Cloud) -> Answer:
    digest = "sha256:" + f"{len(cloud['images']) + 1:064x}"
    tags = [*line.options.get("-t", []), *line.options.get("--tag", [])]
    for tag in tags:
        cloud["images"][tag] = digest
    if line.has("--push"):
        cloud["registry"] |= dict.fromkeys(tags, digest)
    if file := line.get("--iidfile"):
        Path(file).write_text(digest, encoding="utf-8")
    if file := line.get("--metadata-file"):
        Path(file).write_text(json.dumps({"containerimage.digest": digest}), encoding="utf-8")
    return 0, f"{digest.removeprefix('sha256:')}\n", ""


def _push(program: str, line: Line, rest: list[str], cloud: Cloud) -> Answer:
    if rest[0] not in cloud["images"]:
        return 1, "", f"An image does not exist locally with the tag: {rest[0]}\n"
    digest = cloud["images"][rest[0]]
    cloud["registry"][rest[-1].removeprefix("docker://")] = digest
    if file := line.get("--digestfile"):
        Path(file).write_text(digest, encoding="utf-8")
    tag = rest[0].rpartition(":")[2]
    return 0, f"{tag}: digest: {digest} size: 1234\n" if program == "docker" else "", ""


def _inspect(line: Line, rest: list[str], cloud: Cloud) -> Answer:
    name = rest[0] if rest else ""
    if name not in cloud["images"]:
        return 1, "[]\n", f"Error: No such image: {name}\n"
    digest = cloud["images"][name]
    repository = name.rpartition(":")[0] or name
    digests = [f"{repository}@{digest}"] if name in cloud["registry"] else []
    form = line.get("--format", "-f")
    if "RepoDigests" in form:
        return 0, (json.dumps(digests) if "json" in form else "".join(digests)) + "\n", ""
    if form:
        return 0, f"{digest}\n", ""
    return 0, json.dumps([{"Id": digest, "RepoTags": [name], "RepoDigests": digests}]) + "\n", ""
