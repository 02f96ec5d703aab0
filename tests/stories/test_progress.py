"""How long it will take: told from how long such runs took before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.apps import OWNER
from tests.stories.pulls import checks, until_there, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.apps import Installed


def test_a_run_like_others_says_how_long_it_takes(installed: Installed, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    pipelines = {"unit": checks(lint="true", test=f"test -e src/quick.py || {{ {until_there(gate)}; }}")}
    repository = installed.repository(f"{OWNER}/progress", written(pipelines))
    first = repository.opened(branch="quick", files={"src/quick.py": "\n"})
    first.expect_status("preflight/unit", "success")
    installed.bot.rest()
    installed.bot.change(
        "UPDATE runs SET started_at = finished_at - interval '3 hours' WHERE outcome = 'success'"
    )
    installed.bot.crash("worker")  # which remembers for a minute that there was no such run

    second = repository.opened(branch="slow")

    second.expect_status("preflight/unit", "pending", "2/3 steps, about 3 h left", hurried=True)
    gate.touch()
    second.expect_status("preflight/unit", "success", "3 steps passed")
    shown = [status.description or "" for status in first.statuses("preflight/unit")]
    assert not any("left" in said for said in shown)
