"""Which deliveries wait for one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events.lane import lane_of
from tests.examples import comment_payload, pull, pull_payload, repository_payload


def test_those_of_one_pull_request() -> None:
    assert lane_of(pull_payload("opened"), "d-1") == lane_of(comment_payload("/test"), "d-2")


def test_a_click_on_a_check_run_belongs_to_its_pull_request() -> None:
    """Where the head lies in a fork, only our external id names it."""
    payload = {
        "repository": repository_payload(),
        "check_run": {"external_id": f"12:{'a' * 32}:", "pull_requests": []},
    }
    assert lane_of(payload, "d") == lane_of(pull_payload("opened"), "d")


def test_not_those_of_another() -> None:
    assert lane_of(pull_payload("opened"), "d") != lane_of(pull_payload("opened", of=pull(number=1)), "d")


def test_a_renaming_does_not_part_them() -> None:
    payload = pull_payload("opened")
    renamed = payload | {"repository": repository_payload() | {"full_name": "acme/gadgets"}}
    assert lane_of(payload, "d") == lane_of(renamed, "d")


def test_without_a_pull_request_those_of_one_repository() -> None:
    payload = {"repository": repository_payload()}
    assert lane_of(payload, "d-1") == lane_of(payload, "d-2") != lane_of(pull_payload("opened"), "d-1")


@pytest.mark.parametrize(
    "payload", [{}, {"repository": None}, {"repository": {"id": "42"}}, {"pull_request": {"number": 1}}]
)
def test_without_a_repository_each_for_itself(payload: dict[str, object]) -> None:
    assert lane_of(payload, "d-1") != lane_of(payload, "d-2")


@given(
    st.integers() | st.just(10**4000) | st.text() | st.none() | st.booleans(),
    st.integers() | st.just(10**4000),
)
def test_is_short_whatever_the_payload_says(repository: object, number: int) -> None:
    """PostgreSQL's indexes take no more than 2,700 bytes, and a lane stands in one."""
    payload = {"repository": {"id": repository}, "pull_request": {"number": number}}
    assert len(lane_of(payload, "d" * 200)) <= 500
