"""`make dryrun DAG=NAME CONF='{...}'`: print what each step of a pipeline would run; nothing is run.

Run by Airflow's Python; needs no server and no database. The DAG is loaded as Airflow loads it, its conf is
checked as Airflow checks it, and each step says what it says in a dry run: the exact command, with the values
that earlier steps would hand on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DAGS = Path(__file__).resolve().parents[2] / "dags"
RUN_ID = "dryrun"
_RUNS_AFTER_SKIPPED = ("none_failed", "all_done", "all_done_setup_success", "always")


class DryrunError(Exception):
    """It can't be shown; the message says what to change."""


@dataclass(frozen=True)
class Shown:
    """What became of one step."""

    state: str
    """As Airflow would call it: success, skipped, failed or upstream_failed."""
    lines: Sequence[str]


@dataclass
class Memory:
    """What Airflow would keep of the run: XComs and states."""

    xcoms: dict[tuple[str, str], Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def task_instance(self, dag_id: str, task_id: str, map_index: int = -1) -> SimpleNamespace:
        """Return what a step sees of Airflow."""
        return SimpleNamespace(
            dag_id=dag_id,
            run_id=RUN_ID,
            task_id=task_id,
            map_index=map_index,
            try_number=1,
            xcom_push=lambda key, value: self.xcoms.update({(task_id, key): value}),
            xcom_pull=lambda task_ids, key: self.xcoms.get((task_ids, key)),
            get_task_states=lambda **_: {RUN_ID: self.states},
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the plan; returns the exit code: 1 when a step could not start."""
    args = _parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="preflight-dryrun-") as home:
            _set_up(Path(home), args.dags)
            dag, params = _checked(_load(args.dags, args.dag), _conf(args.conf))
            failed = _print_plan(dag, params)
    except DryrunError as error:
        print(f"dryrun: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    summary = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m deploy.local.dryrun", description=summary)
    parser.add_argument("dag", metavar="DAG", help="its id, such as tf_k8s_tests")
    parser.add_argument("--conf", default="{}", metavar="JSON", help="as for `airflow dags trigger`")
    parser.add_argument("--dags", type=Path, default=DAGS, metavar="FOLDER", help="default: dags/")
    return parser


def _conf(text: str) -> dict[str, Any]:
    try:
        conf = json.loads(text or "{}")
    except ValueError as error:
        raise DryrunError(f"CONF is no JSON: {error}. For example CONF='{{\"timeout\": 60}}'") from None
    if not isinstance(conf, dict):
        raise DryrunError(f"CONF must be a JSON object, such as CONF='{{\"timeout\": 60}}', not {text}")
    return conf


def _set_up(home: Path, dags: Path) -> None:
    """Set Airflow up to load DAGs and nothing else. Before it's imported: it reads its settings then."""
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/none.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
        "PREFLIGHT_ARTIFACTS_ROOT": "/artifacts",
    }
    sys.path[:0] = [str(dags), str(DAGS)]


def _load(folder: Path, dag_id: str) -> Any:  # noqa: ANN401 - Airflow's DAG, which the bot's environment has no types of
    from airflow.dag_processing.dagbag import BundleDagBag  # type: ignore[import-not-found]  # noqa: PLC0415 - read after its settings

    bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags")
    if dag_id in bag.dags:
        return bag.dags[dag_id]
    if bag.import_errors:
        raise DryrunError("\n".join(f"{file}: {error}" for file, error in bag.import_errors.items()))
    raise DryrunError(f"{folder} has no DAG {dag_id}. It has {', '.join(sorted(bag.dags)) or 'none'}.")


def _checked(dag: Any, conf: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401 - likewise
    """Return the DAG, and its Params with `conf` merged in, as Airflow would."""
    from airflow.sdk.exceptions import ParamValidationError  # type: ignore[import-not-found]  # noqa: PLC0415 - likewise

    for name in conf.keys() - dag.params.keys():
        print(f"note: {dag.dag_id} declares no Param {name!r}: its steps don't see it\n")
    try:
        dag.params.update({**conf, "dryrun": True})
        return dag, dict(dag.params.validate())
    except ParamValidationError as error:
        raise DryrunError(f"CONF is refused: {str(error).splitlines()[0]}") from None


def _print_plan(dag: Any, params: Mapping[str, Any]) -> bool:  # noqa: ANN401 - likewise
    """Print all steps in the order in which they could run; returns whether one could not start."""
    memory = Memory()
    print(f"{dag.dag_id}: {len(dag.tasks)} steps")
    for task in dag.topological_sort():
        waits = " ".join(sorted(task.upstream_task_ids)) or "nothing"
        for name, shown in _show(task, params, memory):
            print(f"\n{name}\n  waits for: {waits}")
            print(textwrap.indent("\n".join(shown.lines), "  "))
    return "failed" in memory.states.values()


def _show(task: Any, params: Mapping[str, Any], memory: Memory) -> Iterator[tuple[str, Shown]]:  # noqa: ANN401 - likewise
    """Show one task: each of its parts, where it's mapped."""
    if why := _why_not(task, memory):
        memory.states[task.task_id] = why.state
        yield task.task_id, why
        return
    if not task.is_mapped:
        shown = _said(task, memory.task_instance(task.dag_id, task.task_id), params)
        memory.states[task.task_id] = shown.state
        yield task.task_id, shown
        return
    memory.states[task.task_id] = "success"
    for index, values in enumerate(_mapped_over(task, memory)):
        part = task.unmap(values)
        shown = _said(part, memory.task_instance(task.dag_id, task.task_id, index), params)
        memory.states[f"{task.task_id}_{index}"] = shown.state
        yield f"{task.task_id} [{', '.join(map(str, values.values()))}]", shown


def _why_not(task: Any, memory: Memory) -> Shown | None:  # noqa: ANN401 - likewise
    """Return why a task doesn't start, as Airflow decides it for the trigger rules that pipelines have."""
    before = {name: memory.states[name] for name in sorted(task.upstream_task_ids)}
    skipped = [name for name, state in before.items() if state == "skipped"]
    failed = [name for name, state in before.items() if state in {"failed", "upstream_failed"}]
    if failed and task.trigger_rule in {"all_success", "none_failed"}:
        return Shown("upstream_failed", [f"can't start: {', '.join(failed)} could not"])
    if skipped and task.trigger_rule not in _RUNS_AFTER_SKIPPED:
        return Shown("skipped", [f"skipped, as {', '.join(skipped)} is"])
    return None


def _mapped_over(task: Any, memory: Memory) -> list[dict[str, Any]]:  # noqa: ANN401 - likewise
    """Return the arguments of each part: of one list, or of lists that are crossed."""
    parts: list[dict[str, Any]] = [{}]
    for name, value in task.expand_input.value.items():
        source = getattr(value, "operator", None)
        elements = memory.xcoms.get((source.task_id, value.key)) if source is not None else value
        parts = [{**part, name: element} for part in parts for element in elements or ()]
    return parts


def _said(task: Any, ti: SimpleNamespace, params: Mapping[str, Any]) -> Shown:  # noqa: ANN401 - likewise
    """Return what a step says when it's executed with `dryrun`."""
    from airflow.sdk.bases.operator import ExecutorSafeguard  # type: ignore[import-not-found]  # noqa: PLC0415 - likewise
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException  # noqa: PLC0415 - likewise

    if not hasattr(task, "command"):
        return Shown("success", [f"no step of ours, so not shown: {task.task_type}"])
    heard: list[str] = []
    ExecutorSafeguard.test_mode = True  # no task runner calls it
    type(task).log = SimpleNamespace(info=lambda _, line: heard.append(line))
    try:
        returned = task.execute({"ti": ti, "params": params})
    except AirflowSkipException as why:
        return Shown("skipped", [f"skipped: {why}"])
    except AirflowFailException as error:
        return Shown("failed", [f"fails: {error}"])
    if returned is not None:
        ti.xcom_push("return_value", returned)
    return Shown("success", heard[1:])


if __name__ == "__main__":
    sys.exit(main())
