"""A command, setting or metric that nobody can read about does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from bot import commands, metrics
from bot.pages.metrics import FAMILIES
from bot.settings import SETTINGS

ROOT = Path(__file__).parents[1]


def text(name: str) -> str:
    file = ROOT / name
    assert file.exists(), f"{name} is missing"
    return file.read_text()


def counted() -> set[str]:
    """The names under which Prometheus finds what the processes count."""
    families = [value for value in vars(metrics).values() if isinstance(value, Counter | Gauge | Histogram)]
    names = {
        next(iter(family.describe())).name + ("_total" if isinstance(family, Counter) else "")
        for family in families
    }
    return names | {name for name, _, _ in FAMILIES.values()} | {"preflight_database_up"}


@pytest.mark.parametrize("setting", [setting.name for setting in SETTINGS])
@pytest.mark.parametrize("document", [".env.example", "README.md"])
def test_every_setting_is_documented(document: str, setting: str) -> None:
    documents = text(document)
    if document == "README.md":
        documents += "".join(file.read_text() for file in (ROOT / "deploy").rglob("*.md"))
    assert setting in documents


@pytest.mark.parametrize("command", sorted(commands.modules()))
def test_every_command_is_documented(command: str) -> None:
    assert f"/{command}" in text("README.md")


@pytest.mark.parametrize("metric", sorted(counted()))
def test_every_metric_is_documented(metric: str) -> None:
    assert metric in text("deploy/RUNBOOK.md")


def test_the_example_environment_names_no_setting_that_is_not_there() -> None:
    names = {setting.name for setting in SETTINGS} | {f"{one.name}_FILE" for one in SETTINGS if one.secret}
    lines = [line.lstrip("# ") for line in text(".env.example").splitlines()]
    named = {line.partition("=")[0] for line in lines if line.startswith("PREFLIGHT_") and "=" in line}
    assert named <= names
