"""An Airflow in memory, behind all ports of Airflow, moved on by hand.

airflow = FakeAirflow()
airflow.add_dag("checks", tasks=["clone", "lint", "test"])
...                                             # the code under test triggers `ref`
airflow.step(ref, "clone", StepState.RUNNING)
airflow.fail(ref, "lint", log=["E501 Line too long"])
airflow.down = True                             # from now on every call raises AirflowUnavailable
airflow.lose_next_answer("trigger")             # the run is created, the caller gets AirflowUnavailable

It passes the contract suite that the real one passes (tests/adapters/test_airflow_contract.py).
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import jsonschema

from bot.errors import (
    AirflowAway,
    AirflowLoginRefused,
    AirflowRefused,
    AirflowUnavailable,
    DagNotFound,
    DagRunNotFound,
    ParamsRefused,
    PreflightError,
)
from bot.models import (
    Conditions,
    Dag,
    DagCondition,
    DagRun,
    DagRunState,
    LogLine,
    Pool,
    RunRef,
    Step,
    StepState,
)

DEFAULT_POOL = "default_pool"

OWN_OUTPUT = "airflow.task.operators.step_operator.StepOperator"
"""The logger of what our operator's steps print."""

_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")
_TRIED = frozenset({StepState.RUNNING, StepState.RETRYING, StepState.SUCCEEDED, StepState.FAILED})

_LEFT = frozenset({StepState.SUCCEEDED, StepState.REMOVED})
"""What a resumed run does not run again."""

LogLines = Iterable[str | LogLine]
"""Plain strings are lines of the step's own output."""


@dataclass
class FakeRun:
    """One DAG run. `steps` holds them by task id and map index."""

    conf: dict[str, object]
    note: str
    state: DagRunState = DagRunState.QUEUED
    steps: dict[tuple[str, int], Step] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    logs: dict[tuple[str, int, int], list[LogLine]] = field(default_factory=dict)
    xcoms: dict[tuple[str, int, str], object] = field(default_factory=dict)


@dataclass(frozen=True)
class FakeTasks:
    """A DAG's tasks in its order, and what Airflow works out from how they hang together.

    `together`: what runs again with a task (its setups and teardowns, leaves that judge it), though it had
    succeeded. `passed_over`: tasks that a branch skips, or that skip themselves and the run goes on.
    `following`: what comes directly after each task; where nothing is said, the next one. `pools`: whose pool
    is not the default one.
    """

    order: tuple[str, ...] = ()
    together: Mapping[str, Collection[str]] = field(default_factory=dict)
    teardowns: Collection[str] = ()
    passed_over: Collection[str] = ()
    following: Mapping[str, Collection[str]] = field(default_factory=dict)
    pools: Mapping[str, str] = field(default_factory=dict)
    most_runs: int = 16

    def after(self, task_id: str) -> Collection[str]:
        """The tasks directly after that one."""
        if self.following:
            return self.following.get(task_id, ())
        place = self.order.index(task_id) + 1
        return self.order[place : place + 1]

    def all_after(self, task_ids: Collection[str]) -> set[str]:
        """The tasks after those, near and far."""
        found: set[str] = set()
        waiting = list(task_ids)
        while waiting:
            fresh = set(self.after(waiting.pop())) - found
            found |= fresh
            waiting += fresh
        return found


class FakeAirflow:
    """Does what `AirflowClient` with a real Airflow does. Safe to share among threads.

    `down` and `login_fails` make every call fail. `pools` and `scheduler_silent_since` are what `conditions`
    tells. `runs`, `calls` (by method), `cancelled` and
    `resumed` are for assertions.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.down = False
        self.away = 0.0  # seconds for which a breaker lets no call pass
        self.login_fails = False
        self.runs: dict[RunRef, FakeRun] = {}
        self.calls: Counter[str] = Counter()
        self.cancelled: list[RunRef] = []
        self.resumed: list[RunRef] = []
        self.pools: dict[str, Pool] = {DEFAULT_POOL: Pool(128, 128)}
        self.scheduler_silent_since: datetime | None = None
        self._clock = clock
        self._dags: dict[str, Dag] = {}
        self._tasks: dict[str, FakeTasks] = {}
        self._errors: dict[str, deque[PreflightError]] = defaultdict(deque)
        self._lost: Counter[str] = Counter()
        self._lock = threading.RLock()

    # What a test does to it

    def add_dag(
        self,
        dag_id: str,
        tasks: Sequence[str] = ("one",),
        *,
        tags: Iterable[str] = ("preflight",),
        paused: bool = False,
        params: Mapping[str, Mapping[str, object]] | None = None,
        import_error: bool = False,
        together: Mapping[str, Collection[str]] | None = None,
        teardowns: Collection[str] = (),
        passed_over: Collection[str] = (),
        following: Mapping[str, Collection[str]] | None = None,
        pools: Mapping[str, str] | None = None,
        most_runs: int = 16,
    ) -> None:
        """Deploy a DAG, or another version of it. See FakeTasks."""
        with self._lock:
            self._dags[dag_id] = Dag(dag_id, frozenset(tags), paused, params or {}, import_error)
            self._tasks[dag_id] = FakeTasks(
                tuple(tasks), together or {}, teardowns, passed_over, following or {}, pools or {}, most_runs
            )

    def remove_dag(self, dag_id: str) -> None:
        """Delete a DAG's file; its runs stay."""
        with self._lock:
            del self._dags[dag_id]

    def step(
        self, ref: RunRef, task_id: str, state: StepState, *, map_index: int = -1, name: str | None = None
    ) -> None:
        """Move a step on; the run is running from then on. `name` names a mapped step."""
        with self._lock:
            run, now = self.runs[ref], self._clock()
            step = run.steps[task_id, map_index]
            begins = state in _TRIED and step.state is not StepState.RUNNING
            run.steps[task_id, map_index] = replace(
                step,
                state=state,
                name=name or step.name,
                try_number=step.try_number + begins,
                started_at=now if begins else step.started_at,
                ended_at=now if step.try_number + begins and state is not StepState.RUNNING else None,
            )
            if run.state is DagRunState.QUEUED:
                run.state, run.started_at = DagRunState.RUNNING, now

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        """Expand a mapped task, until now one waiting step, into `count` waiting steps."""
        with self._lock:
            steps = self.runs[ref].steps
            del steps[task_id, -1]
            for index in range(count):
                steps[task_id, index] = Step(task_id, index, f"{task_id}[{index}]", StepState.WAITING)

    def finish(self, ref: RunRef, state: DagRunState) -> None:
        """End the run; its steps stay what they are."""
        with self._lock:
            run = self.runs[ref]
            run.state, run.ended_at = state, self._clock()
            run.started_at = run.started_at or run.ended_at

    def succeed(self, ref: RunRef) -> None:
        """Let all steps that have not ended succeed, then the run."""
        with self._lock:
            for task_id, map_index in self._unfinished(ref):
                self.step(ref, task_id, StepState.SUCCEEDED, map_index=map_index)
            self.finish(ref, DagRunState.SUCCESS)

    def fail(self, ref: RunRef, task_id: str, *, map_index: int = -1, log: LogLines = ()) -> None:
        """Let a step fail, and the run; what has not ended is blocked."""
        with self._lock:
            self.step(ref, task_id, StepState.FAILED, map_index=map_index)
            self.set_log(ref, task_id, log, map_index=map_index)
            for key in self._unfinished(ref):
                self.step(ref, key[0], StepState.BLOCKED, map_index=key[1])
            self.finish(ref, DagRunState.FAILED)

    def delete(self, ref: RunRef) -> None:
        """Delete the run, as somebody may by hand."""
        with self._lock:
            del self.runs[ref]

    def set_log(self, ref: RunRef, task_id: str, lines: LogLines, *, map_index: int = -1) -> None:
        """Set the log of the step's present try."""
        with self._lock:
            run = self.runs[ref]
            tried = run.steps[task_id, map_index].try_number
            run.logs[task_id, map_index, tried] = [
                LogLine(line, OWN_OUTPUT, "info") if isinstance(line, str) else line for line in lines
            ]

    def set_xcom(self, ref: RunRef, task_id: str, key: str, value: object, *, map_index: int = -1) -> None:
        """Hand on a value, as JSON can say it."""
        with self._lock:
            self.runs[ref].xcoms[task_id, map_index, key] = json.loads(json.dumps(value))

    def fail_next(self, method: str, error: PreflightError) -> None:
        """Let the next call of this port method raise the error, before it does anything."""
        with self._lock:
            self._errors[method].append(error)

    def lose_next_answer(self, method: str) -> None:
        """Let the next call of this port method do its work, and raise AirflowUnavailable nevertheless."""
        with self._lock:
            self._lost[method] += 1

    # What Airflow's REST API has beside the ports (see tests/chaos/airflow_http.py)

    def dag_ids(self) -> Sequence[str]:
        """Of all DAGs that are there."""
        with self._lock:
            return list(self._dags)

    def tasks(self, dag_id: str) -> FakeTasks:
        """The tasks of a DAG; DagNotFound if there is none."""
        with self._lock:
            self._dag(dag_id)
            return self._tasks[dag_id]

    def clear(self, ref: RunRef, keys: Collection[tuple[str, int]], *, go: bool) -> None:
        """Let these steps wait again, with all that comes after them or belongs to them; then the run `go`es.

        An index below zero names all steps of a mapped task.
        """
        with self._lock:
            run, tasks = self._run(ref), self._tasks[ref.dag_id]
            named = {task_id for task_id, _ in keys}
            later = tasks.all_after(named)
            together = {with_it for task in named | later for with_it in tasks.together.get(task, ())}
            for key in run.steps:
                if key in keys or (key[0], -1) in keys or key[0] in later | together:
                    self._wait_again(run, key)
            if go:
                self.go_on(ref)

    def call_successful(self, ref: RunRef, key: tuple[str, int]) -> None:
        """Say that a step passed, whatever it did."""
        with self._lock:
            run = self._run(ref)
            run.steps[key] = replace(run.steps[key], state=StepState.SUCCEEDED)

    def go_on(self, ref: RunRef) -> None:
        """Queue a run that has ended."""
        with self._lock:
            run = self._run(ref)
            run.state, run.started_at, run.ended_at = DagRunState.QUEUED, None, None

    # The ports

    def dag(self, dag_id: str) -> Dag:
        """See DagTrigger."""
        with self._call("dag"):
            return self._dag(dag_id)

    def trigger(self, ref: RunRef, conf: Mapping[str, object], note: str) -> bool:
        """See DagTrigger."""
        with self._call("trigger"):
            dag = self._dag(ref.dag_id)
            if dag.import_error:
                raise DagNotFound(f"DAG {ref.dag_id!r} not found in Airflow")
            if not _RUN_ID.fullmatch(ref.dag_run_id):
                raise AirflowRefused(f"Airflow refuses (400): {ref}")
            stored = _stored(conf)
            for name, schema in dag.params.items():
                if name in stored:
                    _validate(name, stored[name], schema)
            if ref in self.runs:
                return False
            self.runs[ref] = FakeRun(stored, note)
            self.runs[ref].steps |= {
                (task, -1): Step(task, -1, task, StepState.WAITING) for task in self._tasks[ref.dag_id].order
            }
            return True

    def conf(self, ref: RunRef) -> Mapping[str, object]:
        """See DagTrigger."""
        with self._call("conf"):
            return dict(self._run(ref).conf)

    def cancel(self, ref: RunRef) -> None:
        """See DagTrigger. As Airflow does it: what runs fails, what waits is skipped, but for teardowns.

        With one of its steps all of a mapped task fails, even what had passed.
        """
        with self._call("cancel"):
            run = self._run(ref)
            if run.state.finished:
                return
            self.cancelled.append(ref)
            running = {key[0] for key, step in run.steps.items() if step.state is StepState.RUNNING}
            teardowns = self._tasks[ref.dag_id].teardowns
            for key, step in run.steps.items():
                if key[0] in running - set(teardowns) and step.try_number:
                    run.steps[key] = replace(step, state=StepState.FAILED, ended_at=self._clock())
            for task_id, map_index in self._unfinished(ref):
                if task_id not in teardowns:
                    self.step(ref, task_id, StepState.SKIPPED, map_index=map_index)
            if not self._unfinished(ref):
                self.finish(ref, DagRunState.FAILED)

    def resume(self, ref: RunRef, known: Sequence[Step]) -> None:
        """See DagTrigger."""
        with self._call("resume"):
            run, tasks = self._run(ref), self._tasks[ref.dag_id]
            tries = {step.key: step.try_number for step in known}
            if not run.state.finished or any(
                step.try_number > tries.get(key, step.try_number) for key, step in run.steps.items()
            ):
                return
            self.resumed.append(ref)
            passed = {step.key for step in known if step.state is StepState.SUCCEEDED}
            again: set[str] = set()
            for key, step in run.steps.items():
                if step.state is StepState.FAILED and key in passed:
                    run.steps[key] = replace(step, state=StepState.SUCCEEDED)
                elif step.state not in _LEFT and key[0] not in tasks.passed_over:
                    self._wait_again(run, key)
                    again.add(key[0])
            for task_id in {with_it for task in again for with_it in tasks.together.get(task, ())}:
                self._wait_again(run, (task_id, -1))
            run.state, run.started_at, run.ended_at = DagRunState.QUEUED, None, None

    def is_running(self, ref: RunRef, task_id: str, try_number: int) -> bool:
        """See StepWatcher."""
        with self._call("is_running"):
            step = self.runs[ref].steps.get((task_id, -1)) if ref in self.runs else None
            return step is not None and step.state is StepState.RUNNING and step.try_number == try_number

    def look(self, refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        """See DagRunReader."""
        with self._call("look"):
            return {ref: self._snapshot(ref) for ref in refs}

    def conditions(self, dag_ids: Collection[str]) -> Conditions:
        """See ConditionReader."""
        with self._call("conditions"):
            return Conditions(
                scheduler_silent_since=self.scheduler_silent_since,
                pools=dict(self.pools),
                dags={dag_id: self._condition(dag_id) for dag_id in dag_ids},
            )

    def log(self, ref: RunRef, step: Step) -> Iterator[LogLine]:
        """See DagRunReader."""
        if step.try_number < 1:
            return
        with self._call("log"):
            run = self._run(ref)
            if step.key not in run.steps or step.try_number > run.steps[step.key].try_number:
                raise DagRunNotFound(f"No try {step.try_number} of {step.key} in {ref}")
            lines = list(run.logs.get((*step.key, step.try_number), ()))
        yield from lines

    def xcom(self, ref: RunRef, step: Step, key: str) -> object | None:
        """See DagRunReader."""
        with self._call("xcom"):
            run = self.runs.get(ref)
            return None if run is None else run.xcoms.get((*step.key, key))

    @contextmanager
    def _call(self, method: str) -> Iterator[None]:
        with self._lock:
            if self.away:
                raise AirflowAway("Airflow has not answered of late, so nothing was sent", self.away)
            self.calls[method] += 1
            if self.down:
                raise AirflowUnavailable("Airflow does not answer: it is down")
            if self.login_fails:
                raise AirflowLoginRefused("Airflow does not accept the login")
            if self._errors[method]:
                raise self._errors[method].popleft()
            yield
            if self._lost[method]:
                self._lost[method] -= 1
                raise AirflowUnavailable("Airflow does not answer: the connection broke")

    def _dag(self, dag_id: str) -> Dag:
        try:
            return self._dags[dag_id]
        except KeyError:
            raise DagNotFound(f"DAG {dag_id!r} not found in Airflow") from None

    def _condition(self, dag_id: str) -> DagCondition:
        dag, tasks = self._dags.get(dag_id), self._tasks.get(dag_id, FakeTasks())
        before: dict[str, set[str]] = {task: set() for task in tasks.order}
        for task in tasks.order:
            for after in tasks.after(task):
                before[after].add(task)
        return DagCondition(
            paused=dag is not None and dag.paused,
            gone=dag is None,
            import_error=dag is not None and dag.import_error,
            most_runs=tasks.most_runs,
            pools={task: tasks.pools.get(task, DEFAULT_POOL) for task in tasks.order},
            before={task: frozenset(names) for task, names in before.items()},
        )

    def _run(self, ref: RunRef) -> FakeRun:
        try:
            return self.runs[ref]
        except KeyError:
            raise DagRunNotFound(f"Airflow has no run {ref}") from None

    def _wait_again(self, run: FakeRun, key: tuple[str, int]) -> None:
        run.steps[key] = replace(run.steps[key], state=StepState.WAITING, started_at=None, ended_at=None)

    def _unfinished(self, ref: RunRef) -> list[tuple[str, int]]:
        return [key for key, step in self.runs[ref].steps.items() if not step.state.finished]

    def _snapshot(self, ref: RunRef) -> DagRun | None:
        run = self.runs.get(ref)
        if run is None:
            return None
        order = self._tasks[ref.dag_id].order
        steps = sorted(
            run.steps.values(),
            key=lambda s: (order.index(s.task_id) if s.task_id in order else len(order), s.key),
        )
        return DagRun(run.state, tuple(steps), run.started_at, run.ended_at)


def _stored(conf: Mapping[str, object]) -> dict[str, object]:
    """The conf as it comes back: jsonb does not keep the order of keys, and refuses some texts."""

    def reordered(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return dict(sorted(pairs, key=lambda pair: (len(pair[0].encode()), pair[0].encode())))

    try:
        text = json.dumps(conf, allow_nan=False, ensure_ascii=False)
        text.encode()
    except ValueError as error:
        raise ParamsRefused(f"Airflow cannot store what the DAG was to get: {error}") from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise ParamsRefused("Airflow cannot store what the DAG was to get: a NUL character")
    stored: dict[str, object] = json.loads(text, object_pairs_hook=reordered)
    return stored


def _validate(name: str, value: object, schema: Mapping[str, object]) -> None:
    try:
        jsonschema.validate(value, schema)
    except jsonschema.ValidationError as error:
        raise ParamsRefused(f"Invalid input for param {name}: {error.message}") from error
