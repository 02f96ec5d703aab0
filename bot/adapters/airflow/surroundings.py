"""Why runs may stand still: the port ConditionReader, in few calls and at most once a minute.

A user of the role `user` (SimpleAuthManager) or `Op` (FAB) may see all of this; whoever may not, sees less.
Heartbeats are those of `GET /monitor/health`, which needs no login.
"""

from __future__ import annotations

import threading
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_client.client.api.dag_api import DAGApi
from airflow_client.client.api.monitor_api import MonitorApi
from airflow_client.client.api.pool_api import PoolApi
from cachetools import TTLCache

from bot.adapters.airflow.session import Refusal
from bot.adapters.airflow.steps import utc
from bot.errors import AirflowRefused
from bot.models import Conditions, DagCondition, Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from airflow_client.client.models.dag_response import DAGResponse
    from airflow_client.client.models.pool_collection_response import PoolCollectionResponse
    from airflow_client.client.models.pool_response import PoolResponse

    from bot.adapters.airflow.graph import Graph
    from bot.adapters.airflow.session import Session

_T = TypeVar("_T")

PAGE = 100
"""Airflow gives no more at once, unless its `[api] maximum_page_limit` was changed."""

IDS_CHARACTERS = 4000
"""What ids of DAGs may add to a URL; proxies commonly take 8 KB."""

AT_ONCE = 50
MOST_PAGES = 10
WELL = "healthy"
_NOT_FOUND = 404
_PARTS = "health", "pools"


class Surroundings:
    """Reads health, pools and DAGs. Safe to share among threads, of which one at a time asks Airflow."""

    def __init__(
        self,
        session: Session,
        graph: Callable[[str], Graph],
        *,
        seconds: float,
        timer: Callable[[], float],
    ) -> None:
        self._session = session
        self._graph = graph
        self._monitor = MonitorApi(session.api)
        self._pools = PoolApi(session.api)
        self._dags = DAGApi(session.api)
        self._known: TTLCache[str, Conditions] = TTLCache(len(_PARTS), seconds, timer)
        self._known_dags: TTLCache[str, DagCondition | None] = TTLCache(10_000, seconds, timer)
        self._lock = threading.Lock()

    def read(self, dag_ids: Collection[str]) -> Conditions:
        """What is known of Airflow and of those DAGs, at most a minute old; AirflowUnavailable."""
        with self._lock:
            health = self._remembered("health", lambda: Conditions(scheduler_silent_since=self._silence()))
            pools = self._remembered("pools", lambda: Conditions(pools=self._read_pools()))
            wanted = sorted(dag_id for dag_id in dag_ids if dag_id not in self._known_dags)
            for some in _chunks(wanted):
                self._known_dags.update(self._read_dags(some))
            dags = {dag_id: self._known_dags.get(dag_id) for dag_id in dag_ids}
        return Conditions(
            scheduler_silent_since=health.scheduler_silent_since,
            pools=pools.pools,
            dags={dag_id: dag for dag_id, dag in dags.items() if dag is not None},
        )

    def _remembered(self, part: str, ask: Callable[[], Conditions]) -> Conditions:
        """One part of it; nothing where we may not see that."""
        known = self._known.get(part)
        if known is None:
            known = self._known[part] = _unless_refused(ask, Conditions())
        return known

    def _silence(self) -> datetime | None:
        """When the scheduler was last heard of, if it is down and that can be read."""
        scheduler = self._session.call(lambda options: self._monitor.get_health(**options)).scheduler
        if scheduler.status in (None, WELL) or not scheduler.latest_scheduler_heartbeat:
            return None
        try:
            return utc(datetime.fromisoformat(scheduler.latest_scheduler_heartbeat))
        except ValueError:
            return None

    def _read_pools(self) -> dict[str, Pool]:
        """All pools; none if there are more than one could read, so that nobody misses one that is there."""
        found: list[PoolResponse] = []
        for _ in range(MOST_PAGES):
            answer = self._session.call(partial(self._pool_page, len(found)))
            found += answer.pools
            if not answer.pools or len(found) >= (answer.total_entries or 0):
                return {pool.name: Pool(pool.slots, pool.open_slots) for pool in found}
        return {}

    def _pool_page(self, offset: int, options: dict[str, Any]) -> PoolCollectionResponse:
        return self._pools.get_pools(limit=PAGE, offset=offset, order_by=["id"], **options)

    def _read_dags(self, dag_ids: Sequence[str]) -> dict[str, DagCondition | None]:
        """Each DAG's condition; None for those that we may not see."""
        nothing: dict[str, DAGResponse] = {}
        listed = _unless_refused(lambda: self._listed(dag_ids), nothing)
        return {
            dag_id: self._condition(listed[dag_id])
            if dag_id in listed
            else _unless_refused(partial(self._one, dag_id), None)
            for dag_id in dag_ids
        }

    def _listed(self, dag_ids: Sequence[str]) -> dict[str, DAGResponse]:
        """The DAGs that Airflow has, those whose files are gone among them, as far as one page goes."""
        answer = self._session.call(
            lambda options: self._dags.get_dags(
                dag_id_prefix_pattern="|".join(dag_ids),
                exclude_stale=False,
                order_by=["dag_id"],
                limit=PAGE,
                **options,
            )
        )
        return {dag.dag_id: dag for dag in answer.dags}

    def _one(self, dag_id: str) -> DagCondition:
        """Asked by name, so that no permission that hides DAGs from lists makes one look gone."""
        try:
            dag = self._session.call(lambda options: self._dags.get_dag(dag_id, **options))
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                return DagCondition(gone=True)
            raise
        return self._condition(dag)

    def _condition(self, dag: DAGResponse) -> DagCondition:
        graph = self._graph(dag.dag_id)
        return DagCondition(
            paused=dag.is_paused,
            gone=dag.is_stale and not dag.has_import_errors,
            import_error=dag.has_import_errors,
            most_runs=dag.max_active_runs,
            pools=graph.pools,
            before=graph.before,
        )


def _unless_refused(ask: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return ask()
    except AirflowRefused:
        return otherwise


def _chunks(dag_ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids in parts that one request can name."""
    chunk: list[str] = []
    for dag_id in dag_ids:
        if len(chunk) == AT_ONCE or sum(map(len, chunk)) + len(dag_id) > IDS_CHARACTERS:
            yield chunk
            chunk = []
        chunk.append(dag_id)
    if chunk:
        yield chunk
