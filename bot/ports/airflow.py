"""What runs and pages need from Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from bot.models import Conditions, Dag, DagRun, LogLine, RunRef, Step


class DagTrigger(Protocol):
    """What starting and stopping a run needs from Airflow.

    Raises AirflowUnavailable where a retry may help, AirflowRefused and its children where not.
    """

    def dag(self, dag_id: str) -> Dag:
        """The DAG's description, at most a minute old; DagNotFound if there is none."""
        ...

    def trigger(self, ref: RunRef, conf: Mapping[str, object], note: str) -> bool:
        """Create the DAG run. False if one of that id exists already; ParamsRefused for a bad conf."""
        ...

    def conf(self, ref: RunRef) -> Mapping[str, object]:
        """The conf that the existing DAG run was created with; DagRunNotFound if it is gone."""
        ...

    def cancel(self, ref: RunRef) -> None:
        """Stop the DAG run; stopping one that has ended is harmless; DagRunNotFound if it is gone."""
        ...

    def resume(self, ref: RunRef, known: Sequence[Step]) -> None:
        """Run again, in the DAG run that has ended, every step that did not succeed; not those that did.

        Setup and teardown run again with the steps that they belong to. `known` are the steps as they were
        when it ended: where a step of the DAG run has been tried again since then, or the DAG run goes on,
        it was resumed already and nothing is done. DagRunNotFound if it is gone.
        """
        ...


class StepWatcher(Protocol):
    """Whether a step is what it says it is. Raises as DagTrigger does."""

    def is_running(self, ref: RunRef, task_id: str, try_number: int) -> bool:
        """Whether that very try of the task (one that is not mapped) runs at this moment."""
        ...


class ConditionReader(Protocol):
    """Why runs may stand still in Airflow."""

    def conditions(self, dag_ids: Collection[str]) -> Conditions:
        """What Airflow says of itself and of those DAGs, at most a minute old, in few calls.

        What our role may not see is left out; AirflowUnavailable where Airflow does not answer.
        """
        ...


class DagRunReader(Protocol):
    """What following runs needs from Airflow. Raises as DagTrigger does."""

    def look(self, refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        """Many runs in few calls, each with its steps; None for a run that Airflow does not have."""
        ...

    def log(self, ref: RunRef, step: Step) -> Iterator[LogLine]:
        """The log of the step's last try as a stream; bounded by the reader, who may stop at any line."""
        ...

    def xcom(self, ref: RunRef, step: Step, key: str) -> object | None:
        """The value that the step handed on under `key`, None if there is none."""
        ...
