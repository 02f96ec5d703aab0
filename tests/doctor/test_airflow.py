from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.doctor import Verdict, examine
from bot.doctor.airflow import airflow_checks, judge_answer, judge_health, judge_plugins
from bot.doctor.dags import MOST, MOST_POOLS, dag_checks, judge_dags, judge_imports, judge_pools
from bot.errors import AirflowLoginRefused, AirflowUnavailable
from bot.models import Dag
from bot.models.doctor import Knock
from bot.policy.operator import Operator, Serve
from tests.doctor.findings import ailing, said, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

URL = "http://airflow:8080"
WELL = {"metadatabase": "healthy", "scheduler": "healthy", "triggerer": "None", "dag_processor": "healthy"}
TAGGED = (Serve(("acme/*",)),)
NOW = {"date": "Mon, 02 Nov 2026 12:00:00 GMT", "at": 1793620800.5}


def dag(dag_id: str, *, tag: str = "preflight", paused: bool = False, broken: bool = False) -> Dag:
    return Dag(dag_id, frozenset({tag}), paused, {}, broken)


def listing(*patterns: str) -> tuple[Serve, ...]:
    return (Serve(("acme/*",), patterns),)


OTHERS = [dag(f"other-{number}", tag="y") for number in range(MOST)]


@pytest.mark.parametrize(
    ("version", "verdict", "words"),
    [
        pytest.param("3.3.0", "ok", "Airflow 3.3.0", id="supported"),
        pytest.param("3.3.2rc1", "ok", "3.3.2rc1", id="a candidate"),
        pytest.param("3.2.1", "broken", "Upgrade", id="older"),
        pytest.param("3.10.0", "warning", "tested with 3.3", id="newer"),
        pytest.param("4.0.0", "broken", "needs Airflow 3.3", id="another major release"),
        pytest.param("2.11.0", "broken", "needs Airflow 3.3", id="Airflow 2"),
        pytest.param("", "broken", "unknown version", id="says nothing"),
    ],
)
def test_the_version(version: str, verdict: str, words: str) -> None:
    found = judge_answer(Knock(genuine=True, version=version), URL)

    assert verdicts(found) == [verdict]
    assert words in said(found)


def test_something_else_that_answers() -> None:
    assert "PREFLIGHT_AIRFLOW_URL" in said(judge_answer(Knock(genuine=False), URL))


@pytest.mark.parametrize(
    ("changed", "expected", "words"),
    [
        pytest.param({}, ["ok"], "healthy", id="all well; nobody needs a triggerer"),
        pytest.param({"scheduler": "unhealthy"}, ["broken"], "airflow scheduler", id="scheduler"),
        pytest.param({"dag_processor": "None"}, ["broken"], "airflow dag-processor", id="DAG processor"),
        pytest.param({"metadatabase": "unhealthy"}, ["broken"], "database", id="database"),
        pytest.param(
            {"scheduler": "unhealthy", "dag_processor": "unhealthy"}, ["broken", "broken"], "no run", id="two"
        ),
    ],
)
def test_health(changed: dict[str, str], expected: list[str], words: str) -> None:
    found = judge_health(WELL | changed)

    assert verdicts(found) == expected
    assert words in said(found)


@pytest.mark.parametrize(
    ("plugins", "nudged", "verdict"),
    [
        pytest.param({"preflight_listener"}, True, "ok", id="there"),
        pytest.param({"other"}, True, "warning", id="missing"),
        pytest.param(set(), False, "skipped", id="nobody wants it"),
    ],
)
def test_the_plugin(*, plugins: set[str], nudged: bool, verdict: str) -> None:
    assert verdicts(judge_plugins(frozenset(plugins), nudged=nudged)) == [verdict]


@pytest.mark.parametrize(
    ("dags", "serves", "expected", "words"),
    [
        pytest.param([dag("checks")], TAGGED, ["ok"], "may run checks", id="tagged"),
        pytest.param([dag("x", tag="y")], TAGGED, ["broken"], "no DAG in Airflow has the tag", id="no tag"),
        pytest.param([], TAGGED, ["broken"], "Deploy this repository's dags/", id="no DAGs"),
        pytest.param([dag("checks")], listing("checks"), ["ok"], "checks", id="listed"),
        pytest.param([dag("a")], listing("a", "b"), ["broken"], "'b'", id="a listed one is missing"),
        pytest.param([dag("a")], listing("a", "e2e-*"), ["warning"], "'e2e-*'", id="a pattern fits none"),
        pytest.param([dag("e2e-1")], listing("e2e-*"), ["ok"], "e2e-1", id="a pattern"),
        pytest.param([dag("a", paused=True)], listing("a"), ["broken"], "unpause a", id="paused"),
        pytest.param([dag("a", paused=True)], TAGGED, ["warning"], "unpause a", id="paused by tag only"),
        pytest.param([dag("a", broken=True)], TAGGED, ["broken"], "can't be imported", id="import error"),
        pytest.param(
            [dag("a", paused=True, tag="y"), dag("b")], TAGGED, ["ok"], "b", id="others are nobody's business"
        ),
        pytest.param([dag(f"d{number}") for number in range(9)], TAGGED, ["ok"], "d4 and 4 more", id="many"),
        pytest.param(
            OTHERS, TAGGED, ["warning"], "among Airflow's first 1000 has the tag", id="more, no tag"
        ),
        pytest.param(
            OTHERS, listing("e2e-*"), ["warning"], "first 1000 is called like", id="more, a pattern"
        ),
    ],
)
def test_dags(dags: list[Dag], serves: Sequence[Serve], expected: list[str], words: str) -> None:
    found = judge_dags(dags, serves)

    assert verdicts(found) == expected
    assert words in said(found)


def test_a_dag_that_is_named_is_found_wherever_it_is_listed() -> None:
    look = FakeLook()
    look.there = [*OTHERS, dag("wanted", paused=True)]
    checks = dag_checks(look, look, Operator(listing("wanted", "nowhere")))

    findings = examine([check for check in checks if check.name == "dags"], lambda text: text)

    assert [one.said for one in findings] == [
        "the DAG 'nowhere', which the operator allows, is not in Airflow",
        "the DAG 'wanted' is paused: runs of it are refused",
    ]


def test_import_errors() -> None:
    assert verdicts(judge_imports([])) == ["ok"]
    found = judge_imports(["a.py: SyntaxError: x", "b.py: y"])
    assert verdicts(found) == ["warning"]
    assert "a.py: SyntaxError: x (and 1 more)" in said(found)


def test_pools() -> None:
    there = frozenset({"default_pool", "gpu"})
    wanted = {"a": frozenset({"default_pool"}), "b": frozenset({"gpu", "tpu"})}

    assert verdicts(judge_pools(there, wanted | {"b": frozenset({"gpu"})}, 2)) == ["ok"]
    found = judge_pools(there, wanted, 2)
    assert verdicts(found) == ["broken"]
    assert "DAG 'b' wants the pool 'tpu'" in said(found)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(MOST_POOLS, "all pools that DAGs want exist", id="all"),
        pytest.param(MOST_POOLS + 1, "all pools that the first 30 of 31 DAGs want exist", id="more"),
    ],
)
def test_pools_of_so_many_dags_as_were_asked_about(number: int, words: str) -> None:
    look = FakeLook()
    look.there = [dag(f"d{each}") for each in range(number)] + [dag("broken", broken=True)]
    checks = dag_checks(look, look, Operator(TAGGED))

    findings = examine([check for check in checks if check.name == "pools"], lambda text: text)

    assert [one.said for one in findings] == [words]


class FakeLook:
    """An Airflow in order, but for what a test changes. `hidden` are calls that our user may not make."""

    def __init__(self) -> None:
        self.knocked: Knock | None = Knock(genuine=True, version="3.3.2", **NOW)  # type: ignore[arg-type]
        self.parts: Mapping[str, str] = WELL
        self.known = True
        self.triggers = True
        self.there: list[Dag] = [dag("checks")]
        self.wanted = frozenset({"default_pool"})
        self.hidden: frozenset[str] = frozenset()
        self.loaded = frozenset({"preflight_listener"})
        self.unimportable: list[str] = []

    def knock(self) -> Knock:
        if self.knocked is None:
            raise AirflowUnavailable("no connection")
        return self.knocked

    def log_in(self) -> None:
        if not self.known:
            raise AirflowLoginRefused("wrong password")

    def health(self) -> Mapping[str, str]:
        return self.parts

    def may_trigger(self, dag_id: str) -> bool:
        assert dag_id == "checks"
        return self.triggers

    def plugins(self) -> frozenset[str]:
        self._see("plugins")
        return self.loaded

    def dags(self, most: int) -> list[Dag]:
        return self.there[:most]

    def dag(self, dag_id: str) -> Dag | None:
        return next((each for each in self.there if each.id == dag_id), None)

    def import_errors(self) -> list[str]:
        self._see("import_errors")
        return self.unimportable

    def pools(self) -> frozenset[str]:
        self._see("pools")
        return frozenset({"default_pool"})

    def pools_of(self, dag_id: str) -> frozenset[str]:
        assert dag_id != "broken"
        return self.wanted

    def _see(self, what: str) -> None:
        if what in self.hidden:
            raise AirflowLoginRefused("may not")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"knocked": None}, {"airflow.answers"}, id="down"),
        pytest.param({"knocked": Knock(genuine=False)}, {"airflow.answers"}, id="something else"),
        pytest.param(
            {"knocked": Knock(genuine=True, version="3.3.2", date=str(NOW["date"]), at=0.0)},
            {"airflow.clock"},
            id="a wrong clock",
        ),
        pytest.param({"known": False}, {"airflow.login"}, id="a wrong password"),
        pytest.param({"parts": WELL | {"scheduler": "unhealthy"}}, {"airflow.health"}, id="no scheduler"),
        pytest.param({"triggers": False}, {"airflow.trigger"}, id="a role that may not trigger"),
        pytest.param({"there": []}, {"airflow.dags"}, id="no DAGs"),
        pytest.param({"unimportable": ["x.py: error"]}, {"airflow.imports"}, id="a broken file"),
        pytest.param({"wanted": frozenset({"gpu"})}, {"airflow.pools"}, id="no such pool"),
        pytest.param({"loaded": frozenset()}, {"airflow.plugin"}, id="no plugin"),
        pytest.param(
            {"hidden": frozenset({"plugins", "import_errors", "pools"})},
            set(),
            id="what our user may not see",
        ),
    ],
)
def test_each_fault_is_found_by_the_check_that_names_it(
    changed: dict[str, object], expected: set[str]
) -> None:
    look = FakeLook()
    for name, value in changed.items():
        setattr(look, name, value)
    checks = [*airflow_checks(look, URL, nudged=True), *dag_checks(look, look, Operator(TAGGED))]

    findings = examine(checks, lambda text: text)

    assert ailing(findings) == expected
    if "hidden" in changed:
        assert sum(one.verdict is Verdict.SKIPPED for one in findings) == 3
