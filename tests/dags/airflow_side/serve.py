"""Run by Airflow's Python: for each JSON line on standard input fork, as Airflow does for a task, and answer.

{"do": "execute", "argv", "params", "env", "timeout", ...} executes one StepOperator.
{"do": "construct", "inherit", "runs_their_code", "mapped", "env"} makes one.
{"do": "command", "dag", "function", "params", "xcoms", "states", "env"} calls a step's command function.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, sys.argv[1])

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException  # type: ignore[import-not-found] # in Airflow's environment only
from airflow.sdk.listener import get_listener_manager  # type: ignore[import-not-found] # likewise

from steps.contract import Command, ContractError, Run, Skipped

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
    more = {name: given.get(name, {}) for name in ("environment", "announces", "foretells")}
    command = Command(argv, returns=given.get("returns"), reproduce="make test", **more)
    operator = HeardOperator(
        task_id="unit",
        command=lambda _run: _raise(Skipped(given["skip"])) if "skip" in given else command,
        timeout=given.get("timeout", 30),
        runs_their_code=given.get("runs_their_code", True),
        inherit=given.get("inherit", ()),
        always=given.get("always", False),
    )
    context = {"ti": ti, "params": given["params"]}
    if "began" in given:
        started = datetime.now(UTC) - timedelta(seconds=given["began"])
        context["dag_run"] = SimpleNamespace(start_date=started)
    if "kill_after" in given:
        signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
        threading.Timer(given["kill_after"], os.kill, (os.getpid(), signal.SIGTERM)).start()
    if "kill_when" in given:
        signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
        threading.Thread(target=_kill_when, args=(Path(given["kill_when"]),), daemon=True).start()
    result: dict[str, Any] = {"raised": None, "message": None, "returned": None}
    try:
        result["returned"] = operator.execute(context)
    except AirflowFailException as error:
        result |= {"raised": "final", "message": str(error)}
    except AirflowSkipException as error:
        result |= {"raised": "skipped", "message": str(error)}
    except AirflowException as error:
        result |= {"raised": "retried", "message": str(error)}
    return result | {"xcoms": xcoms, "log": lines.heard}


def _raise(error: Exception) -> Any:  # noqa: ANN401 - never returns
    raise error


def _kill_when(there: Path) -> None:
    """Cancel as soon as the file has a whole line."""
    while not there.exists() or "\n" not in there.read_text():
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)


def construct(given: dict[str, Any]) -> dict[str, Any]:
    """Make an operator as a DAG does; returns why it can't be, and the pod that it asks for."""
    make = StepOperator.partial if given.get("mapped") else StepOperator
    own = {name: given[name] for name in ("inherit", "runs_their_code") if name in given}
    try:
        made = make(task_id="unit", command=lambda _run: Command([]), **own)
    except ValueError as error:
        return {"refused": str(error)}
    if given.get("mapped"):
        made = made.expand(item=["a"])
    return {"refused": None, "executor_config": made.executor_config}


def command(given: dict[str, Any]) -> dict[str, Any]:
    """Call a step's command function, with its DAG's Params; returns what it answers."""
    module = importlib.import_module(given["dag"])
    params = {name: param.value for name, param in module.dag.params.items()}
    xcoms = given.get("xcoms", {})
    run = Run(
        params=params | given["params"],
        folder=Path("/artifacts/run"),
        root=Path("/artifacts"),
        dryrun=given.get("dryrun", False),
        pull=lambda task, key: xcoms.get(f"{task}.{key}"),
        states=lambda: given.get("states", {}),
        dag_id=given["dag"],
        dag_run_id="manual__1",
        task_id=given["function"],
    )
    try:
        answer: dict[str, Any] = vars(getattr(module, given["function"])(run))
    except (Skipped, ContractError) as error:
        return {type(error).__name__: str(error)}
    return answer | {"argv": answer["argv"][2:]}


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
            answer = {"execute": execute, "construct": construct, "command": command, "nudge": nudge}[
                given["do"]
            ](given)
        except BaseException:  # noqa: BLE001 - the test shows it
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)  # noqa: T201 - read by the test
        os._exit(0)
    os.waitpid(child, 0)
