from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.doctor.webhook import MEND_BY_CODE, judge_deliveries, judge_hook, same_address
from bot.models.doctor import SeenDelivery, SeenHook
from tests.doctor.findings import said, verdicts

URL = "https://bot.example.com"
NOW = datetime(2026, 11, 2, tzinfo=UTC)
RIGHT = SeenHook(url=f"{URL}/webhook", content_type="json", has_secret=True, deliveries=())


def said_of(code: int) -> str:
    """GitHub's words for an answer."""
    return "OK" if code < 300 else f"Invalid HTTP Response: {code}"


def log(*codes: int | tuple[str, int], status: str | None = None) -> tuple[SeenDelivery, ...]:
    """Deliveries, newest first, by code, or by id and code."""
    named = [(str(number), code) if isinstance(code, int) else code for number, code in enumerate(codes)]
    return tuple(
        SeenDelivery(
            id=name,
            at=NOW - timedelta(minutes=age),
            event="push",
            code=code,
            status=said_of(code) if status is None else status,
        )
        for age, (name, code) in enumerate(named)
    )


@pytest.mark.parametrize(
    ("changed", "verdict", "words"),
    [
        pytest.param({}, "ok", f"leads to {URL}/webhook", id="right"),
        pytest.param({"url": "https://BOT.example.com:443/webhook/"}, "ok", "leads", id="the same address"),
        pytest.param({"url": ""}, "broken", f"set the URL {URL}/webhook", id="no address"),
        pytest.param({"url": f"{URL}/hook"}, "broken", f"not to {URL}/webhook", id="another path"),
        pytest.param({"url": "http://bot.example.com/webhook"}, "broken", "not to", id="another scheme"),
        pytest.param({"url": "https://other/webhook"}, "broken", "PREFLIGHT_PUBLIC_URL", id="another host"),
        pytest.param({"url": "https://[/webhook"}, "broken", "not to", id="no URL at all"),
        pytest.param({"content_type": "form"}, "broken", "application/json", id="forms"),
        pytest.param({"has_secret": False}, "broken", "PREFLIGHT_WEBHOOK_SECRETS", id="no secret"),
        pytest.param({"insecure_ssl": True}, "warning", "enable SSL verification", id="any certificate"),
        pytest.param({"active": False}, "broken", "tick Active", id="not active"),
        pytest.param(
            {"url": "https://smee.io/x", "deliveries": log(200)},
            "warning",
            "if that is a tunnel",
            id="tunnel",
        ),
        pytest.param(
            {"url": "https://smee.io/x", "deliveries": log(404)}, "broken", "not to", id="a dead one"
        ),
    ],
)
def test_where_and_how_a_webhook_delivers(changed: dict[str, object], verdict: str, words: str) -> None:
    found = judge_hook(replace(RIGHT, **changed), URL, "the hook")  # type: ignore[arg-type]  # a table's values

    assert verdicts(found) == [verdict]
    assert words in said(found)


def test_an_apps_webhook_that_never_delivers_may_not_be_active() -> None:
    assert verdicts(judge_hook(RIGHT, URL, "the hook", app=True)) == ["warning"]
    assert verdicts(judge_hook(replace(RIGHT, deliveries=log(202)), URL, "the hook", app=True)) == ["ok"]
    assert verdicts(judge_hook(replace(RIGHT, deliveries=None), URL, "the hook", app=True)) == ["ok"]


@pytest.mark.parametrize(
    ("deliveries", "verdict", "words"),
    [
        pytest.param(None, "skipped", "may not read", id="hidden"),
        pytest.param((), "skipped", "nothing", id="none"),
        pytest.param(log(202, 200, 202), "ok", "last 3 deliveries", id="all arrived"),
        pytest.param(log(401, 401, 202), "broken", "2 of the last 3", id="the newest failed"),
        pytest.param(log(202, 503), "warning", "redeliver --since", id="newer ones arrived"),
        pytest.param(log(("a", 202), ("b", 202), ("a", 503)), "ok", "last 2", id="a later try arrived"),
        pytest.param(log(("a", 503), ("b", 202), ("a", 503)), "broken", "1 of the last 2", id="no later try"),
        pytest.param(log(504, status="timed out"), "broken", "1 times timed out", id="timed out"),
        pytest.param(
            log(502, status="failed to connect to host"),
            "broken",
            "GitHub does not reach it",
            id="not reached",
        ),
        pytest.param(log(502), "broken", "The proxy in front of web", id="a proxy that does not reach web"),
        pytest.param(log(0, status=""), "broken", "1 times no answer", id="nobody says why"),
        pytest.param(log(418), "broken", "Recent Deliveries", id="a code that nobody expected"),
    ],
)
def test_what_came_of_the_last_deliveries(
    deliveries: tuple[SeenDelivery, ...] | None, verdict: str, words: str
) -> None:
    found = judge_deliveries(deliveries, "the hook")

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "secrets differ"),
        (404, "/webhook"),
        (415, "application/json"),
        (413, "25 MB"),
        (502, "does not reach it"),
        (503, "could not store"),
        (301, "no redirect"),
    ],
)
def test_each_answer_has_its_cause(code: int, words: str) -> None:
    assert code in MEND_BY_CODE
    assert words in said(judge_deliveries(log(code), "the hook"))


def test_a_port_and_a_path_tell_addresses_apart() -> None:
    assert not same_address("https://a:8443/webhook", "https://a/webhook")
    assert same_address("http://a:80/webhook", "http://A./webhook")
