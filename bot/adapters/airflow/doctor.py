"""What Airflow tells about itself and its DAGs: the ports of `bot doctor`."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import urllib3
from airflow_client.client.api.dag_api import DAGApi
from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.import_error_api import ImportErrorApi
from airflow_client.client.api.plugin_api import PluginApi
from airflow_client.client.api.pool_api import PoolApi
from airflow_client.client.api.task_api import TaskApi
from airflow_client.client.models.dag_run_clear_body import DAGRunClearBody

from bot.adapters.airflow.client import ID
from bot.adapters.airflow.session import Refusal, Session
from bot.errors import AirflowLoginRefused
from bot.models import Dag
from bot.models.doctor import Knock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_client.client.models.dag_response import DAGResponse

_T = TypeVar("_T")

PAGE = 100
"""The most that Airflow lists at once."""

MOST_ERRORS = 20
MOST_PAGES = 10
_LONGEST_ERROR = 200
_TIMEOUT = (3.0, 8.0)
_OK, _NOT_FOUND = 200, 404
NO_RUN = "preflight-doctor-asks-whether-it-might"
"""A run that does not exist. Who may change runs is looked at before whether there is one."""


class AirflowDoctor:
    """Fulfils AirflowLook and DagLook. Safe to share among threads.

    `now` is our clock.
    """

    def __init__(
        self, url: str, username: str, password: str, *, now: Callable[[], float] = time.time
    ) -> None:
        self._session = Session(url, username, password)
        self._dags = DAGApi(self._session.api)
        self._now = now

    # AirflowLook

    def knock(self) -> Knock:
        """Whether Airflow's API is there. One request without credentials."""
        status, headers, found = self._plain("/api/v2/version")
        version = found.get("version") if isinstance(found, dict) else None
        genuine = status == _OK and isinstance(version, str)
        return Knock(
            genuine=genuine,
            date=headers.get("Date", ""),
            at=self._now(),
            version=str(version) if genuine else "",
        )

    def log_in(self) -> None:
        """Log in, and list one DAG."""
        self._session.call(lambda options: self._dags.get_dags(limit=1, **options))

    def health(self) -> Mapping[str, str]:
        """Airflow's own word for each of its parts. One request without credentials."""
        status, _, found = self._plain("/api/v2/monitor/health")
        if status != _OK or not isinstance(found, dict):
            raise self._session.unavailable(f"/api/v2/monitor/health answered {status}")
        return {part: str(about.get("status")) for part, about in found.items() if isinstance(about, dict)}

    def may_trigger(self, dag_id: str) -> bool:
        """Whether our user may change runs of that DAG: the roles that let one also let one trigger.

        Asked by the dry run of clearing a run that does not exist. A trigger that Airflow can't take would be
        in its audit log, this isn't.
        """
        runs, body = DagRunApi(self._session.api), DAGRunClearBody(dry_run=True)
        try:
            self._session.call(lambda options: runs.clear_dag_run(dag_id, NO_RUN, body, **options))
        except AirflowLoginRefused:
            return False
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        return True

    def plugins(self) -> frozenset[str]:
        """The names of the plugins that the api-server has loaded."""
        api = PluginApi(self._session.api)
        found = self._session.call(lambda options: api.get_plugins(limit=PAGE, **options))
        return frozenset(each.name for each in found.plugins)

    # DagLook

    def dags(self, most: int) -> Sequence[Dag]:
        """All that our user sees, without their params. One request for each 100."""
        dags: list[Dag] = []
        while len(dags) < most:
            ask = partial(self._dags.get_dags, limit=PAGE, offset=len(dags))
            page = self._session.call(_with(ask))
            dags += map(_dag, page.dags)
            if not page.dags or len(dags) >= (page.total_entries or 0):
                break
        return dags[:most]

    def dag(self, dag_id: str) -> Dag | None:
        """The DAG of that name, without its params; None if there is none, or our user may not see it."""
        if not ID.fullmatch(dag_id):
            return None
        try:
            found = self._session.call(_with(partial(self._dags.get_dag, dag_id)))
        except AirflowLoginRefused:
            return None
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise
        gone = found.is_stale and not found.has_import_errors  # its file is; Airflow only remembers it
        return None if gone else _dag(found)

    def import_errors(self) -> Sequence[str]:
        """The files that can't be imported, each with the last line of its error."""
        api = ImportErrorApi(self._session.api)
        found = self._session.call(lambda options: api.get_import_errors(limit=MOST_ERRORS, **options))
        return [f"{each.filename}: {_last_line(each.stack_trace)}" for each in found.import_errors]

    def pools(self) -> frozenset[str]:
        """The pools that there are."""
        api = PoolApi(self._session.api)
        names: list[str] = []
        for _ in range(MOST_PAGES):
            page = self._session.call(_with(partial(api.get_pools, limit=PAGE, offset=len(names))))
            names += [each.name for each in page.pools]
            if not page.pools or len(names) >= (page.total_entries or 0):
                break
        return frozenset(names)

    def pools_of(self, dag_id: str) -> frozenset[str]:
        """The pools that the tasks of a DAG want."""
        api = TaskApi(self._session.api)
        found = self._session.call(lambda options: api.get_tasks(dag_id, **options))
        return frozenset(each.pool for each in found.tasks if each.pool)

    def _plain(self, path: str) -> tuple[int, Mapping[str, str], object]:
        """Status, headers and JSON (None if it is none) of a page that needs no login."""
        try:
            answer = self._session.api.call_api(
                "GET", f"{self._session.url}{path}", {"Accept": "application/json"}, _request_timeout=_TIMEOUT
            )
            body: bytes = answer.response.data
        except urllib3.exceptions.HTTPError as error:
            raise self._session.unavailable(error) from error
        headers = answer.response.headers
        try:
            return answer.status, headers, json.loads(body)
        except ValueError:
            return answer.status, headers, None


def _with(ask: Callable[..., _T]) -> Callable[[dict[str, Any]], _T]:
    """A request as a session wants it."""
    return lambda options: ask(**options)


def _dag(found: DAGResponse) -> Dag:
    return Dag(
        id=found.dag_id,
        tags=frozenset(tag.name for tag in found.tags),
        paused=found.is_paused,
        params={},
        import_error=found.has_import_errors,
    )


def _last_line(text: str | None) -> str:
    lines = (text or "").strip().splitlines()
    return lines[-1].strip()[:_LONGEST_ERROR] if lines else "Airflow does not say why"
