"""The commands of a dry run, compared with `plan.txt`; `UPDATE_SNAPSHOTS=1` writes it anew."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("plan.txt")
CONF = {
    "CLONE_URL": "https://localhost/o/r.git",
    "PULL_NUMBER": "7",
    "PULL_BASE_SHA": "b" * 40,
    "PULL_PULL_SHA": "f" * 40,
    "PULL_BASE_REF": "main",
    "ARTIFACTS_PATH": "pr-logs/pull/o_r/7/e2e/1",
    "project": "my-project-1",
    "registry": "registry.example/e2e",
    "accelerators": "nvidia-tesla-t4:1",
    "exclude": ["vendor"],
    "dryrun": True,
}
"""What both of those who compare are asked for."""


def assert_is_the_plan(commands: Mapping[str, str], varying: Mapping[str, str]) -> None:
    """See that steps run these commands, but for what is `varying`: what it is there, and here."""
    lines = [f"{step}\n    {command}\n" for step, command in sorted(commands.items())]
    text = "\n".join(lines)
    for there, here in varying.items():
        text = text.replace(there, here)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        FILE.write_text(text, encoding="utf-8")
    known = FILE.read_text(encoding="utf-8")
    assert text == known, "\n".join(difflib.unified_diff(known.splitlines(), text.splitlines(), lineterm=""))
