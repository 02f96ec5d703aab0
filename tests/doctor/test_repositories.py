from __future__ import annotations

from dataclasses import replace

import pytest

from bot.doctor import Verdict, examine
from bot.doctor.repositories import Sources, describe, judge_served, named, repository_checks
from bot.errors import AirflowUnavailable, DagNotFound, GitHubNotFound, GitHubRefused
from bot.models import Dag, Quota, Repository
from bot.models.doctor import Knock, SeenRepository
from bot.policy.configuration import PATH, SHARED_PATH, UNKNOWN
from bot.policy.operator import Operator, Serve
from tests.doctor.findings import ailing, said, verdicts
from tests.fakes.github import FakeGitHub

ACME = Repository(7, "acme/app")
CHECKS = Dag("checks", frozenset({"preflight"}), paused=False, params={"commands": {}})
OPERATOR = Operator((Serve(("acme/app", "acme/lib-*")), Serve(("beta/*",))))
GOOD = b"pipelines:\n  unit: {dag: checks}\n"


def airflow(dag_id: str) -> Dag:
    if dag_id == "down":
        raise AirflowUnavailable("no answer")
    known = {"checks": CHECKS, "paused": replace(CHECKS, id="paused", paused=True)}
    known["broken"] = replace(CHECKS, id="broken", import_error=True)
    known["other"] = replace(CHECKS, id="other", tags=frozenset())
    if dag_id not in known:
        raise DagNotFound(dag_id)
    return known[dag_id]


def test_repositories_by_their_whole_name() -> None:
    assert named(OPERATOR) == ["acme/app"]
    assert named(Operator((Serve(("a/b", "a/[xy]", "a/b", "c/d?", "e/f")),))) == ["a/b", "e/f"]


@pytest.mark.parametrize(
    ("operator", "names", "verdict", "words"),
    [
        pytest.param(OPERATOR, ["acme/app"], "ok", "1 by name", id="by name"),
        pytest.param(OPERATOR, [], "skipped", "acme/app, acme/lib-*, beta/*", id="by pattern"),
        pytest.param(Operator((Serve(),)), [], "skipped", "the App owner's", id="the App owner's"),
        pytest.param(Operator(), [], "broken", "no repository is served", id="none"),
        pytest.param(OPERATOR, [str(n) for n in range(40)], "ok", "30 are looked at", id="many"),
    ],
)
def test_what_is_served(operator: Operator, names: list[str], verdict: str, words: str) -> None:
    found = judge_served(operator, names)

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize(
    ("dag_id", "expected"),
    [
        pytest.param("checks", CHECKS, id="fine"),
        pytest.param("missing", "DAG 'missing' is not in Airflow", id="missing"),
        pytest.param("paused", "DAG 'paused' is paused in Airflow", id="paused"),
        pytest.param("broken", "DAG 'broken' can't be imported by Airflow", id="broken"),
        pytest.param("other", "DAG 'other' is not allowed: it has no tag 'preflight'", id="not allowed"),
        pytest.param("down", UNKNOWN, id="nobody knows"),
    ],
)
def test_a_dag_that_a_configuration_names(dag_id: str, expected: object) -> None:
    assert describe(airflow, OPERATOR, ACME, dag_id) == expected


class FakeLook:
    """GitHub, as it shows one repository or refuses to."""

    def __init__(self, seen: SeenRepository | Exception) -> None:
        self.seen = seen

    def knock(self) -> Knock:
        return Knock(genuine=True)

    def repository(self, full_name: str) -> SeenRepository:
        del full_name
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


SEEN = SeenRepository(repository=ACME, default_branch="main")


def findings(
    seen: SeenRepository | Exception = SEEN,
    files: dict[str, bytes] | None = None,
    quota: Quota | None = None,
    shared: bytes | None = None,
) -> dict[str, str]:
    """What is said of acme/app, and what to do, by verdict."""
    github = FakeGitHub()
    github.put_tip(ACME, "main", "c0ffee", {PATH: GOOD} if files is None else files)
    if shared is not None:
        github.put_shared_file("acme", SHARED_PATH, shared)
    sources = Sources(
        look=FakeLook(seen), github=github, quota=lambda _: quota, dag=airflow, operator=lambda: OPERATOR
    )
    found = examine(repository_checks(sources, OPERATOR), lambda text: text)
    assert ailing(found) <= {"repositories.acme/app"}
    mine = [one for one in found if one.name == "acme/app"]
    return {
        verdict.value: "\n".join(f"{one.said} > {one.mend}" for one in mine if one.verdict is verdict)
        for verdict in {one.verdict for one in mine}
    }


def test_one_that_is_in_order() -> None:
    assert findings() == {"ok": ".github/preflight.yaml: unit > "}


def test_the_owners_configuration_holds_where_there_is_no_own() -> None:
    assert findings(files={}, shared=GOOD) == {"ok": "acme/.github:preflight.yaml: unit > "}


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        pytest.param(GitHubNotFound("404"), "broken", "GitHub has no acme/app", id="hidden"),
        pytest.param(GitHubRefused("the App is not installed"), "broken", "not installed", id="no access"),
        pytest.param(
            replace(SEEN, repository=Repository(7, "acme/new")),
            "broken",
            "acme/app is called acme/new now, and that is not served",
            id="renamed",
        ),
        pytest.param(replace(SEEN, archived=True), "warning", "archived", id="archived"),
        pytest.param(RuntimeError("odd"), "broken", "nobody expected", id="an error that nobody expected"),
    ],
)
def test_one_that_github_does_not_show_as_it_should(
    seen: SeenRepository | Exception, verdict: str, words: str
) -> None:
    assert words in findings(seen)[verdict]


@pytest.mark.parametrize(
    ("configuration", "verdict", "words"),
    [
        pytest.param(None, "warning", "has no .github/preflight.yaml on main", id="none"),
        pytest.param(b"pipelines: {}", "warning", "no pipelines", id="empty"),
        pytest.param(b"pipelines:\n  unit: {dga: checks}\n", "broken", "did you mean 'dag'?", id="misspelt"),
        pytest.param(b"pipelines: [", "broken", "not valid YAML", id="no YAML"),
        pytest.param(b"pipelines:\n  unit: {dag: nope}\n", "broken", "'nope' is not in Airflow", id="no DAG"),
        pytest.param(b"pipelines:\n  unit: {dag: paused}\n", "broken", "is paused in Airflow", id="paused"),
        pytest.param(b"pipelines:\n  unit: {dag: other}\n", "broken", "is not allowed", id="not allowed"),
        pytest.param(
            b"pipelines:\n  unit: {dag: checks, params: {x: 1}}\n",
            "broken",
            "no param 'x'",
            id="no such param",
        ),
        pytest.param(b"pipelines:\n  unit: {dag: down}\n", "ok", "unit", id="Airflow does not say"),
    ],
)
def test_its_configuration(configuration: bytes | None, verdict: str, words: str) -> None:
    found = findings(files={} if configuration is None else {PATH: configuration})

    assert list(found) == [verdict]
    assert words in found[verdict]


def test_its_quota_is_told_where_it_is_known() -> None:
    assert "10 of 5000 requests" in findings(quota=Quota(5000, 10, 60.0))["warning"]


def test_one_that_somebody_asks_about_need_not_be_served_to_be_looked_at() -> None:
    sources = Sources(
        look=FakeLook(replace(SEEN, repository=Repository(9, "gamma/x"))),
        github=FakeGitHub(),
        quota=lambda _: None,
        dag=airflow,
        operator=lambda: OPERATOR,
    )

    found = examine(repository_checks(sources, Operator(), ["gamma/x"]), lambda text: text)

    assert "gamma/x is not served" in {one.said for one in found if one.verdict is Verdict.BROKEN}
