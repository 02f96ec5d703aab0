"""Configurations and DAGs: what Airflow would refuse, or take without a word, is said at once."""

from __future__ import annotations

import pytest

from bot.models import Dag
from bot.policy.configuration import UNKNOWN, ConfigurationError, Unknown, check_dags, parse

SCHEMAS: dict[str, dict[str, object]] = {
    "steps": {"type": "object"},
    "image": {"type": ["string", "null"]},
    "retries": {"type": "integer"},
    "ratio": {"type": "number"},
    "cluster": {"enum": ["kind", "gke"]},
    "anything": {},
}
CHECKS = Dag("checks", frozenset({"preflight"}), paused=False, params=SCHEMAS)


def problems(pipeline: str, described: Dag | Unknown | str = CHECKS) -> list[tuple[int, str]]:
    """The line and text of each problem with a pipeline whose keys are on lines of their own, from line 3."""
    lines = "".join(f"    {line}\n" for line in pipeline.splitlines())
    try:
        check_dags(parse(f"pipelines:\n  unit:\n{lines}".encode(), "x.yaml"), lambda _: described)
    except ConfigurationError as error:
        return [(problem.line, problem.text) for problem in error.problems if problem.source == "x.yaml"]
    return []


@pytest.mark.parametrize(
    "pipeline",
    [
        "dag: checks",
        "dag: checks\nparams: {steps: {a: b}, image: x, retries: 3, ratio: 1, cluster: kind, anything: [1]}",
        "dag: checks\nparams: {image: null, ratio: 0.5}",
        "dag: checks\ninputs: {image: {}, retries: {type: integer}, ratio: {type: integer}}",
        "dag: checks\ninputs: {anything: {type: boolean}, cluster: {choices: [kind], default: kind}}",
    ],
)
def test_fine_ones(pipeline: str) -> None:
    assert problems(pipeline) == []


@pytest.mark.parametrize(
    ("pipeline", "line", "says"),
    [
        ("dag: checks\nparams:\n  step: {}", 5, "DAG 'checks' has no param 'step': did you mean 'steps'?"),
        ("dag: checks\nparams:\n  zzz: {}", 5, "has no param 'zzz': there are anything, cluster, image"),
        ("dag: checks\nparams:\n  steps: text", 5, "'pipelines.unit.params.steps': must be object"),
        ("dag: checks\nparams:\n  retries: '3'", 5, "must be integer, as the DAG's param is, not string"),
        ("dag: checks\nparams:\n  retries: true", 5, "not boolean"),
        ("dag: checks\nparams:\n  retries: 1.5", 5, "not number"),
        ("dag: checks\nparams:\n  image: []", 5, "must be null or string"),
        ("dag: checks\nparams:\n  cluster: eks", 5, 'must be one of "kind", "gke"'),
        ("dag: checks\ninputs:\n  imag: {}", 5, "did you mean 'image'?"),
        ("dag: checks\ninputs:\n  retries: {}", 5, "must be integer, as the DAG's param is, not string"),
        ("dag: checks\ninputs:\n  retries: {type: number}", 5, "must be integer"),
        ("dag: checks\ninputs:\n  cluster:\n    default: eks", 6, "must be one of"),
        ("dag: checks\ninputs:\n  cluster:\n    choices: [kind, eks]", 6, "must be one of"),
    ],
)
def test_wrong_ones(pipeline: str, line: int, says: str) -> None:
    ((at, text),) = problems(pipeline)
    assert (at, says in text) == (line, True), text


def test_a_dag_that_is_refused_is_told_with_the_reason() -> None:
    assert problems("dag: checks\nparams:\n  zzz: 1", "DAG 'checks' is not allowed here") == [
        (3, "'pipelines.unit.dag': DAG 'checks' is not allowed here")
    ]


def test_a_dag_that_can_not_be_looked_at_is_no_problem() -> None:
    assert problems("dag: checks\nparams:\n  zzz: 1", UNKNOWN) == []


def test_each_dag_is_described_once() -> None:
    asked: list[str] = []

    def describe(dag_id: str) -> Unknown:
        asked.append(dag_id)
        return UNKNOWN

    check_dags(parse(b"pipelines: {a: {dag: x}, b: {dag: y}, c: {dag: x}}"), describe)
    assert asked == ["x", "y"]


def test_schemas_that_are_none_do_no_harm() -> None:
    schemas: dict[str, dict[str, object]] = {"x": {"type": 3, "enum": "abc"}, "y": {"type": [["a"], {}]}}
    odd = Dag("checks", frozenset(), paused=False, params=schemas)
    assert problems("dag: checks\nparams: {x: 1, y: 2}", odd) == []
