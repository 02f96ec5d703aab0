"""Which ports are taken."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from deploy.local import ports
from deploy.local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server((ports.HOST, ports.choose_any())) as server:
        yield server


def test_the_preferred_port_if_it_is_free() -> None:
    free = ports.choose_any()
    assert ports.choose(free) == free


def test_else_the_next_one(server: socket.socket) -> None:
    used = server.getsockname()[1]
    assert used < ports.choose(used) < used + 50


def test_never_one_that_another_part_has_taken() -> None:
    free = ports.choose_any()
    assert ports.choose(free, taken={free}) > free


def test_when_all_are_used_it_says_so() -> None:
    free = ports.choose_any()
    with pytest.raises(StackError, match="all in use"):
        ports.choose(free, taken=range(free, free + 50))


def test_a_server_answers_and_its_port_is_not_free(server: socket.socket) -> None:
    used = server.getsockname()[1]
    assert ports.answers(used)
    assert not ports.is_free(used)


def test_a_free_port_does_not_answer() -> None:
    free = ports.choose_any()
    assert ports.is_free(free)
    assert not ports.answers(free)
