"""Stands for Airflow: a scheduler that forks a task, whose step does a deed. `python task.py REQUEST`.

Only the standard library, so that any user's Python can run it. The last line it prints is JSON.
"""
# ruff: noqa: T201 - what it prints is read by the test

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "dags"))

from steps import privileges, process, sandbox, tree  # noqa: E402 - found by the line before

MARKER = "s3cr3t"


def schedule(request: dict[str, Any]) -> None:
    """Be Airflow: secrets in the environment, in files and behind a socket; then fork the task."""
    privileges.keep_to_itself()  # as the plugin has it
    folder = Path(request["folder"])
    secrets = ("airflow/airflow.cfg", "bot/secret", "keys/google.json", "artifacts/run2/source.tar.gz")
    for path in (*secrets, "preflight-step-2/.kubeconfig"):  # the folder is in /tmp, as homes of steps are
        folder.joinpath(path).parent.mkdir(parents=True)
        folder.joinpath(path).write_text(MARKER)
    with socket.socket(socket.AF_UNIX) as database, subprocess.Popen(["sleep", "600"]) as sleeper:
        folder.joinpath("database").mkdir()
        database.bind(str(folder / "database/.s.PGSQL.5432"))
        database.listen()
        threading.Thread(target=_answer, args=(database,), daemon=True).start()
        task = os.fork()
        if task == 0:
            perform(request, folder, sleeper.pid)
            os._exit(0)
        print(json.dumps({"task": task}), flush=True)
        os.waitpid(task, 0)
        alive = sleeper.poll() is None
        sleeper.kill()
    print(json.dumps({"sleeper_lives": alive}), flush=True)


def _answer(database: socket.socket) -> None:
    while True:
        asking, _ = database.accept()
        with asking:
            asking.send(MARKER.encode())


def perform(request: dict[str, Any], folder: Path, sleeper: int) -> None:
    """Be the task: run the step as the operator does."""
    home, artifacts = folder / "home", folder / "artifacts/run1/artifacts/step"
    home.mkdir()
    artifacts.mkdir(parents=True)
    # Into what the step may read: the checkout itself may lie in /tmp.
    deeds = shutil.copy(Path(__file__).with_name("deeds.py"), folder / "artifacts/run1")
    targets = {
        "pids": [os.getpid(), os.getppid()],
        "sleeper": sleeper,
        "socket": str(folder / "database/.s.PGSQL.5432"),
        "files": {
            "configuration": str(folder / "airflow/airflow.cfg"),
            "bot's secret": str(folder / "bot/secret"),
            "key": str(folder / "keys/google.json"),
            "another run": str(folder / "artifacts/run2/source.tar.gz"),
            "another step's home": str(folder / "preflight-step-2/.kubeconfig"),
        },
        "folders": {
            "another run": str(folder / "artifacts/run2"),
            "another step's home": str(folder / "preflight-step-2"),
            "Airflow's home": str(folder / "airflow"),
        },
    }
    process.GRACE = 0.3
    lines: list[str] = []
    step = sandbox.confined(
        [sys.executable, str(deeds), request["deed"], json.dumps(targets)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "ARTIFACTS": str(artifacts),
        },
        home=home,
        artifacts=artifacts,
        timeout=request["timeout"],
        environ=os.environ,
        readable=[folder / "artifacts/run1"],
        hidden=[folder / "artifacts"],
        trusted=True,
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: step.stop())

    def hear(line: str) -> None:
        lines.append(line)
        if line == "READY":
            print(line, flush=True)

    outcome = step.run(hear)
    left = [found.pid for found in tree.descendants(os.getpid())]
    print(
        json.dumps({"outcome": asdict(outcome), "lines": lines[:1000] + lines[-3:], "left": left}), flush=True
    )


if __name__ == "__main__":
    schedule(json.loads(sys.argv[1]))
