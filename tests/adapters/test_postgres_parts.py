"""Parts of deliveries that are too large for one message, each kept until all are there."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from bot.adapters.postgres import Database, PostgresParts

pytestmark = pytest.mark.postgres


@pytest.fixture
def parts(database: Database) -> PostgresParts:
    return PostgresParts(database)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 1, 2, 3)], ids=str)
def test_are_one_once_none_is_missing(parts: PostgresParts, order: tuple[int, ...]) -> None:
    *early, last = order
    for part in early:
        assert parts.add("d/whole", part, 3, b"%d" % part) is None
    assert parts.add("d/whole", last, 3, b"%d" % last) == b"123"


def test_are_not_mixed_with_those_of_others(parts: PostgresParts) -> None:
    parts.add("d/whole", 1, 2, b"1")
    assert parts.add("e/whole", 2, 2, b"2") is None


def test_that_are_empty_are_parts_too(parts: PostgresParts) -> None:
    parts.add("d/whole", 1, 2, b"")
    assert parts.add("d/whole", 2, 2, b"") == b""


def test_that_are_forgotten_begin_anew(parts: PostgresParts) -> None:
    parts.add("d/whole", 1, 2, b"1")
    parts.forget("d/whole")
    assert parts.add("d/whole", 2, 2, b"2") is None


def test_that_another_worker_forgets_meanwhile_are_not_less_than_a_whole(
    parts: PostgresParts, database: Database, database_url: str
) -> None:
    """A part came twice, and the other worker has stored the delivery: what is left would not be readable."""
    other = PostgresParts(Database(database_url, pool_size=1))
    for part in (1, 2):
        parts.add("d/whole", part, 2, b"%d" % part)

    def forget(*about: object) -> None:
        if str(about[2]).startswith("SELECT delivery_parts.body"):
            other.forget("d/whole")

    event.listen(database.engine, "before_cursor_execute", forget)
    try:
        assert parts.add("d/whole", 2, 2, b"2") is None
    finally:
        event.remove(database.engine, "before_cursor_execute", forget)
        other.database.close()
