"""A dry run shows what would be done, does none of it, and leaves every status as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.stories.pages import page_at, pages_in
from tests.stories.pulls import checks
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.conftest import MakeRepository
    from tests.stories.pulls import StoryPull


def statuses_of(pull: StoryPull) -> list[int]:
    """Which statuses the head was ever given."""
    return [status.id for status in pull.statuses()]


def without_paths(reply: str, story: Path, pull: StoryPull) -> str:
    """The same wherever the tests run."""
    home = pull.airflow.local.settings.home
    for path, name in {story: "STORY", home: "AIRFLOW_HOME"}.items():
        reply = reply.replace(str(path), name)
    unfolded = re.sub(r"<details><summary>.*?</summary>\n\n|\n\n</details>", "", reply)  # long paths fold
    return re.sub(r"\S+(?= -m steps)", "PYTHON", unfolded)


def test_it_shows_the_exact_commands(repository_with: MakeRepository, tmp_path: Path) -> None:
    done, hostile = tmp_path / "done", "echo '`tick`' \"$HOME\" @developer"
    repository = repository_with(
        {
            "unit": checks(lint=hostile, test=f"touch {done}"),
            "docs": checks(links="true") | {"paths": ["docs/**"]},
        }
    )
    pull = repository.opened(draft=True)
    pull.expect_status("preflight/unit", "pending", "waits until ready for review")
    before = statuses_of(pull)

    asked = pull.says("/dryrun")

    reply = pull.expect_reply(asked, "Dry run of `unit`", "clone", "lint", "test", str(done))
    assert_reads("dryrun.md", without_paths(reply, tmp_path, pull))
    (run,) = pull.expect_dag_runs("success")
    assert run.conf["dryrun"] is True
    assert not done.exists()
    assert statuses_of(pull) == before

    (page,) = pages_in(reply)
    shown = page_at(page)
    assert shown.status_code == 200
    assert "dry run" in shown.text.lower()
    assert f"touch {done}" in shown.text

    named = pull.says("/test docs --dryrun")
    assert "Dry run of `docs`" in pull.expect_reply(named, "links")
    assert statuses_of(pull) == before
    assert len(pull.sticky_comments()) == 1


def test_a_result_stays_as_it_was(repository_with: MakeRepository, tmp_path: Path) -> None:
    repository = repository_with({"unit": checks(test=f"echo run >> {tmp_path}/count; exit 3")})
    pull = repository.opened()
    failed = pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    comment = pull.expect_comment("test failed: exit 3")
    before = statuses_of(pull)

    asked = pull.says("/test unit --dryrun")

    (page,) = pages_in(pull.expect_reply(asked, "Dry run of `unit`", "exit 3"))
    pull.expect_dag_runs("failed", "success")
    assert statuses_of(pull) == before
    assert pull.sticky_comments() == [comment]
    assert page != failed.target_url
    assert (tmp_path / "count").read_text() == "run\n"


def test_without_any_status_there_is_still_none(repository_with: MakeRepository) -> None:
    repository = repository_with({"deploy": checks(test="true") | {"manual": True}})
    pull = repository.opened()

    asked = pull.says("/dryrun deploy")

    pull.expect_reply(asked, "Dry run of `deploy`")
    pull.expect_dag_runs("success")
    assert pull.statuses() == []
    assert pull.sticky_comments() == []
