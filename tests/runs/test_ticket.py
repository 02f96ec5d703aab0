"""Tickets: made from a secret, known again, bound to one run and its repository, and hidden in texts."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.logs.redact import redact
from bot.runs.ticket import Tickets, hide

RUN_ID, OTHER_ID = "0123456789abcdef" * 2, "f" * 32
TICKETS = Tickets("the App's private key")
TICKET = TICKETS.issue(RUN_ID, "acme/widgets")


def test_it_is_what_is_documented() -> None:
    key = hmac.new(b"the App's private key", b"preflight ticket 1", hashlib.sha256).digest()
    made = hmac.new(key, f"{RUN_ID}\nacme/widgets".encode(), hashlib.sha256).hexdigest()
    assert f"pft_{made}" == TICKET


def test_it_is_known_again() -> None:
    assert Tickets("the App's private key").knows(TICKET, RUN_ID, "acme/widgets")


@pytest.mark.parametrize(
    ("tickets", "ticket", "run_id", "repository"),
    [
        pytest.param(TICKETS, TICKET, OTHER_ID, "acme/widgets", id="of-another-run"),
        pytest.param(TICKETS, TICKET, RUN_ID, "acme/secrets", id="of-another-repository"),
        pytest.param(TICKETS, TICKET, RUN_ID, "acme/Widgets", id="written-otherwise"),
        pytest.param(Tickets("another secret"), TICKET, RUN_ID, "acme/widgets", id="of-another-secret"),
        pytest.param(TICKETS, "", RUN_ID, "acme/widgets", id="none"),
        pytest.param(TICKETS, TICKET[:-1], RUN_ID, "acme/widgets", id="cut"),
        pytest.param(TICKETS, TICKET.upper(), RUN_ID, "acme/widgets", id="shouted"),
    ],
)
def test_any_other_is_not(tickets: Tickets, ticket: str, run_id: str, repository: str) -> None:
    assert not tickets.knows(ticket, run_id, repository)


@given(ticket=st.text(st.characters(codec="utf-8")))
def test_nobody_makes_one_up(ticket: str) -> None:
    assert not TICKETS.knows(ticket, RUN_ID, "acme/widgets")


def test_without_a_secret_there_are_none() -> None:
    with pytest.raises(ValueError, match="secret"):
        Tickets("")


def test_the_secret_is_not_shown() -> None:
    assert "private" not in repr(TICKETS)


@pytest.mark.parametrize("ticket", [TICKET, TICKET[:40]], ids=["whole", "cut"])
@pytest.mark.parametrize("text", ["it says {!r} there", "ticket={}", "x{}", "{}"])
def test_it_is_struck_out_wherever_it_is_quoted(ticket: str, text: str) -> None:
    for shown in (hide(text.format(ticket)), redact(text.format(ticket))):
        assert ticket[:12] not in shown
        assert "[redacted]" in shown


@pytest.mark.parametrize("text", ["pft_test failed", "soft_pft_", "no ticket"])
def test_other_words_stay(text: str) -> None:
    assert hide(text) == redact(text) == text
