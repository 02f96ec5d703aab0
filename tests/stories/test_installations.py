"""A bot that is a GitHub App and that no plugin nudges: installation tokens, and polling alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.apps import ANOTHER, OWNER
from tests.stories.pulls import DEVELOPER, STRANGER, checks, until_there, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.apps import Installed

UNIT = {"unit": checks(test="true")}
WAITING = "waiting for /ok-to-test"


def test_an_app_tests_its_owner_s_repositories(installed: Installed) -> None:
    repository = installed.repository(f"{OWNER}/app", written(UNIT))

    pull = repository.opened()
    pull.expect_status("preflight/unit", "pending")
    installed.github.revoke_tokens()  # as if they had expired early

    pull.expect_status("preflight/unit", "success")
    pull.expect_comment("2 steps passed")
    pull.expect_dag_runs("success")
    assert {status.creator for status in pull.statuses()} == {installed.bot.login}
    assert not [figure for figure in installed.bot.figures() if figure.startswith("preflight_nudges_total")]


def test_an_app_s_own_comments_are_no_commands(installed: Installed) -> None:
    pull = installed.repository(f"{OWNER}/tool", written(UNIT)).opened()
    pull.expect_status("preflight/unit", "success")

    said = pull.says("/test", by=installed.bot.login)

    pull.expect_dag_runs("success")
    pull.expect_silence(said)


def test_another_account_s_repositories_are_left_alone(installed: Installed) -> None:
    def unserved() -> float:
        return installed.bot.figures("worker")["preflight_deliveries_unserved_total"]

    before = unserved()
    repository = installed.repository(f"{ANOTHER}/app", written(UNIT))

    pull = repository.opened()

    installed.bot.rest()
    assert unserved() > before
    assert pull.statuses() == []
    assert pull.comments() == []
    pull.expect_dag_runs()


def test_members_and_apps_that_are_listed_are_trusted(installed: Installed) -> None:
    github = installed.github
    github.put_member(OWNER, "insider")
    github.put_team_member(OWNER, "ci", "teammate")
    github.put_team_member(OWNER, "ci", "invited", pending=True)
    github.put_member("partner", "partner-dev", public=True)
    repository = installed.repository(
        f"{OWNER}/listed", written(UNIT, trust=[f"{OWNER}/ci", "partner", "renovate[bot]"])
    )

    trusted = [repository.opened(by=by, fork=True, branch=by) for by in ("teammate", "partner-dev")] + [
        repository.opened(by="renovate[bot]", branch="renovate")
    ]
    strangers = [
        repository.opened(by=by, fork=True, branch=by) for by in ("insider", "invited", STRANGER)
    ] + [repository.opened(by="dependabot[bot]", branch="dependabot")]

    for pull in trusted:
        pull.expect_status("preflight/unit", "success")
    for pull in strangers:
        pull.expect_status("preflight/unit", "pending", WAITING)
        pull.expect_comment("anybody with write access or a member of", "/ok-to-test")

    waiting = strangers[-1]
    waiting.comment("dependabot[bot]", f"/ok-to-test {waiting.head_sha[:12]}")
    waiting.says(f"/ok-to-test {waiting.head_sha[:12]}", by="teammate")
    waiting.expect_status("preflight/unit", "success")
    listed = trusted[0].says("/test", by="renovate[bot]")
    trusted[0].expect_reaction(listed)
    installed.bot.rest()
    assert len(repository.dag_runs()) == 5


def test_a_repository_moves_in_the_middle(installed: Installed, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = installed.repository(f"{OWNER}/old", written({"unit": checks(test=until_there(gate))}))
    pull = repository.opened()
    run = pull.expect_running("test")

    repository.rename("new", by=DEVELOPER)
    asked = pull.says("/test nosuch")
    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    gate.touch()

    pull.expect_status("preflight/unit", "success")
    pull.expect_comment("**`unit` passed**")
    installed.bot.rest()
    (found,) = installed.airflow.runs(run.id)
    assert found.state == "success"
    pull.pushed()
    pull.expect_status("preflight/unit", "success")
    (again,) = pull.expect_dag_runs("success")
    assert again.conf["REPO_NAME"] == "new"

    repository.transfer(ANOTHER, by=DEVELOPER)  # which this bot does not serve
    pull.pushed()
    installed.bot.rest()
    assert pull.statuses() == []


def test_installations_change_without_a_run(installed: Installed) -> None:
    """What we hear of our own installation starts nothing, and what we may see is asked for anew."""
    github, bot = installed.github, installed.bot
    repository = installed.repository("hooli/app", written(UNIT))
    installation = github.install(installed.app, "hooli", [])
    github.install(installed.app, "hooli", [repository.full_name])
    github.suspend(installation)
    github.unsuspend(installation)
    github.uninstall(installation)

    bot.rest()
    assert repository.dag_runs() == []


def test_events_that_mean_nothing_are_taken_and_counted(installed: Installed) -> None:
    repository = installed.repository(f"{OWNER}/noise", written(UNIT))

    def ignored(event: str) -> float:
        name = f'preflight_deliveries_handled_total{{event="{event}",result="ignored"}}'
        return installed.bot.figures("worker").get(name, 0)

    before = ignored("watch")
    repository.star(DEVELOPER)
    repository.deliver("workflow_job", "queued", by=DEVELOPER)
    repository.deliver("something_new", by=DEVELOPER, payload={"ref": None})
    repository.deliver("pull_request", "assigned", by=DEVELOPER, payload={"pull_request": {}})
    repository.open_issue(DEVELOPER)

    installed.bot.rest()
    heard = [
        each
        for each in installed.github.settle()
        if each.payload.get("repository", {}).get("id") == repository.id
    ]
    assert {each.status_code for each in heard if each.event != "ping"} == {202}
    assert ignored("watch") > before
    assert ignored("workflow_job") == ignored("something_new") == 1
    assert repository.dag_runs() == []
