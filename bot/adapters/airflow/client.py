"""The ports DagTrigger, StepWatcher, DagRunReader and ConditionReader, by Airflow's REST API."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import urllib3
from airflow_client.client.api.dag_api import DAGApi
from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.task_instance_api import TaskInstanceApi
from airflow_client.client.api.x_com_api import XComApi
from airflow_client.client.models.dag_run_mutable_states import DagRunMutableStates
from airflow_client.client.models.dag_run_patch_body import DAGRunPatchBody
from airflow_client.client.models.task_instance_state import TaskInstanceState
from airflow_client.client.models.trigger_dag_run_post_body import TriggerDAGRunPostBody
from cachetools import TTLCache

from bot.adapters.airflow.log_lines import read_lines
from bot.adapters.airflow.resume import Resumption
from bot.adapters.airflow.runs import RunReader
from bot.adapters.airflow.session import Refusal, Session
from bot.adapters.airflow.surroundings import Surroundings
from bot.errors import AirflowRefused, DagNotFound, DagRunNotFound, ParamsRefused
from bot.models import Dag, DagRunState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from bot.breaker import Breakers
    from bot.models import Conditions, DagRun, LogLine, RunRef, Step

CACHE_SECONDS = 60.0
"""How old a DAG's description may be. That a DAG is not there is never remembered: it may be on its way."""

NOTE_CHARACTERS = 1000
"""Airflow refuses the whole run for a longer note."""

ID = re.compile(r"(?!\.+$)[\w.-]+")  # "." and ".." would name another address of the API
"""What a DAG or task may be called."""

_CHUNK_BYTES = 64 * 1024
_XCOM_BYTES = 1024 * 1024
_LOG_TIMEOUT = (3.0, 30.0)  # Airflow reads a whole log before it sends any: half a second for 20,000 lines
_BAD_REQUEST, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 400, 404, 409, 422


class AirflowClient:
    """Airflow as one user sees it. Safe to share among threads; nothing is sent before the first call."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        breakers: Breakers | None = None,
        cache_seconds: float = CACHE_SECONDS,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = Session(url, username, password, breakers)
        self._dags = DAGApi(self._session.api)
        self._dag_runs = DagRunApi(self._session.api)
        self._task_instances = TaskInstanceApi(self._session.api)
        self._xcoms = XComApi(self._session.api)
        self._resumption = Resumption(self._session, self.xcom)
        self._reader = RunReader(self._session, cache_seconds=cache_seconds, timer=timer)
        self._conditions = Surroundings(self._session, self._reader.graph, seconds=cache_seconds, timer=timer)
        self._known: TTLCache[str, Dag] = TTLCache(1000, cache_seconds, timer)
        self._lock = threading.Lock()

    def dag(self, dag_id: str) -> Dag:
        """The DAG's description, at most a minute old; DagNotFound if there is none."""
        with self._lock:
            known = self._known.get(dag_id)
        if known is None:
            known = self._read_dag(dag_id)
            if not known.paused and not known.import_error:  # somebody is about to mend that
                with self._lock:
                    self._known[dag_id] = known
        return known

    def trigger(self, ref: RunRef, conf: Mapping[str, object], note: str) -> bool:
        """Create the DAG run. False if one of that id exists already; ParamsRefused for a bad conf.

        After an AirflowUnavailable the run may exist or not: trigger it again.
        """
        _check_id(ref.dag_id)
        body = TriggerDAGRunPostBody(
            dag_run_id=ref.dag_run_id, conf=dict(conf), note=note[:NOTE_CHARACTERS] or None
        )
        try:
            self._session.call(lambda options: self._dag_runs.trigger_dag_run(ref.dag_id, body, **options))
        except Refusal as refusal:
            if refusal.status == _CONFLICT:
                return False
            raise _explained(refusal, ref.dag_id) from refusal
        return True

    def conf(self, ref: RunRef) -> Mapping[str, object]:
        """The conf that the existing DAG run was created with; DagRunNotFound if it is gone."""
        run = self._reader.one(ref)
        if run is None:
            raise _gone(ref)
        return run.conf or {}

    def cancel(self, ref: RunRef) -> None:
        """Stop the DAG run; stopping one that has ended is harmless; DagRunNotFound if it is gone.

        Airflow would turn a run that has ended as `success` into `failed`, so its state is looked at first.
        """
        run = self._reader.one(ref)
        if run is None:
            raise _gone(ref)
        if DagRunState(run.state.value).finished:
            return
        body = DAGRunPatchBody(state=DagRunMutableStates.FAILED)
        try:
            self._session.call(
                lambda options: self._dag_runs.patch_dag_run(ref.dag_id, ref.dag_run_id, body, **options)
            )
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            if self._reader.one(ref) is None:
                raise _gone(ref) from refusal
            raise _no_dag(ref.dag_id) from refusal  # the run is there, but Airflow can't stop it any more

    def resume(self, ref: RunRef, known: Sequence[Step]) -> None:
        """Run again, in the DAG run that has ended, every step that did not succeed; see DagTrigger."""
        run = self._reader.many([ref])[ref]
        if run is None:
            raise _gone(ref)
        graph = self._reader.graph(ref.dag_id)
        if not graph.following:
            raise _no_dag(ref.dag_id)
        try:
            self._resumption.resume(ref, run, known, graph)
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            if self._reader.one(ref) is None:
                raise _gone(ref) from refusal
            raise _no_dag(ref.dag_id) from refusal

    def is_running(self, ref: RunRef, task_id: str, try_number: int) -> bool:
        """Whether that very try of the task (one that is not mapped) runs at this moment. One request."""
        if not ID.fullmatch(task_id):
            return False
        try:
            found = self._session.call(
                lambda options: self._task_instances.get_task_instance(
                    ref.dag_id, ref.dag_run_id, task_id, **options
                )
            )
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:  # also for a mapped one
                return False
            raise
        return found.state is TaskInstanceState.RUNNING and found.try_number == try_number

    def look(self, refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        """Many runs in few calls, each with its steps; None for a run that Airflow does not have."""
        return self._reader.many(refs)

    def conditions(self, dag_ids: Collection[str]) -> Conditions:
        """What Airflow says of itself and of those DAGs, at most a minute old; see ConditionReader."""
        return self._conditions.read(dag_ids)

    def log(self, ref: RunRef, step: Step) -> Iterator[LogLine]:
        """The log of the step's last try as a stream; bounded by the reader, who may stop at any line.

        Empty for a step that was never tried. Closing the iterator closes the connection.
        """
        if step.try_number < 1:
            return
        try:
            response = self._session.stream(
                lambda options: self._task_instances.get_log_without_preload_content(
                    ref.dag_id,
                    ref.dag_run_id,
                    step.task_id,
                    step.try_number,
                    map_index=step.map_index,
                    _headers={"Accept": "application/x-ndjson"},
                    **(options | {"_request_timeout": _LOG_TIMEOUT}),
                )
            )
        except Refusal as refusal:
            raise _explained_for_run(refusal, ref) from refusal
        with closing(response):
            try:
                yield from read_lines(response.stream(_CHUNK_BYTES))
            except urllib3.exceptions.HTTPError as error:
                raise self._session.unavailable(error) from error

    def xcom(self, ref: RunRef, step: Step, key: str) -> object | None:
        """The value that the step handed on under `key`, None if there is none (or more than 1 MB)."""
        try:
            response = self._session.stream(
                # Raw, because the client's model takes fewer values than JSON has.
                lambda options: self._xcoms.get_xcom_entry_without_preload_content(
                    dag_id=ref.dag_id,
                    task_id=step.task_id,
                    dag_run_id=ref.dag_run_id,
                    xcom_key=key,
                    map_index=step.map_index,
                    **options,
                )
            )
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise
        with closing(response):
            try:
                body = response.read(_XCOM_BYTES + 1)
                value: object = json.loads(body)["value"] if len(body) <= _XCOM_BYTES else None
            except RecursionError:
                return None
            except (urllib3.exceptions.HTTPError, ValueError, TypeError, KeyError) as error:
                raise self._session.unavailable(error) from error
        return value

    def _read_dag(self, dag_id: str) -> Dag:
        _check_id(dag_id)
        try:
            details = self._session.call(lambda options: self._dags.get_dag_details(dag_id, **options))
        except Refusal as refusal:
            raise _explained(refusal, dag_id) from refusal
        if details.is_stale and not details.has_import_errors:
            raise _no_dag(dag_id)  # its file is gone; Airflow only remembers it
        return Dag(
            id=dag_id,
            tags=frozenset(tag.name for tag in details.tags),
            paused=details.is_paused,
            params={name: param.get("schema") or {} for name, param in (details.params or {}).items()},
            import_error=details.has_import_errors,
        )


def _check_id(dag_id: str) -> None:
    if not ID.fullmatch(dag_id):
        raise _no_dag(dag_id)


def _explained(refusal: Refusal, dag_id: str) -> AirflowRefused:
    """What a refusal to describe or to start a DAG means."""
    if refusal.status == _NOT_FOUND:
        return _no_dag(dag_id)
    if refusal.status == _BAD_REQUEST and refusal.reason.startswith("Invalid input for param"):
        return ParamsRefused(f"DAG {dag_id!r} does not take these params. {refusal.reason}.")
    if refusal.status == _UNPROCESSABLE:
        return ParamsRefused(
            f"Airflow cannot store what DAG {dag_id!r} was to get: {refusal.reason}. "
            "Params must be plain JSON without NUL characters, half characters or infinite numbers."
        )
    return refusal


def _explained_for_run(refusal: Refusal, ref: RunRef) -> AirflowRefused:
    return _gone(ref) if refusal.status == _NOT_FOUND else refusal


def _no_dag(dag_id: str) -> DagNotFound:
    return DagNotFound(
        f"DAG {dag_id[:250]!r} not found in Airflow. Check its name, and that its file is deployed."
    )


def _gone(ref: RunRef) -> DagRunNotFound:
    return DagRunNotFound(
        f"Airflow has no run {ref.dag_run_id!r} of DAG {ref.dag_id!r}, or not this part of it."
    )
