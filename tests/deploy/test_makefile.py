"""`make` is the front door."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deploy.local.environment import ROOT
from tests.make import MAKEFILE, make, own_environment

if TYPE_CHECKING:
    import pytest

TARGETS = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)


def test_help_is_what_make_alone_shows_and_names_every_target() -> None:
    assert TARGETS is not None
    assert re.findall(r"^  make ([a-z_-]+)", make(), flags=re.MULTILINE) == TARGETS[1].split()


def what_env_runs(*arguments: str) -> str:
    return make("--dry-run", "env", *arguments)


def test_environments_are_made_anew_for_a_python_that_was_asked_for() -> None:
    assert what_env_runs("PYTHON=python3.12").split() == [
        "python3.12",
        "deploy/local/env.py",
        "--this-python",
    ]


def test_but_not_for_the_one_that_happens_to_be_there() -> None:
    assert what_env_runs().split() == ["python3", "deploy/local/env.py"]


def test_continuous_integration_does_the_same() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-2:] == ["make test", "make test-deploy"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_tests_start_it_as_if_none_ran_above_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = own_environment()
    for name, value in {
        "MAKEFLAGS": "n -- ARGS=-x",
        "MAKELEVEL": "1",
        "ARGS": "-x",
        "PYTHON": "snake",
    }.items():
        monkeypatch.setenv(name, value)
    assert own_environment() == before
    assert what_env_runs().split() == ["python3", "deploy/local/env.py"]
