"""Whose code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pages import page_at
from tests.stories.pulls import DEVELOPER, STRANGER, checks, written
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from tests.stories.conftest import MakeRepository

UNIT = {"unit": checks(test="true")}
WAITING = "waiting for /ok-to-test"


def test_a_stranger_s_head_runs_once_it_is_approved(repository_with: MakeRepository) -> None:
    repository = repository_with(
        written(UNIT, notify=["@acme/maintainers", "codeowners"]),
        files={"CODEOWNERS": f"src/ @{DEVELOPER}\n"},
    )
    pull = repository.opened(by=STRANGER, fork=True)
    first = pull.head_sha

    pull.expect_status("preflight/unit", "pending", WAITING)
    assert_reads("stranger.md", pull.expect_comment("/ok-to-test", first[:12]))

    asked = [
        pull.says(body, by=by) for body in ("/test", "/dryrun", "/retest") for by in (STRANGER, DEVELOPER)
    ]
    for comment in asked:
        assert f"/ok-to-test {first[:12]}" in pull.expect_reply(comment, f"{STRANGER}, who opened it")
    nameless = pull.says("/ok-to-test")
    assert f"/ok-to-test {first[:12]}" in pull.expect_reply(nameless)
    not_his = pull.says(f"/ok-to-test {first[:12]}", by=STRANGER)
    assert "can't approve this head: anybody with write access can" in pull.expect_reply(not_his)
    pull.expect_dag_runs()

    pull.expect_no_reply(pull.says(f"Looks harmless.\n\n/test unit\n/ok-to-test {first[:12]}\n/test"))
    pull.expect_status("preflight/unit", "success")
    assert "/ok-to-test" not in pull.expect_comment("**`unit` passed**")
    pull.expect_dag_runs("success")
    page = page_at(pull.combined()["preflight/unit"].target_url).text
    assert f"{DEVELOPER} approved {first[:12]}" in page

    pull.pushed(by=STRANGER)
    second = pull.head_sha
    pull.expect_status("preflight/unit", "pending", WAITING)
    pull.expect_comment(f"/ok-to-test {second[:12]}")
    late = pull.says(f"/ok-to-test {first}")
    reply = pull.expect_reply(late, "is not the head of this pull request")
    assert f"/ok-to-test {second[:12]}" in reply
    pull.expect_dag_runs("success")
    pull.expect_history("preflight/unit", "pending", sha=second)


def test_an_approval_can_be_for_all_that_follows(repository_with: MakeRepository) -> None:
    pull = repository_with(written(UNIT, approve="pull_request")).opened(by=STRANGER, fork=True)
    pull.expect_status("preflight/unit", "pending", WAITING)

    pull.says(f"/ok-to-test {pull.head_sha[:12]}")
    pull.expect_status("preflight/unit", "success")
    pull.pushed(by=STRANGER)

    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success", "success")


def test_a_trusted_author_s_own_fork_runs(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened(fork=True)

    pull.expect_status("preflight/unit", "success")
    (run,) = pull.expect_dag_runs("success")
    assert run.conf["preflight"]["fork"] is True
    assert run.conf["preflight"]["head"]["repository"].startswith(f"{DEVELOPER}/")


def test_a_stranger_s_push_to_a_trusted_author_s_branch_waits(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened(fork=True)
    pull.expect_status("preflight/unit", "success")

    pull.push(STRANGER, {"src/more.py": "print('more')\n"}, author=DEVELOPER)

    pull.expect_status("preflight/unit", "pending", WAITING)
    pull.expect_comment(f"{STRANGER}, who pushed its head, is not trusted here")
    asked = pull.says("/test")
    pull.expect_reply(asked, f"{STRANGER}, who pushed its head, is not trusted here")
    pull.expect_dag_runs("success")

    pull.pushed(**{"src/mine.py": "print('mine')\n"})
    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success", "success")


def test_anybody_may_ask_for_a_trusted_head(repository_with: MakeRepository) -> None:
    pull = repository_with(UNIT).opened()
    pull.expect_status("preflight/unit", "success")

    asked = pull.says("/test", by=STRANGER)

    pull.expect_no_reply(asked)
    pull.expect_dag_runs("success", "success")
    pull.expect_history("preflight/unit", "pending", "success", "pending", "success")

    cancel = pull.says("/cancel", by=STRANGER)
    assert pull.expect_reply(cancel) == (
        f"Sorry, `{STRANGER}` can't cancel runs: "
        "anybody with write access, or the pull request's author, can."
    )


def test_who_loses_write_access_is_a_stranger(repository_with: MakeRepository) -> None:
    repository = repository_with(UNIT, people={"former": "write"})
    repository.push("former", {"src/app.py": "print('changed')\n"}, branch="change")
    repository.permit("former", "read")

    pull = repository.opened(by="former", files=None)

    pull.expect_status("preflight/unit", "pending", WAITING)
    pull.expect_dag_runs()
