from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.doctor import Verdict, examine
from bot.doctor.web import MEND, PING, judge_address, judge_health, judge_ping, judge_ready, web_checks
from bot.errors import NoAnswer, WebUnreachable
from bot.intake.signature import verify
from bot.models.doctor import SeenPage
from tests.doctor.findings import ailing, said, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "https://bot.example.com"
PONG = SeenPage(status=200, text="pong\n")
UNSIGNED = SeenPage(status=401, text="the signature is missing or wrong\n")


@pytest.mark.parametrize(
    ("url", "addresses", "verdict", "words"),
    [
        pytest.param(URL, ["1.1.1.1"], "ok", URL, id="public"),
        pytest.param(URL, ["10.0.0.7", "1.1.1.1"], "ok", URL, id="public, too"),
        pytest.param("http://bot.example.com", ["1.1.1.1"], "warning", "not encrypted", id="http"),
        pytest.param(
            "http://127.0.0.1:8080", ["127.0.0.1"], "warning", "GitHub can't reach it", id="loopback"
        ),
        pytest.param("http://localhost", ["::1", "127.0.0.1"], "warning", "localhost (::1)", id="localhost"),
        pytest.param(URL, ["192.168.1.5"], "warning", "bot.example.com (192.168.1.5)", id="private"),
        pytest.param(URL, ["100.64.0.9"], "warning", "private network", id="carrier's"),
        pytest.param(URL, ["fe80::1%eth0"], "warning", "private network", id="link"),
    ],
)
def test_the_public_address(url: str, addresses: list[str], verdict: str, words: str) -> None:
    found = judge_address(url, addresses)

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize(
    ("page", "verdict", "words"),
    [
        pytest.param(SeenPage(status=200, text="ok\n"), "ok", "web answers", id="ours"),
        pytest.param(
            SeenPage(status=200, text="<h1>Welcome to nginx"), "broken", "something else", id="nginx"
        ),
        pytest.param(SeenPage(status=404, text="404"), "broken", "with 404", id="not found"),
        pytest.param(SeenPage(status=502, text=""), "broken", "does not reach web (502)", id="a proxy alone"),
        pytest.param(
            SeenPage(status=503, text=""), "broken", "does not reach web (503)", id="no web behind it"
        ),
        pytest.param(
            SeenPage(status=301, text="", location=f"{URL}/x"),
            "broken",
            f"redirects to {URL}/x",
            id="redirect",
        ),
    ],
)
def test_who_answers_there(page: SeenPage, verdict: str, words: str) -> None:
    found = judge_health(page, URL)

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, "ok"), (503, "broken"), pytest.param(404, "skipped", id="kept inside")]
)
def test_whether_web_can_do_its_work(status: int, verdict: str) -> None:
    assert verdicts(judge_ready(SeenPage(status=status, text=""))) == [verdict]


@pytest.mark.parametrize(
    ("pages", "verdict", "words"),
    [
        pytest.param([PONG], "ok", "the same secret", id="the same secret"),
        pytest.param([PONG, PONG], "ok", "the same secret", id="both"),
        pytest.param([UNSIGNED], "broken", "webhook secret: it answers 401", id="another secret"),
        pytest.param([UNSIGNED, PONG], "broken", "(of 2, number 1)", id="the new one is not known yet"),
        pytest.param([PONG, UNSIGNED], "broken", "(of 2, number 2)", id="the old one is not known any more"),
        pytest.param(
            [SeenPage(status=403, text="<html>WAF says no")],
            "broken",
            "403: <html>WAF",
            id="somebody between",
        ),
        pytest.param([SeenPage(status=200, text="hello")], "broken", "200: hello", id="somebody else"),
        pytest.param([SeenPage(status=405, text="")], "broken", "405: nothing", id="nothing said"),
    ],
)
def test_a_signed_ping(pages: list[SeenPage], verdict: str, words: str) -> None:
    found = judge_ping(pages)

    assert verdicts(found) == [verdict]
    assert words in said(found)


class FakeWeb:
    """A web that knows one secret, or whose address does not answer."""

    def __init__(self, secret: str = "a secret", missing: WebUnreachable | None = None) -> None:
        self.secret, self.missing = secret, missing

    def addresses(self) -> list[str]:
        if self.missing is not None and self.missing.why is NoAnswer.NAME:
            raise self.missing
        return ["1.1.1.1"]

    def get(self, path: str) -> SeenPage:
        if self.missing is not None:
            raise self.missing
        return SeenPage(status=200, text="ok\n" if path == "/healthz" else "ready\n")

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> SeenPage:
        assert (path, body, headers["X-GitHub-Event"]) == ("/webhook", PING, "ping")
        return PONG if verify(body, headers["X-Hub-Signature-256"], (self.secret,)) else UNSIGNED


@pytest.mark.parametrize(
    ("web", "expected"),
    [
        pytest.param(FakeWeb(), set(), id="in order"),
        pytest.param(FakeWeb("another"), {"web.secret"}, id="another secret"),
        *(
            pytest.param(FakeWeb(missing=WebUnreachable("no", why)), {"web.answers"}, id=why.value)
            for why in NoAnswer
            if why is not NoAnswer.NAME
        ),
        pytest.param(
            FakeWeb(missing=WebUnreachable("no such name", NoAnswer.NAME)),
            {"web.address", "web.answers"},
            id="name",
        ),
    ],
)
def test_each_fault_is_found_by_the_check_that_names_it(web: FakeWeb, expected: set[str]) -> None:
    findings = examine(web_checks(web, URL, ["a secret"]), lambda text: text)

    assert ailing(findings) == expected


@pytest.mark.parametrize("why", NoAnswer)
def test_each_reason_for_no_answer_has_its_remedy(why: NoAnswer) -> None:
    web = FakeWeb(missing=WebUnreachable("it can't be reached", why))

    findings = {one.name: one for one in examine(web_checks(web, URL, ["a secret"]), lambda text: text)}

    assert (findings["answers"].verdict, findings["answers"].mend) == (Verdict.BROKEN, MEND[why])
    assert findings["secret"].verdict is Verdict.SKIPPED
