"""Whose code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, STRANGER, checks
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from tests.stories.conftest import MakeRepository

UNIT = {"unit": checks(test="true")}
WAITING = "waiting: a maintainer must approve"


def test_a_stranger_s_pull_request_waits(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened(by=STRANGER, fork=True)

    pull.expect_status("preflight/unit", "pending", WAITING)
    assert_reads("stranger.md", pull.expect_comment(WAITING))
    pull.pushed(by=STRANGER)
    pull.expect_status("preflight/unit", "pending", WAITING)
    pull.expect_dag_runs()


def test_a_trusted_author_s_own_fork_runs(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened(fork=True)

    pull.expect_status("preflight/unit", "success")
    (run,) = pull.expect_dag_runs("success")
    assert run.conf["preflight"]["fork"] is True
    assert run.conf["preflight"]["head"]["repository"].startswith(f"{DEVELOPER}/")


def test_a_stranger_s_push_to_a_trusted_author_s_branch_waits(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened(fork=True)
    pull.expect_status("preflight/unit", "success")

    pull.pushed(by=STRANGER)

    pull.expect_status("preflight/unit", "pending", WAITING)
    pull.expect_dag_runs("success")

    asked = pull.says("/test")
    reply = pull.expect_reply(asked)
    assert f"{STRANGER}, who pushed its head, has no write access" in reply
    pull.expect_dag_runs("success")


def test_a_stranger_s_command_is_answered_and_not_obeyed(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened()
    pull.expect_status("preflight/unit", "success")

    asked = pull.says("/test", by=STRANGER)

    pull.expect_reaction(asked)
    assert pull.expect_reply(asked) == (
        f"Sorry, `{STRANGER}` can't give commands here: that takes write access to this repository."
    )
    pull.expect_dag_runs("success")
    pull.expect_history("preflight/unit", "pending", "success")


def test_who_loses_write_access_is_a_stranger(repository_with: MakeRepository) -> None:
    repository = repository_with(UNIT, people={"former": "write"})
    repository.push("former", {"src/app.py": "print('changed')\n"}, branch="change")
    repository.permit("former", "read")

    pull = repository.opened(by="former", files=None)

    pull.expect_status("preflight/unit", "pending", WAITING)
    pull.expect_dag_runs()
