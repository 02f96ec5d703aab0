"""What all tests share. Tests run from fast to slow, so that a simple mistake shows first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.airflow"]

SLOW_MARKS = ("postgres", "airflow", "story")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests first, then what needs a database, an Airflow, and everything."""
    items.sort(key=_slowness)


def _slowness(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return max((index + 1 for index, name in enumerate(SLOW_MARKS) if name in marks), default=0)
