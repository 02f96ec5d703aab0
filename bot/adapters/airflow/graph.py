"""A DAG's tasks and what follows each, as the DAG is now."""

from __future__ import annotations

import graphlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_client.client.models.task_response import TaskResponse

TEARDOWN_RULE = "all_done_setup_success"
"""The trigger rule that all teardowns have, and nothing else; Airflow's API has no other sign of them."""


@dataclass(frozen=True)
class Graph:
    """`following` maps each task to those directly after it; `teardowns` are the tasks that clean up.

    `pools` says in which pool each task takes its place.
    """

    following: Mapping[str, frozenset[str]]
    teardowns: frozenset[str] = frozenset()
    pools: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Each task's rank: 0 if it waits for none, 1 if it waits for those only, and so on."""
        sorter = graphlib.TopologicalSorter[str]()
        for task, following in self.following.items():
            sorter.add(task)
            for after in following:
                sorter.add(after, task)
        sorter.prepare()
        ranks: dict[str, int] = {}
        rank = 0
        while sorter.is_active():
            ready = sorter.get_ready()
            ranks |= dict.fromkeys(ready, rank)
            sorter.done(*ready)
            rank += 1
        return ranks

    @property
    def before(self) -> Mapping[str, frozenset[str]]:
        """The tasks directly before each."""
        found: dict[str, set[str]] = {task: set() for task in self.following}
        for task, following in self.following.items():
            for after in following:
                found.setdefault(after, set()).add(task)
        return {task: frozenset(tasks) for task, tasks in found.items()}

    def after(self, task_id: str) -> frozenset[str]:
        """All tasks that come after that one, near and far."""
        found: set[str] = set()
        waiting = list(self.following.get(task_id, ()))
        while waiting:
            task = waiting.pop()
            if task not in found:
                found.add(task)
                waiting += self.following.get(task, ())
        return frozenset(found)


def graph_of(tasks: Iterable[TaskResponse]) -> Graph:
    """The graph that Airflow's API tells."""
    known = list(tasks)
    return Graph(
        following={str(task.task_id): frozenset(task.downstream_task_ids or ()) for task in known},
        teardowns=frozenset(str(task.task_id) for task in known if task.trigger_rule == TEARDOWN_RULE),
        pools={str(task.task_id): task.pool for task in known if task.pool},
    )
