"""What all tests share. Tests run from fast to slow, so that a simple mistake shows first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.airflow", "tests.fixtures.pubsub"]

# Machines are shared: how long an example takes says nothing about the code. Each run tries other examples;
# `--hypothesis-profile=thorough` looks at twenty times as many.
settings.register_profile("preflight", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile("preflight")

# Each starts real programs; whatever has no such mark, and is in none of the folders, is a unit test.
SLOW_MARKS = ("postgres", "airflow", "story")
SLOW_FOLDERS = frozenset(
    {"adapters", "bench", "browser", "dags", "deploy", "github_standin_tests", "manifests"}
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m unit` alone, folders that hold no unit tests are not even imported."""
    return True if config.option.markexpr == "unit" and collection_path.name in SLOW_FOLDERS else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests first, then what starts programs, a database, an Airflow, and everything."""
    for item in items:
        if _slowness(item) == 0:
            item.add_marker("unit")
    items.sort(key=_slowness)


def _slowness(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    marked = max((index + 2 for index, name in enumerate(SLOW_MARKS) if name in marks), default=0)
    folder = Path(item.path).relative_to(Path(__file__).parent).parts[0]
    return marked or (1 if folder in SLOW_FOLDERS else 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged is sent to another process, as UTF-8: halves of characters can't be."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report
