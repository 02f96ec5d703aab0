"""What kubectl is given to create, apply or delete."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.dags.tools.clouds.line import Line


def manifests(line: Line, stdin: str) -> Iterator[dict[str, Any]]:
    """Read JSON whole; of YAML only kind, and of metadata name, namespace and labels."""
    for file in line.options.get("-f", line.options.get("--filename", [])):
        if file.startswith(("http://", "https://")):
            yield {
                "kind": "DaemonSet",
                "metadata": {"name": file.rpartition("/")[2], "namespace": "kube-system"},
            }
            continue
        text = stdin if file == "-" else Path(file).read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):
            value = json.loads(text)
            yield from value["items"] if value.get("kind") == "List" else [value]
        else:
            yield from map(_plain, re.split(r"^---\s*$", text, flags=re.MULTILINE))


def _plain(text: str) -> dict[str, Any]:
    def one(pattern: str) -> str:
        found = re.search(pattern, text, re.MULTILINE)
        return found[1].strip("\"' ") if found else ""

    labels = re.search(r"^  labels:\n((?:    .*\n)*)", text, re.MULTILINE)
    held = dict(re.findall(r"^    ([^:]+): *[\"']?([^\"'\n]*)", labels[1], re.MULTILINE)) if labels else {}
    meta: dict[str, Any] = {"name": one(r"^  name: *(.*)$"), "labels": held}
    if space := one(r"^  namespace: *(.*)$"):
        meta["namespace"] = space
    return {"kind": one(r"^kind: *(.*)$"), "metadata": meta}
