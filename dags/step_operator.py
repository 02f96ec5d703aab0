"""StepOperator: runs a step's binary as a subprocess and tells the bot how it went.

The XCom `preflight` of each step, version 1 of the contract, is described in README.md.
"""

import logging
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from steps import environment, keys, layout, report, sandbox, workspace
from steps.contract import (
    DESCRIPTIONS,
    VERSION,
    Command,
    ContractError,
    Run,
    Skipped,
    run_folder,
    ticket_url,
)
from steps.process import Outcome, StepProcess
from steps.remains import NOTHING, Remains, collect, left_by

if TYPE_CHECKING:
    from airflow.sdk import Context

STEP_DEFAULTS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=2),
}
"""For a DAG's `default_args`: exit code 75 is tried again twice; nothing else is."""

PYTHON = sys.executable
"""The interpreter that runs the binaries of `steps`."""

REMARKS = logging.getLogger("airflow.task.preflight")
"""For what we say about a step: the operator's own logger holds its output alone, which reports show."""

CANCELLED_SECONDS = 4.3
"""How long after a cancel we may still work: Airflow kills the task's process 5 s after its SIGTERM."""

_DAGS = Path(__file__).resolve().parent


def contract_params() -> dict[str, Param]:
    """Return the Params that the bot sends to every pipeline, for a DAG's `params`.

    By hand, CLONE_URL need not be given where PREFLIGHT_CLONE_URL is set.
    """
    defaults = {"CLONE_URL": os.environ.get("PREFLIGHT_CLONE_URL", "")}
    names = {
        name: Param(defaults.get(name, ""), description, type="string", maxLength=1024)
        for name, description in DESCRIPTIONS.items()
    }
    return {
        **names,
        "dryrun": Param(
            default=False, description="Print what each step would run, and run nothing.", type="boolean"
        ),
        "preflight": Param(
            {},
            "What else the bot knows about the run; free text by strangers is under `untrusted`.",
            type="object",
            properties={"version": {"const": VERSION}},
        ),
    }


class StepOperator(BaseOperator):
    """Runs what `command` returns for this run: an argv list, never through a shell, never as a template.

    Exit code 0 is success, 75 is a temporary failure (retried), others are final. Stdout and stderr go to
    the task's log line by line. Cancel and timeout end all that the binary started. The binary gets a clean
    environment, Prow's names from conf, ARTIFACTS (a folder of its own) and STEP_OUTPUT: a file into which
    it may write a JSON object, whose values become XComs and whose `reason` explains a failure.

    Args:
        command: a pure function from the run to the step's Command.
        item: what this task works on, when it is mapped: `.expand(item=...)`.
        timeout: seconds until the step is stopped and failed, unless its Command says otherwise.
        runs_their_code: the step runs code from the pull request, as most do: it's sandboxed, gets no keys.
        inherit: names from Airflow's environment that this step needs, such as keys.
        always: the step cleans up: it runs though the time of the run (its Param `run_timeout`) is over.
        kwargs: what any Airflow operator takes.
    """

    template_fields: Sequence[str] = ()  # conf is written by strangers: it is never rendered

    def __init__(
        self,
        *,
        command: Callable[[Run], Command],
        item: Any = None,  # noqa: ANN401 - whatever JSON value the list before it holds
        timeout: float = 3600,
        runs_their_code: bool = True,
        inherit: Sequence[str] = (),
        always: bool = False,
        **kwargs: Any,  # noqa: ANN401 - BaseOperator's own
    ) -> None:
        own = keys.checked(kwargs, os.environ, inherit=inherit, runs_their_code=runs_their_code)
        super().__init__(**own)
        self.command = command
        self.item = item
        self.timeout = timeout
        self.runs_their_code = runs_their_code
        self.inherit = inherit
        self.always = always
        self._process: StepProcess | None = None
        self._killed: float | None = None

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:  # noqa: ANN401 - what Airflow's own takes and returns
        """Return the step to map over a list: `.expand(item=...)`."""
        whose = {"inherit": kwargs.get("inherit", ()), "runs_their_code": kwargs.get("runs_their_code", True)}
        return super().partial(**keys.checked(kwargs, os.environ, **whose))

    def execute(self, context: "Context") -> Any:  # noqa: ANN401 - what the Command says the task returns
        """Run the step once.

        Raises:
            AirflowException: it failed and is worth another try.
            AirflowFailException: it failed for good.
            AirflowSkipException: its command function says that there is nothing to do.
        """
        ti = context["ti"]
        try:
            run = self._run(context)
            command = self.command(run)
            env = self._environment(run, command, command.name or self._folder_name(ti))
        except ContractError as error:
            self._report(ti, report.describe(Command([], self.task_id), "failed", reason=str(error)))
            raise AirflowFailException(str(error)) from None
        except Skipped as why:
            raise AirflowSkipException(str(why)) from None
        command = replace(command, name=command.name or self.task_id)
        for (
            key,
            value,
        ) in command.announces.items():  # before all that may fail: an earlier try may have made it
            ti.xcom_push(key=key, value=value)
        limit = self._limit(command, context)
        if limit.seconds <= 0 and not run.dryrun:
            self._report(ti, report.describe(command, "timed_out", reason=limit.reason))
            raise AirflowFailException(limit.reason)
        if run.dryrun:
            for key, value in command.foretells.items():
                ti.xcom_push(key=key, value=value)
            self._show(command, env)
            self._report(ti, report.describe(command, "dryrun"))
            return command.returns
        layout.fresh(Path(env["ARTIFACTS"]), run.root)
        home = Path(tempfile.mkdtemp(prefix="preflight-step-"))
        try:
            outcome, output = self._start(run, command, env, home, limit.seconds)
            remains = self._collect(run, Path(env["ARTIFACTS"]), home, outcome, again=_is_again(ti))
        finally:
            workspace.remove(home)
        self._finish(ti, command, limit=limit, outcome=outcome, output=output, remains=remains)
        return command.returns

    def on_kill(self) -> None:
        """End the step and all that it started: Airflow calls this on cancel."""
        self._killed = self._killed or time.monotonic()
        if self._process is not None:
            self._process.stop()

    def _run(self, context: "Context") -> Run:
        params = context["params"]
        ti = context["ti"]
        home = os.environ.get("AIRFLOW_HOME") or str(Path("~/airflow").expanduser())
        root = Path(os.environ.get("PREFLIGHT_ARTIFACTS_ROOT") or Path(home, "artifacts"))
        return Run(
            params=params,
            folder=run_folder(root, str(params.get("ARTIFACTS_PATH") or ""), str(ti.run_id)),
            root=root,
            dryrun=params.get("dryrun") is True,
            item=self.item,
            pull=lambda task_id, key: ti.xcom_pull(task_ids=task_id, key=key),
            states=lambda: ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])[ti.run_id],
            dag_id=str(getattr(ti, "dag_id", "")),
            dag_run_id=str(ti.run_id),
            task_id=self.task_id,
            try_number=int(getattr(ti, "try_number", 1)),
            ticket_url=ticket_url(os.environ),
            installation=os.environ.get("PREFLIGHT_INSTALLATION", ""),
        )

    def _environment(self, run: Run, command: Command, folder: str) -> dict[str, str]:
        """Return what the binary sees, but for what `_start` makes."""
        clean = environment.clean(os.environ, inherit=self.inherit) | run.environment()
        ours = {"PYTHONPATH": str(_DAGS), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
        return {**clean, "ARTIFACTS": str(run.artifacts(folder)), **ours, **command.environment}

    def _limit(self, command: Command, context: "Context") -> report.Limit:
        """Return how long the step may run: no longer than itself and its run may."""
        seconds = command.timeout or self.timeout
        run_timeout = context["params"].get("run_timeout")
        started = getattr(context.get("dag_run"), "start_date", None)
        if self.always or not run_timeout or started is None:
            return report.limit(seconds)
        return report.limit(seconds, run_timeout, (datetime.now(UTC) - started).total_seconds())

    def _folder_name(self, ti: Any) -> str:  # noqa: ANN401 - Airflow's or a test's
        """Name the artifacts folder where the Command names no step: mapped tasks must not share one."""
        index = getattr(ti, "map_index", -1)
        return self.task_id if index < 0 else f"{self.task_id}-{index}"

    def _show(self, command: Command, env: dict[str, str]) -> None:
        for line in report.dry_run(command, {*env, "HOME", "STEP_OUTPUT", "TMPDIR"}):
            self.log.info("%s", line)

    def _start(
        self, run: Run, command: Command, env: dict[str, str], home: Path, seconds: float
    ) -> tuple[Outcome, dict[str, Any]]:
        """Run the binary in a folder of its own; returns how it ended and what it handed on."""
        REMARKS.info("command: %s", shlex.join(command.argv))
        output = home / "output.json"
        own = {"HOME": str(home), "TMPDIR": str(home), "STEP_OUTPUT": str(output)}
        try:
            self._process = sandbox.confined(
                command.argv,
                env=env | own,
                home=home,
                artifacts=Path(env["ARTIFACTS"]),
                readable=[run.folder],
                hidden=[run.root],
                trusted=sandbox.is_trusted(run.params),
                theirs=self.runs_their_code,
                timeout=seconds,
                environ=os.environ,
            )
            if self._killed is not None:  # before there was anything to end
                self._process.stop()
            outcome = self._process.run(lambda line: self.log.info("%s", line))
            return outcome, report.read_output(output)
        except sandbox.Refused as refused:
            return Outcome(exit_code=126, seconds=0), {"reason": str(refused)}
        except OSError as error:
            return Outcome(exit_code=127, seconds=0), {"reason": f"can't run {command.argv[0]}: {error}"}

    def _collect(self, run: Run, folder: Path, home: Path, outcome: Outcome, *, again: bool) -> Remains:
        """Look at what the step left, in what time is left; trouble with that fails no step."""

        def start(process: StepProcess) -> Outcome:
            self._process = process
            return process.run(lambda line: REMARKS.info("%s", line))

        seconds = None if self._killed is None else self._killed + CANCELLED_SECONDS - time.monotonic()
        try:
            left = left_by(run, folder, home, again=again)
            return collect(left, passed=outcome.exit_code == 0, start=start, seconds=seconds)
        except Exception as error:  # noqa: BLE001 - how the step ended must not depend on it
            REMARKS.warning("What the step left could not be looked at: %r", error)
            return NOTHING

    def _finish(
        self,
        ti: Any,  # noqa: ANN401 - Airflow's or a test's
        command: Command,
        *,
        limit: report.Limit,
        outcome: Outcome,
        output: dict[str, Any],
        remains: Remains,
    ) -> None:
        """Push the XComs, then raise when the step failed."""
        kind, reason = report.judge(outcome, limit, output.get("reason"))
        self._report(ti, report.describe(command, kind, outcome, reason, remains))
        if kind == "succeeded":
            for key, value in report.xcoms(output).items():
                ti.xcom_push(key=key, value=value)
        elif kind in {"temporary", "cancelled"}:
            # A cancel by people has its state already; one by a stopping worker deserves another try.
            raise AirflowException(reason)
        else:
            raise AirflowFailException(reason)

    def _report(self, ti: Any, described: dict[str, Any]) -> None:  # noqa: ANN401 - Airflow's or a test's
        try:
            ti.xcom_push(key="preflight", value=described)
        except Exception as error:  # noqa: BLE001 - how the step ended must not depend on the report of it
            self.log.warning("The step's report could not be kept: %s", error)


def _is_again(ti: Any) -> bool:  # noqa: ANN401 - Airflow's or a test's
    """Whether an earlier try of the step may have left artifacts."""
    return int(getattr(ti, "try_number", 1)) > 1
