"""What a ticket is exchanged for, and what becomes of a bot that is slow, busy, gone or somebody else."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from steps.errors import StepFailed, TryAgain
from steps.release.ticket import Ticket
from tests.dags.ticket_server import TicketServer, ticket_server

TOKEN = "ghs_" + "t" * 36
GIVEN: tuple[int, dict[str, Any]] = (200, {"token": TOKEN, "expires_at": "2030-01-01T00:00:00Z"})
BUSY: tuple[int, dict[str, Any]] = (503, {"error": "the run isn't known yet"})
ENVIRONMENT = {
    "PREFLIGHT_TICKET": "pft_" + "0" * 64,
    "PREFLIGHT_TICKET_URL": "http://127.0.0.1:9/ticket",
    "PREFLIGHT_TICKET_DAG_RUN_ID": "preflight~1",
    "PREFLIGHT_TICKET_TASK_ID": "clone",
    "PREFLIGHT_TICKET_TRY": "2",
    "BUILD_ID": "17",
    "REPO_OWNER": "acme",
    "REPO_NAME": "widgets",
}


def taken(**more: str) -> Ticket:
    ticket = Ticket.taken_from({**ENVIRONMENT, **more})
    assert ticket
    return ticket


def exchanged(bot: TicketServer, pauses: list[float] | None = None) -> str:
    waited = [] if pauses is None else pauses
    return replace(taken(), url=bot.url).exchange(timeout=0.3, pause=waited.append)


def test_is_taken_out_of_the_environment_with_all_that_belongs_to_it() -> None:
    environ = {**ENVIRONMENT, "PATH": "/bin"}
    assert Ticket.taken_from(environ)
    assert sorted(environ) == ["BUILD_ID", "PATH", "REPO_NAME", "REPO_OWNER"]
    assert Ticket.taken_from(environ) is None


def test_is_never_shown() -> None:
    assert ENVIRONMENT["PREFLIGHT_TICKET"] not in repr(taken())


def test_says_which_run_task_try_and_repository_it_is_for() -> None:
    with ticket_server(GIVEN) as bot:
        assert exchanged(bot) == TOKEN
    assert bot.asked == [
        {
            "ticket": ENVIRONMENT["PREFLIGHT_TICKET"],
            "run_id": "17",
            "dag_run_id": "preflight~1",
            "task_id": "clone",
            "try_number": 2,
            "repository": "acme/widgets",
        }
    ]


@pytest.mark.parametrize("first", [BUSY, (502, b"<html>"), (429, b"")], ids=["busy", "a proxy", "too many"])
def test_a_bot_that_is_busy_is_asked_again(first: tuple[int, Any]) -> None:
    pauses: list[float] = []
    with ticket_server(first, first, GIVEN) as bot:
        assert exchanged(bot, pauses) == TOKEN
    assert pauses == [1.0, 1.0]


def test_a_bot_that_stays_busy_is_worth_another_try_of_the_step() -> None:
    with ticket_server(BUSY) as bot, pytest.raises(TryAgain, match="the run isn't known yet"):
        exchanged(bot)
    assert len(bot.asked) == 6


def test_a_bot_that_can_not_be_reached_is_worth_another_try_of_the_step() -> None:
    with pytest.raises(TryAgain, match="refused"):
        taken().exchange(timeout=0.3, pause=lambda _: None)


@pytest.mark.parametrize("how", ["silent", "cut"])
def test_an_answer_that_got_lost_is_not_asked_for_again(how: str) -> None:
    """The one use of this try may be gone; the next try has its own."""
    with ticket_server(GIVEN, **{how: True}) as bot:
        with pytest.raises(TryAgain, match="got lost"):
            exchanged(bot)
        assert len(bot.asked) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            (403, {"error": "the ticket was used"}),
            "the bot gives no token for this repository: the ticket was used",
            id="refused",
        ),
        pytest.param((403, b""), "the bot gives no token: it answers 403", id="refused without a word"),
        pytest.param((400, {"error": "no run"}), "it answers 400, no run", id="malformed"),
        pytest.param((404, b"<html>"), "it answers 404", id="another page"),
        pytest.param((200, b"<html>"), "gives no token: is PREFLIGHT_TICKET_URL the bot's?", id="no JSON"),
        pytest.param((200, b"[]"), "gives no token", id="no object"),
        pytest.param((200, b"[" * 50_000), "gives no token", id="nested deeply"),
        pytest.param((200, {"token": 7}), "gives no token", id="no text"),
        pytest.param((200, {"token": ""}), "gives no token", id="empty"),
        pytest.param((200, {"token": "a\r\nX-Evil: 1"}), "gives no token", id="a second header"),
        pytest.param((200, {"token": "a\n"}), "gives no token", id="a newline at its end"),
        pytest.param((200, {"token": "é"}), "gives no token", id="not ASCII"),
        pytest.param((200, {"token": "x" * 5000}), "gives no token", id="too long"),
        pytest.param((200, b'{"token": "' + b"x" * 100_000 + b'"}'), "gives no token", id="endless"),
    ],
)
def test_what_is_no_token_fails_for_good(answer: tuple[int, Any], reason: str) -> None:
    with ticket_server(answer) as bot, pytest.raises(StepFailed) as failed:
        exchanged(bot)
    assert reason in str(failed.value)
    assert len(bot.asked) == 1


def test_the_bots_words_are_one_short_line_without_the_ticket() -> None:
    words = f"no\n\x1b[31m{ENVIRONMENT['PREFLIGHT_TICKET']}" + "x" * 1000
    with ticket_server((403, {"error": words})) as bot, pytest.raises(StepFailed) as failed:
        exchanged(bot)
    said = str(failed.value)
    assert said.isprintable()
    assert len(said) < 400
    assert ENVIRONMENT["PREFLIGHT_TICKET"] not in said


def test_a_redirect_is_not_followed() -> None:
    with ticket_server(GIVEN) as other, ticket_server((307, b""), location=other.url) as bot:
        with pytest.raises(StepFailed, match="it answers 307"):
            exchanged(bot)
        assert other.asked == []


def test_no_proxy_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with ticket_server(GIVEN) as proxy, ticket_server(GIVEN) as bot:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert exchanged(bot) == TOKEN
        assert proxy.asked == []


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://x/y", "x"])
def test_without_the_bots_address_it_says_what_to_set(url: str) -> None:
    with pytest.raises(StepFailed, match="set PREFLIGHT_TICKET_URL"):
        taken(PREFLIGHT_TICKET_URL=url).exchange(pause=lambda _: None)


@pytest.mark.parametrize("number", ["", "x", "-1", "²", "9" * 99])
def test_a_try_that_is_no_number_is_none(number: str) -> None:
    with contextlib.suppress(KeyError):
        assert taken(PREFLIGHT_TICKET_TRY=number).bound_to["try_number"] == 0
