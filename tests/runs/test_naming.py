"""The same run always gets the same name in Airflow, and two never share one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runs.naming import dag_run_id, where
from tests.examples import REPOSITORY, branch, run, sha

if TYPE_CHECKING:
    from bot.models import Run

AIRFLOW = re.compile(r"[A-Za-z0-9_.~:+-]+")


def test_says_what_it_is() -> None:
    one = run(run_id="0" * 32)
    assert dag_run_id("demo", one, 1) == "preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~1"


def test_does_not_depend_on_the_runs_own_random_id() -> None:
    assert dag_run_id("demo", run(), 1) == dag_run_id("demo", run(), 1)


def of_branch(name: str) -> Run:
    return replace(run(number=branch(name).number), branch=name)


def test_a_branch_stands_where_the_number_would() -> None:
    one = of_branch("release/1.2")
    assert (
        dag_run_id("demo", one, 1) == "preflight~demo~acme~widgets~release-1.2:bacdc8a6~unit~1a2b3c4d5e6f~1"
    )


def other_repository(one: Run) -> Run:
    return replace(one, repository=replace(REPOSITORY, full_name="acme/gadgets"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(dag_run_id("prod", run(), 1), id="installation"),
        pytest.param(dag_run_id("demo", other_repository(run()), 1), id="repository"),
        pytest.param(dag_run_id("demo", run(number=1), 1), id="number"),
        pytest.param(dag_run_id("demo", run("docs"), 1), id="pipeline"),
        pytest.param(dag_run_id("demo", run(head_sha=sha(2)), 1), id="head"),
        pytest.param(dag_run_id("demo", run(), 2), id="attempt"),
    ],
)
def test_differs_with(other: str) -> None:
    assert dag_run_id("demo", run(), 1) != other


NAME = st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True)


@given(owner=NAME, name=NAME, pipeline=NAME, attempt=st.integers(1, 10**6), number=st.integers(1, 10**9))
def test_is_always_what_airflow_takes(
    owner: str, name: str, pipeline: str, attempt: int, number: int
) -> None:
    one = replace(run(pipeline, number=number), repository=replace(REPOSITORY, full_name=f"{owner}/{name}"))
    made = dag_run_id("x" * 32, one, attempt)
    assert AIRFLOW.fullmatch(made)
    assert len(made) <= 200
    assert made.startswith("preflight~")
    assert made.endswith(f"~{attempt}")
    assert one.head_sha[:12] in made


BRANCH = st.text(st.characters(exclude_characters="~^:?*[\\ ", exclude_categories=["Cc"]), min_size=1)


@given(BRANCH, NAME, st.integers(1, 10**6))
def test_is_what_airflow_takes_for_any_branch(name: str, pipeline: str, attempt: int) -> None:
    made = dag_run_id("x" * 32, replace(of_branch(name), pipeline=pipeline), attempt)
    assert AIRFLOW.fullmatch(made)
    assert len(made) <= 200
    assert made.endswith(f"~{attempt}")


@given(st.lists(BRANCH | st.sampled_from(["12", "a/b", "a-b", "A-b", "a+b", "x" * 80]), unique=True))
def test_branches_never_share_one_nor_do_they_with_a_pull_request(names: list[str]) -> None:
    runs = [run(number=12), *map(of_branch, names)]
    assert len({dag_run_id("demo", one, 1) for one in runs}) == len(runs)


@pytest.mark.parametrize(
    ("one", "expected"),
    [(run(), "acme/widgets#12"), (of_branch("main"), "acme/widgets@main")],
    ids=["pull request", "branch"],
)
def test_people_read_where_it_belongs(one: Run, expected: str) -> None:
    assert where(one) == expected


@given(st.lists(st.tuples(NAME, NAME, NAME), min_size=2, max_size=6, unique=True))
def test_is_never_shared(names: list[tuple[str, str, str]]) -> None:
    runs = [
        replace(run(pipeline), repository=replace(REPOSITORY, full_name=f"{o}/{n}"))
        for o, n, pipeline in names
    ]
    assert len({dag_run_id("demo", one, 1) for one in runs}) == len(runs)
