"""Run by Airflow's Python: for each JSON line on standard input fork, as Airflow does for a task, and answer.

{"do": "execute", "argv", "params", "env", "timeout", ...} executes one StepOperator.
{"do": "nudge", "env"} calls the listener's hooks and ends as a task's process does.
"""

import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, sys.argv[1])

from airflow.sdk.exceptions import AirflowException, AirflowFailException  # type: ignore[import-not-found] # in Airflow's environment only
from airflow.sdk.listener import get_listener_manager  # type: ignore[import-not-found] # likewise

from steps.contract import Command

# By name, because mypy looks at the tests in the bot's environment, which has no Airflow.
StepOperator: Any = importlib.import_module("step_operator").StepOperator
HEARD = logging.getLogger("heard")
HeardOperator = type("HeardOperator", (StepOperator,), {"log": HEARD})


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def execute(given: dict[str, Any]) -> dict[str, Any]:
    """Execute one operator; returns how it ended."""
    lines = Lines()
    HEARD.addHandler(lines)
    HEARD.setLevel(logging.INFO)
    HEARD.propagate = False
    xcoms: dict[str, Any] = {}
    ti = SimpleNamespace(
        run_id="manual__1",
        try_number=given.get("try_number", 1),
        map_index=given.get("map_index", -1),
        xcom_push=lambda key, value: xcoms.update({key: value}),
        xcom_pull=lambda task_ids, key: f"{task_ids}.{key}",
    )
    argv = [sys.executable if word == "python" else word for word in given["argv"]]
    command = Command(argv, returns=given.get("returns"), reproduce="make test")
    operator = HeardOperator(
        task_id="unit",
        command=lambda _run: command,
        timeout=given.get("timeout", 30),
        inherit=given.get("inherit", ()),
    )
    if "kill_after" in given:
        signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
        threading.Timer(given["kill_after"], os.kill, (os.getpid(), signal.SIGTERM)).start()
    result: dict[str, Any] = {"raised": None, "message": None, "returned": None}
    try:
        result["returned"] = operator.execute({"ti": ti, "params": given["params"]})
    except AirflowFailException as error:
        result |= {"raised": "final", "message": str(error)}
    except AirflowException as error:
        result |= {"raised": "retried", "message": str(error)}
    return result | {"xcoms": xcoms, "log": lines.heard}


def nudge(_given: dict[str, Any]) -> dict[str, Any]:
    """Call every hook for a run of the bot and for another; returns the seconds that hooks and end took."""
    hook = get_listener_manager().hook
    started = time.monotonic()
    for run_id in ("preflight~home~o~r~1~unit~0123456789ab~1", "manual__1"):
        for map_index in (-1, 2):
            ti = SimpleNamespace(
                dag_id="checks", run_id=run_id, task_id="step", map_index=map_index, try_number=1
            )
            hook.on_task_instance_running(previous_state=None, task_instance=ti)
            hook.on_task_instance_success(previous_state=None, task_instance=ti)
            hook.on_task_instance_failed(previous_state=None, task_instance=ti, error=None)
    hook.on_task_instance_running(previous_state=None, task_instance=object())
    hooked = time.monotonic()
    hook.before_stopping(component=None)
    return {"hooks": hooked - started, "end": time.monotonic() - hooked}


for line in sys.stdin:
    given = json.loads(line)
    child = os.fork()
    if child == 0:
        os.environ.update(given["env"])
        try:
            answer = {"execute": execute, "nudge": nudge}[given["do"]](given)
        except BaseException:  # noqa: BLE001 - the test shows it
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)  # noqa: T201 - read by the test
        os._exit(0)
    os.waitpid(child, 0)
