"""What decisions may know of DAGs: never more than Airflow tells at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import AirflowRefused, AirflowUnavailable, DagNotFound
from bot.models import Dag
from bot.policy.configuration import UNKNOWN
from bot.policy.operator import TAG

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.models import Repository
    from bot.policy.configuration import Unknown
    from bot.policy.operator import Operator
    from bot.ports import Clock

PATIENCE = timedelta(seconds=15)


class DagFacts:
    """Describes DAGs to the check of a configuration, as `bot.policy.configuration.check_dags` wants it.

    A decision does not wait for an Airflow that is down: what can't be asked is not checked, and the run
    itself will say what is wrong. After a failure nothing is asked for some seconds.
    """

    def __init__(self, dag: Callable[[str], Dag], operator: Callable[[], Operator], clock: Clock) -> None:
        self._dag = dag
        self.operator = operator
        self._clock = clock
        self._quiet_until: datetime | None = None

    def describe(self, repository: Repository, dag_id: str) -> Dag | Unknown | str:
        """The DAG, UNKNOWN if it can't be checked now, or why the repository may not run it."""
        listed = Dag(dag_id, frozenset({TAG}), paused=False, params={})
        refusal = self.operator().refuses(repository, listed)  # known without asking anybody
        if refusal is not None:
            return refusal
        if self._quiet_until is not None and self._clock() < self._quiet_until:
            return UNKNOWN
        try:
            dag = self._dag(dag_id)
        except (DagNotFound, AirflowRefused):
            return UNKNOWN
        except AirflowUnavailable:
            self._quiet_until = self._clock() + PATIENCE
            return UNKNOWN
        return self.operator().refuses(repository, dag) or dag
