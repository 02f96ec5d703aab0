"""What a stand-in does when it is called: write it down, look for a rule, else ask the little cloud.

It runs without site-packages and without the environment's help, so that it starts within milliseconds.
"""

import fcntl
import importlib
import json
import os
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

_LONGEST_HANG = 60.0
_CLOUDS = {
    "gcloud": "gke",
    "kubectl": "kubernetes",
    "helm": "helm",
    "kind": "kind",
    "docker": "images",
    "podman": "images",
    "buildah": "images",
}


def main(program: str, folder: str) -> NoReturn:
    """Answer one call and exit."""
    argv = sys.argv[1:]
    stdin = sys.stdin.read() if _reads(argv) else ""
    with Path(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _write_down(Path(folder, "calls.json"), program, argv, stdin)
        rule = _rule(Path(folder, "rules.json"), shlex.join([program, *argv]))
        exit_code, stdout, stderr = _answer(Path(folder, "cloud.json"), program, argv, stdin, rule)
    sys.stdout.write(stdout)
    sys.stderr.write(stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    if rule and rule["hangs"]:
        _hang()
    os._exit(exit_code)


def _reads(argv: list[str]) -> bool:
    return any(each == "-" or each.endswith("=-") or "stdin" in each for each in argv)


def _write_down(file: Path, program: str, argv: list[str], stdin: str) -> None:
    call = {"program": program, "argv": argv, "stdin": stdin, "environment": sorted(os.environ)}
    with file.open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(call) + "\n")


def _rule(file: Path, command_line: str) -> dict[str, Any] | None:
    """Return the first rule with times left that matches, one time less of it."""
    rules = json.loads(file.read_text(encoding="utf-8"))
    for rule in rules:
        if rule["times"] != 0 and re.search(rule["pattern"], command_line):
            if rule["times"] is not None:
                rule["times"] -= 1
                file.write_text(json.dumps(rules), encoding="utf-8")
            found: dict[str, Any] = rule
            return found
    return None


def _answer(
    file: Path, program: str, argv: list[str], stdin: str, rule: dict[str, Any] | None
) -> tuple[int, str, str]:
    answer = (0, "", "")
    if rule is None or rule["acts"]:
        cloud = json.loads(file.read_text(encoding="utf-8"))
        module = importlib.import_module(f"tests.dags.tools.clouds.{_CLOUDS[program]}")
        answer = module.answer(program, argv, stdin, cloud, interrupted=bool(rule and rule["hangs"]))
        file.write_text(json.dumps(cloud), encoding="utf-8")
    if rule is None:
        return answer
    for name, content in rule["writes"].items():
        Path(name).write_text(content, encoding="utf-8")
    return rule["exit_code"], rule["stdout"], rule["stderr"]


def _hang() -> None:
    """Wait to be killed; without whoever started us, or after a minute, there is nobody to wait for."""
    parent = os.getppid()
    deadline = time.monotonic() + _LONGEST_HANG
    while os.getppid() == parent and time.monotonic() < deadline:
        time.sleep(0.02)
