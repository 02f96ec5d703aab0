from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import pytest

from bot.doctor import Verdict, examine
from bot.doctor.app import app_checks, judge_installations
from bot.doctor.github import common_checks, judge_answer, judge_quota
from bot.errors import GitHubNotFound, GitHubRefused, GitHubUnavailable
from bot.models import Quota
from bot.models.doctor import Knock, SeenApp, SeenHook, SeenInstallation, SeenRepository
from bot.policy.operator import Operator, Serve
from tests.doctor.findings import ailing, said, verdicts
from tests.doctor.test_permissions import GRANTED, SUBSCRIBED, WANTED

T = TypeVar("T")
URL = "https://bot.example.com"
APP = SeenApp(
    slug="preflight", owner="acme", permissions=GRANTED, events=SUBSCRIBED, page="https://g/apps/preflight"
)
ACME = SeenInstallation(account="acme", permissions=GRANTED)
BETA = SeenInstallation(account="Beta", permissions=GRANTED)


def serving(*repositories: str) -> Operator:
    return Operator((Serve(repositories),))


@pytest.mark.parametrize(
    ("installations", "operator", "expected", "words"),
    [
        pytest.param([ACME], serving("acme/*"), ["ok"], "installed on acme", id="installed"),
        pytest.param([BETA], serving("beta/app"), ["ok"], "Beta", id="letter case does not matter"),
        pytest.param([], serving("acme/*"), ["broken"], "installed nowhere", id="nowhere"),
        pytest.param(
            [ACME],
            serving("acme/*", "beta/app"),
            ["broken"],
            "beta is served, but",
            id="one account lacks it",
        ),
        pytest.param(
            [ACME, BETA],
            serving("acme/*"),
            ["warning"],
            "Beta, of which nothing is served",
            id="one too many",
        ),
        pytest.param([ACME, BETA], serving("*/app"), ["ok"], "acme, Beta", id="a pattern of accounts"),
        pytest.param(
            [replace(ACME, suspended=True, page="https://g/i/7")],
            serving("acme/*"),
            ["broken"],
            "unsuspends it at https://g/i/7",
            id="suspended",
        ),
        pytest.param([ACME], Operator((Serve(),)).owned_by("acme"), ["ok"], "acme", id="the owner's"),
    ],
)
def test_installations(
    installations: list[SeenInstallation], operator: Operator, expected: list[str], words: str
) -> None:
    found = judge_installations(APP, installations, operator)

    assert verdicts(found) == expected
    assert words in said(found)


@pytest.mark.parametrize(
    ("remaining", "verdict"),
    [
        pytest.param(5000, "ok"),
        pytest.param(500, "ok"),
        pytest.param(499, "warning"),
        pytest.param(0, "warning"),
    ],
)
def test_what_is_left_of_the_hour(remaining: int, verdict: str) -> None:
    found = judge_quota(Quota(5000, remaining, 600.0))

    assert verdicts(found) == [verdict]
    if verdict == "warning":
        assert "in 10 min" in said(found)


def test_something_else_that_answers() -> None:
    found = judge_answer(Knock(genuine=False), "https://ghe.example.com")

    assert verdicts(found) == ["broken"]
    assert "/api/v3" in said(found)


class FakeApp:
    """A GitHub App in order, but for what a test changes."""

    def __init__(self) -> None:
        self.knocked: Knock | Exception = Knock(genuine=True, date="Mon, 02 Nov 2026 12:00:00 GMT")
        self.knocked = replace(self.knocked, at=1793620800.5)
        self.seen: SeenApp | Exception = APP
        self.where = [ACME]
        self.hook: SeenHook | Exception = SeenHook(
            url=f"{URL}/webhook", content_type="json", has_secret=True, deliveries=None
        )

    def knock(self) -> Knock:
        return _given(self.knocked)

    def repository(self, full_name: str) -> SeenRepository:
        raise GitHubNotFound(full_name)

    def app(self) -> SeenApp:
        return _given(self.seen)

    def installations(self) -> list[SeenInstallation]:
        return self.where

    def app_hook(self) -> SeenHook:
        return _given(self.hook)


def _given(value: T | Exception) -> T:
    if isinstance(value, Exception):
        raise value
    return value


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"knocked": GitHubUnavailable("no connection")}, {"github.answers"}, id="down"),
        pytest.param(
            {"knocked": Knock(genuine=True, date="Mon, 02 Nov 2026 12:00:00 GMT", at=1793620900.0)},
            {"github.clock"},
            id="a wrong clock",
        ),
        pytest.param({"seen": GitHubRefused("401")}, {"github.credentials"}, id="a key that is no good"),
        pytest.param({"where": []}, {"github.installations"}, id="installed nowhere"),
        pytest.param(
            {"seen": replace(APP, permissions=GRANTED | {"statuses": "read"})},
            {"github.permissions"},
            id="a permission",
        ),
        pytest.param({"seen": replace(APP, events=SUBSCRIBED - {"push"})}, {"github.events"}, id="an event"),
        pytest.param({"hook": GitHubNotFound("no hook")}, {"github.webhook"}, id="no webhook"),
    ],
)
def test_each_fault_is_found_by_the_check_that_names_it(
    changed: dict[str, object], expected: set[str]
) -> None:
    github = FakeApp()
    for name, value in changed.items():
        setattr(github, name, value)
    checks = [
        *common_checks(github, "https://api.github.com", app=True),
        *app_checks(github, URL, serving("acme/*"), WANTED),
    ]

    findings = examine(checks, lambda text: text)

    assert ailing(findings) == expected
    if not changed:
        assert {one.verdict for one in findings} <= {Verdict.OK, Verdict.SKIPPED}
