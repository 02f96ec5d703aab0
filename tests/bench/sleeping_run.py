"""A run of `checks` whose steps sleep: what Airflow would say about it at a given moment."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

DAG = "checks"
CLONE_SECONDS = 1.0
_SLEEP = re.compile(r"sleep (\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class SleepingRun:
    """`clone`, then all steps at once. Times are seconds since 1970."""

    dag_run_id: str
    conf: Mapping[str, Any]
    began_at: float
    sleeps: Mapping[str, float]
    """Seconds, by the step's name."""

    @classmethod
    def begin(cls, dag_run_id: str, conf: Mapping[str, Any], now: float) -> SleepingRun:
        """Begin one; ValueError for a command that is more than a sleep."""
        return cls(dag_run_id, conf, now, {name: _seconds(text) for name, text in conf["steps"].items()})

    @property
    def ended_at(self) -> float:
        """When all steps will have ended."""
        return self.began_at + CLONE_SECONDS + max(self.sleeps.values())

    def as_dag_run(self, now: float) -> Json:
        """As Airflow lists runs."""
        over = now >= self.ended_at
        return {
            "dag_id": DAG,
            "dag_display_name": DAG,
            "dag_run_id": self.dag_run_id,
            "dag_versions": [],
            "conf": self.conf,
            "run_type": "manual",
            "run_after": _time(self.began_at),
            "start_date": _time(self.began_at),
            "end_date": _time(self.ended_at) if over else None,
            "state": "success" if over else "running",
        }

    def as_instances(self, now: float) -> Iterator[Json]:
        """As Airflow lists task instances: the steps are known once the clone has ended."""
        begin = self.began_at + CLONE_SECONDS
        yield self._instance("clone", -1, None, (self.began_at, begin), now)
        if now < begin:
            yield self._instance("step", -1, None, None, now)
            return
        for index, (name, seconds) in enumerate(self.sleeps.items()):
            yield self._instance("step", index, name, (begin, begin + seconds), now)

    def xcom(self, task_id: str, map_index: int) -> Json:
        """What a step hands on, as our operator writes it."""
        command = "git fetch" if task_id == "clone" else f"sleep {list(self.sleeps.values())[map_index]:g}"
        return {"version": 1, "exit_code": 0, "reason": "", "reproduce": command, "argv": ""}

    def hints(self) -> Iterator[tuple[float, Json]]:
        """What our plugin would tell the bot, and when."""
        begin = self.began_at + CLONE_SECONDS
        yield self.began_at, self._hint("running")
        yield self.began_at, self._hint("running", "clone")
        yield begin, self._hint("success", "clone")
        for index, seconds in enumerate(self.sleeps.values()):
            yield begin, self._hint("running", "step", index)
            yield begin + seconds, self._hint("success", "step", index)
        yield self.ended_at, self._hint("success")

    def _hint(self, state: str, task_id: str | None = None, map_index: int | None = None) -> Json:
        place = {"task_id": task_id, "map_index": map_index, "try_number": 1 if task_id else None}
        return {"dag_id": DAG, "dag_run_id": self.dag_run_id, **place, "state": state}

    def _instance(
        self, task_id: str, map_index: int, name: str | None, span: tuple[float, float] | None, now: float
    ) -> Json:
        """One task instance that runs from the first moment of the span to the second; never without one."""
        begun, ended = span is not None and now >= span[0], span is not None and now >= span[1]
        key = f"{self.dag_run_id} {task_id} {map_index}"
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, key)),
            "dag_id": DAG,
            "dag_display_name": DAG,
            "dag_run_id": self.dag_run_id,
            "task_id": task_id,
            "task_display_name": task_id,
            "map_index": map_index,
            "rendered_map_index": name,
            "state": "success" if ended else "running" if begun else None,
            "try_number": int(begun),
            "max_tries": 2,
            "start_date": _time(span[0]) if span and begun else None,
            "end_date": _time(span[1]) if span and ended else None,
            "run_after": _time(self.began_at),
            "executor_config": "{}",
            "pool": "default_pool",
            "pool_slots": 1,
        }


def _seconds(command: str) -> float:
    found = _SLEEP.fullmatch(command)
    if found is None:
        raise ValueError(f"only sleeping is possible here: {command!r}")
    return float(found[1])


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
