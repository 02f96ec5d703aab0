"""Many DAG runs with their steps, in few calls.

Two lists are read, each for many runs at once: the runs, by prefixes of their ids, then all their task
instances. Runs come first, so that the steps of a run that is finished are as final as the run.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.task_api import TaskApi
from airflow_client.client.api.task_instance_api import TaskInstanceApi
from airflow_client.client.models.task_instances_batch_body import TaskInstancesBatchBody
from cachetools import TTLCache

from bot.adapters.airflow.graph import Graph, graph_of
from bot.adapters.airflow.session import Refusal
from bot.adapters.airflow.steps import place, step_of, utc
from bot.models import DagRun, DagRunState, RunRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_client.client.models.dag_run_response import DAGRunResponse
    from airflow_client.client.models.task_instance_response import TaskInstanceResponse

    from bot.adapters.airflow.session import Session
    from bot.models import Step

PAGE = 100
"""Airflow gives no more at once, unless its `[api] maximum_page_limit` was changed."""

RUNS_AT_ONCE = 100
QUERY_CHARACTERS = 7000
"""What the ids may add to a URL; proxies commonly take 8 KB."""

INSTANCES = 1000
"""Task instances that are asked for at once: the limit of pages is not for lists asked for by POST."""

_READS = 3
_NOT_FOUND = 404
_ALL = "~"


class RunReader:
    """Reads DAG runs and task instances. Safe to share among threads."""

    def __init__(self, session: Session, *, cache_seconds: float, timer: Callable[[], float]) -> None:
        self._session = session
        self._dag_runs = DagRunApi(session.api)
        self._task_instances = TaskInstanceApi(session.api)
        self._tasks = TaskApi(session.api)
        self._graphs: TTLCache[str, Graph] = TTLCache(1000, cache_seconds, timer)
        self._lock = threading.Lock()

    def one(self, ref: RunRef) -> DAGRunResponse | None:
        """The run without its steps, None if Airflow does not have it."""
        try:
            return self._session.call(
                lambda options: self._dag_runs.get_dag_run(ref.dag_id, ref.dag_run_id, **options)
            )
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise

    def many(self, refs: Sequence[RunRef]) -> dict[RunRef, DagRun | None]:
        """Each run with its steps, None for those that Airflow does not have."""
        found: dict[RunRef, DagRun | None] = dict.fromkeys(refs)
        for chunk in _chunks(list(found)):
            runs = self._runs(chunk)
            steps = self._steps(list(runs))
            found |= {ref: _dag_run(run, steps[ref]) for ref, run in runs.items()}
        return found

    def graph(self, dag_id: str) -> Graph:
        """The DAG's tasks as they are now, from the cache if it was asked for lately; empty if it is gone."""
        with self._lock:
            graph = self._graphs.get(dag_id)
        if graph is None:
            graph = self._read_graph(dag_id)
            with self._lock:
                self._graphs[dag_id] = graph
        return graph

    def _runs(self, refs: Sequence[RunRef]) -> dict[RunRef, DAGRunResponse]:
        listed = {RunRef(run.dag_id, run.dag_run_id): run for run in self._listed(refs)}
        runs = {ref: listed.get(ref) for ref in refs}
        for ref in refs:
            if runs[ref] is None:
                # Asked by name, so that no order of the database's letters and no permission that hides
                # runs from lists makes a run look lost.
                runs[ref] = self.one(ref)
        return {ref: run for ref, run in runs.items() if run is not None}

    def _listed(self, refs: Sequence[RunRef]) -> list[DAGRunResponse]:
        dags = "|".join(sorted({ref.dag_id for ref in refs}))
        ids = "|".join(sorted({ref.dag_run_id for ref in refs}))

        def page(offset: int) -> tuple[list[DAGRunResponse], int]:
            answer = self._session.call(
                lambda options: self._dag_runs.get_dag_runs(
                    _ALL,
                    # With the DAG ids PostgreSQL can use its index of (dag_id, run_id).
                    dag_id_prefix_pattern=dags,
                    run_id_prefix_pattern=ids,
                    order_by=["id"],
                    limit=PAGE,
                    offset=offset,
                    **options,
                )
            )
            return answer.dag_runs, answer.total_entries or 0

        runs: list[DAGRunResponse] = []
        while True:
            more, total = page(len(runs))
            runs += more
            if not more or len(runs) >= total:
                return runs

    def _steps(self, refs: Sequence[RunRef]) -> dict[RunRef, list[Step]]:
        steps: dict[RunRef, list[Step]] = {ref: [] for ref in refs}
        for instance in self._instances(refs):
            # Two DAGs may hold the same run id, so some that nobody asked for can be among them.
            ref = RunRef(instance.dag_id, instance.dag_run_id)
            if ref in steps:
                steps[ref].append(step_of(instance))
        for ref, unordered in steps.items():
            ranks = self.graph(ref.dag_id).ranks
            unordered.sort(key=partial(place, ranks))
        return steps

    def _instances(self, refs: Sequence[RunRef]) -> Iterable[TaskInstanceResponse]:
        if not refs:
            return ()
        for _ in range(_READS):
            found: dict[tuple[str, str, str, int], TaskInstanceResponse] = {}
            read = total = 0
            while True:
                more, total = self._instance_page(refs, read)
                read += len(more)
                found |= {(ti.dag_id, ti.dag_run_id, ti.task_id, ti.map_index): ti for ti in more}
                if not more or read >= total:
                    break
            # A retry gives a task instance a new id, and so another place in the list. Where that happened
            # between two pages one instance came twice, and another one not at all.
            if len(found) == total:
                return found.values()
        raise self._session.unavailable("its task instances changed faster than they could be read")

    def _instance_page(self, refs: Sequence[RunRef], offset: int) -> tuple[list[TaskInstanceResponse], int]:
        body = TaskInstancesBatchBody(
            dag_ids=sorted({ref.dag_id for ref in refs}),
            dag_run_ids=sorted({ref.dag_run_id for ref in refs}),
            order_by="id",
            page_limit=INSTANCES,
            page_offset=offset,
        )
        answer = self._session.call(
            lambda options: self._task_instances.get_task_instances_batch(_ALL, _ALL, body, **options)
        )
        return answer.task_instances, answer.total_entries or 0

    def _read_graph(self, dag_id: str) -> Graph:
        try:
            answer = self._session.call(lambda options: self._tasks.get_tasks(dag_id, **options))
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:  # the DAG's file is gone, its runs are not
                return Graph({})
            raise
        return graph_of(answer.tasks)


def _chunks(refs: Sequence[RunRef]) -> Iterator[list[RunRef]]:
    """The refs in parts that one request can name."""
    chunk: list[RunRef] = []
    size = 0
    for ref in refs:
        length = len(quote(f"{ref.dag_id}|{ref.dag_run_id}|", safe=""))
        if chunk and (len(chunk) == RUNS_AT_ONCE or size + length > QUERY_CHARACTERS):
            yield chunk
            chunk, size = [], 0
        chunk.append(ref)
        size += length
    if chunk:
        yield chunk


def _dag_run(run: DAGRunResponse, steps: Sequence[Step]) -> DagRun:
    return DagRun(
        state=DagRunState(run.state.value),
        steps=tuple(steps),
        started_at=utc(run.start_date),
        ended_at=utc(run.end_date),
    )
