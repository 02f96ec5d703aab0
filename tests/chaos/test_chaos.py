"""A small version of `make chaos`, and one that must fail, since the bot has a bug planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.chaos import Options, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.story, pytest.mark.postgres, pytest.mark.timeout(600)]


def test_pull_requests_survive_it(tmp_path: Path) -> None:
    outcome = run(Options(lives=9, seed=15, most_acts=6, frozen=False, by_hand=15.0), tmp_path, print)
    assert outcome.count == 0, outcome.told()
    assert outcome.line == f"lives=9 seed=15 faults={outcome.faults} violations=0"
    assert outcome.faults > 10


def test_a_planted_bug_is_noticed(tmp_path: Path) -> None:
    """A reconciler that never looks whether a run is there before it triggers; `plants` has others."""
    plant, only, enough = "triggers-without-looking", "after a trigger", "was triggered"
    options = Options(lives=4, seed=7, most_acts=3, plant=plant, only=only, enough=enough)
    outcome = run(options, tmp_path, print)
    found = [said for violations, _ in outcome.violations.values() for said in violations]
    assert any(enough in said for said in found)
