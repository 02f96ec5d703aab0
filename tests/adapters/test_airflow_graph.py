"""What follows what in a DAG."""

from __future__ import annotations

import pytest
from airflow_client.client.models.task_response import TaskResponse

from bot.adapters.airflow.graph import Graph, graph_of

GRAPH = Graph(
    {
        task: frozenset(following)
        for task, following in {
            "clone": ["lint", "test"],
            "lint": [],
            "test": ["publish"],
            "publish": [],
            "alone": [],
        }.items()
    }
)


def test_ranks_follow_the_longest_way() -> None:
    assert GRAPH.ranks == {"alone": 0, "clone": 0, "lint": 1, "test": 1, "publish": 2}


@pytest.mark.parametrize(
    ("task", "after"),
    [
        ("clone", {"lint", "test", "publish"}),
        ("test", {"publish"}),
        ("alone", set()),
        ("a task that it does not know", set()),
    ],
)
def test_what_comes_after_a_task_near_and_far(task: str, after: set[str]) -> None:
    assert GRAPH.after(task) == after


def test_teardowns_are_known_by_their_trigger_rule() -> None:
    def told(task_id: str, rule: str) -> TaskResponse:
        return TaskResponse.model_construct(task_id=task_id, downstream_task_ids=None, trigger_rule=rule)

    graph = graph_of([told("a", "all_success"), told("b", "all_done_setup_success"), told("c", "all_done")])
    assert graph.teardowns == {"b"}
    assert graph.following == {"a": frozenset(), "b": frozenset(), "c": frozenset()}
