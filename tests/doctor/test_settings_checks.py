from __future__ import annotations

import pytest

from bot.doctor import Verdict, examine
from bot.doctor.settings import NEEDED, judge_problems, judge_secrets, without_settings
from bot.settings.known import KNOWN
from tests.doctor.findings import said, verdicts


def test_each_problem_is_a_finding() -> None:
    found = judge_problems(["PREFLIGHT_NAME is wrong", "PREFLIGHT_LISTEN must be HOST:PORT"])

    assert verdicts(found) == ["broken", "broken"]
    assert "PREFLIGHT_LISTEN must be HOST:PORT" in said(found)
    assert verdicts(judge_problems([])) == ["ok"]


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        pytest.param(["f" * 64], ["ok"], id="long"),
        pytest.param(["f" * 64, "short"], ["warning"], id="one is short"),
        pytest.param([], ["skipped"], id="none"),
    ],
)
def test_a_secret_that_can_be_guessed(secrets: list[str], expected: list[str]) -> None:
    found = judge_secrets(secrets)

    assert verdicts(found) == expected
    assert "short" not in said(found)


@pytest.mark.parametrize(
    ("problem", "parts"),
    [
        pytest.param("PREFLIGHT_LISTEN must be HOST:PORT", set(), id="nobody's"),
        pytest.param("PREFLIGHT_DATABASE_URL is missing: ...", {"database", "worker"}, id="database"),
        pytest.param("PREFLIGHT_AIRFLOW_PASSWORD_FILE: /x can't be read", {"airflow"}, id="a secret's file"),
        pytest.param("PREFLIGHT_AIRFLOW_WEB_URL is not an address", set(), id="not needed"),
        pytest.param(
            "set PREFLIGHT_GITHUB_TOKEN or PREFLIGHT_GITHUB_APP_ID",
            {"github", "repositories"},
            id="two of one",
        ),
        pytest.param(
            "PREFLIGHT_CONFIG: /x can't be read", {"github", "repositories"}, id="the operator's file"
        ),
        pytest.param("PREFLIGHT_PUBLIC_URL is missing", {"web"}, id="web"),
        pytest.param("PREFLIGHT_INBOX=pubsub needs PREFLIGHT_PUBSUB_PROJECT", {"pubsub"}, id="Pub/Sub"),
    ],
)
def test_the_parts_that_a_problem_leaves_without_settings(problem: str, parts: set[str]) -> None:
    assert {part for part in NEEDED if without_settings(part, [problem])} == parts


def test_such_a_part_is_skipped_and_says_why() -> None:
    check = without_settings("airflow", ["PREFLIGHT_AIRFLOW_URL is missing"])
    assert check is not None

    [finding] = examine([check], lambda text: text)

    assert (finding.part, finding.verdict) == ("airflow", Verdict.SKIPPED)
    assert "PREFLIGHT_AIRFLOW_URL" in finding.said


def test_the_settings_that_parts_need_are_settings() -> None:
    assert frozenset().union(*NEEDED.values()) <= KNOWN.keys()
