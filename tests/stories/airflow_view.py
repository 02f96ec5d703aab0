"""What Airflow itself says: which DAG runs it has, whatever the bot believes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from tests.stories.databases import changed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from deploy.local.airflow import LocalAirflow

_SECONDS = 30.0
_PAGE = 100
_JSON = "application/json"


@dataclass(frozen=True)
class AirflowRun:
    """One DAG run."""

    dag_id: str
    id: str
    state: str
    conf: Mapping[str, Any]
    started_at: datetime | None
    ended_at: datetime | None


class AirflowView:
    """Reads one Airflow as its administrator."""

    def __init__(self, local: LocalAirflow) -> None:
        self.local = local
        self._session = requests.Session()
        self._session.trust_env = False

    def runs(self, prefix: str) -> list[AirflowRun]:
        """The DAG runs whose ids begin so, oldest first."""
        query = {"run_id_prefix_pattern": prefix, "order_by": "id", "limit": _PAGE}
        found = self._call("GET", "dags/~/dagRuns", params=query)["dag_runs"]
        assert len(found) < _PAGE
        return [_run(run) for run in found]

    def steps(self, run: AirflowRun) -> dict[str, str]:
        """The state of each step, by the name that people see."""
        return {name: str(step["state"]) for name, step in self._steps(run).items()}

    def tries(self, run: AirflowRun) -> dict[str, int]:
        """How often each step was begun, by the name that people see."""
        return {name: int(step["try_number"]) for name, step in self._steps(run).items()}

    def log(self, run: AirflowRun, name: str) -> str:
        """All that the last try of a step wrote, one line each."""
        step = self._steps(run)[name]
        path = f"{_path(run)}/taskInstances/{step['task_id']}/logs/{step['try_number']}"
        query = {"map_index": step["map_index"], "full_content": True}
        return "\n".join(str(line["event"]) for line in self._call("GET", path, params=query)["content"])

    def delete(self, run: AirflowRun) -> None:
        """Delete a DAG run, as an administrator may who tidies up."""
        self._call("DELETE", _path(run))

    def pause(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause a DAG."""
        self._call("PATCH", f"dags/{dag_id}?update_mask=is_paused", json={"is_paused": paused})

    def make_pool(self, name: str, slots: int) -> None:
        """Make a pool."""
        self._call("POST", "pools", json={"name": name, "slots": slots})

    def delete_pool(self, name: str) -> None:
        """Delete it again."""
        self._call("DELETE", f"pools/{quote(name)}")

    def clear(self, run: AirflowRun) -> None:
        """Let all steps of a DAG run that has ended run again."""
        wanted = {"dag_run_id": run.id, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        self._call("POST", f"dags/{run.dag_id}/clearTaskInstances", json=wanted)

    def age(self, run: AirflowRun, by: timedelta) -> None:
        """As if all that happened in a DAG run so far had happened so much earlier."""
        for change in (
            "UPDATE dag_run SET start_date = start_date - :by",
            "UPDATE task_instance SET start_date = start_date - :by, end_date = end_date - :by",
        ):
            self._change(f"{change} WHERE dag_id = :dag AND run_id = :run", by=by, dag=run.dag_id, run=run.id)

    def age_scheduler(self, by: timedelta) -> None:
        """As if a scheduler that is down had last been heard of so much earlier."""
        self._change(
            "UPDATE job SET latest_heartbeat = latest_heartbeat - :by WHERE job_type = 'SchedulerJob'", by=by
        )

    def set_variable(self, key: str, value: str) -> None:
        """Make a Variable, which only a rendered template would show."""
        self._call("POST", "variables", json={"key": key, "value": value})

    def _steps(self, run: AirflowRun) -> dict[str, Any]:
        found = self._call("GET", f"{_path(run)}/taskInstances")["task_instances"]
        return {_name(step): step for step in found}

    def _change(self, statement: str, **values: object) -> None:
        assert changed(self.local.settings.database_url, statement, **values) > 0

    def _call(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON is what it is
        if "Authorization" not in self._session.headers:
            self._log_in()
        response = self._session.request(
            method,
            f"{self.local.url}/api/v2/{path}",
            headers={"Accept": _JSON},
            timeout=_SECONDS,
            **more,
        )
        response.raise_for_status()
        return response.json() if response.content else None

    def _log_in(self) -> None:
        login = {"username": "admin", "password": self.local.settings.secrets.admin_password}
        response = self._session.post(f"{self.local.url}/auth/token", json=login, timeout=_SECONDS)
        response.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"


def _name(step: Mapping[str, Any]) -> str:
    """What people call the step; a mapped one has no name of its own before it has begun."""
    index = step["map_index"]
    if step["rendered_map_index"] in (None, "", str(index)):
        return str(step["task_id"]) + (f"[{index}]" if index >= 0 else "")
    return str(step["rendered_map_index"])


def _run(found: Mapping[str, Any]) -> AirflowRun:
    return AirflowRun(
        found["dag_id"],
        found["dag_run_id"],
        found["state"],
        found["conf"],
        _time(found["start_date"]),
        _time(found["end_date"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _path(run: AirflowRun) -> str:
    return f"dags/{run.dag_id}/dagRuns/{run.id}"
