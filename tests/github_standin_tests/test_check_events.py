"""What GitHub tells about check runs and suites, and the buttons that people press."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.github_standin import StandinError

from .test_checks import OUTPUT, make

if TYPE_CHECKING:
    from tests.github_standin import Pull, Repository, Standin
    from tests.github_standin.records import App

    from .conftest import Api, Receiver

RETRY = {"label": "Retry failed", "description": "Run what failed again", "identifier": "retry"}


@pytest.fixture
def pull(github: Standin, repository: Repository, app: App, receiver: Receiver) -> Pull:
    """A pull request of which all was told already."""
    pull = repository.open_pull("alice", branch="fix", files={"new.txt": ""})
    github.settle()
    receiver.received.clear()
    return pull


def told(github: Standin, receiver: Receiver) -> list[str]:
    github.settle()
    return receiver.names()


class TestAPush:
    def test_asks_for_checks(self, app: App, repository: Repository, receiver: Receiver) -> None:
        before = repository.tip()
        after = repository.push("alice", {"README.md": "two\n"})
        asked = receiver.wait_for("check_suite.requested").payload
        suite = asked["check_suite"]
        assert (suite["head_sha"], suite["before"], suite["after"]) == (after, before, after)
        assert (suite["head_branch"], suite["status"], suite["conclusion"]) == ("main", "queued", None)
        assert (asked["installation"]["id"], asked["sender"]["login"]) == (app.installations["acme"], "alice")

    @pytest.mark.usefixtures("pull")
    def test_asks_once_for_a_commit(
        self, github: Standin, repository: Repository, receiver: Receiver
    ) -> None:
        repository.push("alice", {"x": ""}, branch="other")
        repository.call("tag", by="alice", name="v1", sha=repository.tip("other"))
        repository.delete_branch("alice", "other")
        assert told(github, receiver) == ["push", "check_suite.requested", "push", "push"]

    @pytest.mark.usefixtures("app")
    def test_of_a_fork_asks_for_none(
        self, github: Standin, repository: Repository, receiver: Receiver
    ) -> None:
        repository.open_pull("mallory", branch="theirs", files={"new.txt": ""}, fork=True)
        assert told(github, receiver) == ["pull_request.opened"]

    def test_asks_only_apps_that_may_write_checks(
        self, github: Standin, repository: Repository, receiver: Receiver
    ) -> None:
        repository.hook(receiver.url, "s3cret", events=["check_suite"])
        github.app("reader", webhook_url=receiver.url, permissions={"checks": "read", "metadata": "read"})
        repository.push("alice", {"x": ""})
        assert "check_suite.requested" not in told(github, receiver)


class TestAWrittenCheckRun:
    def test_is_told_when_new_and_when_complete(
        self, github: Standin, checks: Api, pull: Pull, receiver: Receiver
    ) -> None:
        made = make(checks, pull, external_id="pf:1", status="in_progress", output=OUTPUT)
        for _ in range(2):
            checks.patch(f"/check-runs/{made['id']}", conclusion="success")
        assert told(github, receiver) == ["check_run.created", "check_run.completed", "check_suite.completed"]
        created, completed, suite = (each.payload for each in receiver.received)
        assert created["check_run"]["status"] == "in_progress"
        assert created["check_run"]["external_id"] == "pf:1"
        assert [each["number"] for each in created["check_run"]["pull_requests"]] == [pull.number]
        assert created["sender"]["login"] == "preflight[bot]"
        assert completed["check_run"]["conclusion"] == "success"
        assert completed["check_run"]["check_suite"]["id"] == suite["check_suite"]["id"]
        assert (suite["check_suite"]["conclusion"], suite["check_suite"]["latest_check_runs_count"]) == (
            "success",
            1,
        )

    def test_born_complete_is_both(
        self, github: Standin, checks: Api, pull: Pull, receiver: Receiver
    ) -> None:
        make(checks, pull, conclusion="skipped")
        assert told(github, receiver) == ["check_run.created", "check_run.completed", "check_suite.completed"]

    def test_that_goes_on_can_be_completed_again(
        self, github: Standin, checks: Api, pull: Pull, receiver: Receiver
    ) -> None:
        made = make(checks, pull, conclusion="failure")
        checks.patch(f"/check-runs/{made['id']}", status="in_progress")
        checks.patch(f"/check-runs/{made['id']}", conclusion="success")
        assert told(github, receiver).count("check_run.completed") == 2

    def test_is_told_to_other_hooks_that_listen(
        self, github: Standin, repository: Repository, checks: Api, pull: Pull, receiver: Receiver
    ) -> None:
        hook = repository.hook(receiver.url, "s3cret", events=["check_run"])
        make(checks, pull)
        pull.rerequest("alice", "unit")
        github.settle()
        assert [each.action for each in github.deliveries(hook_id=hook)] == [None, "created"]


class TestButtons:
    def test_are_told_to_the_app(
        self, github: Standin, checks: Api, pull: Pull, app: App, receiver: Receiver
    ) -> None:
        github.app("other", webhook_url=receiver.url)
        made = make(checks, pull, external_id="pf:1", conclusion="failure", actions=[RETRY])
        pull.click("alice", "unit", "retry")
        clicked = receiver.wait_for("check_run.requested_action").payload
        assert clicked["requested_action"] == {"identifier": "retry"}
        assert (clicked["check_run"]["id"], clicked["check_run"]["external_id"]) == (made["id"], "pf:1")
        assert (clicked["sender"]["login"], clicked["installation"]["id"]) == (
            "alice",
            app.installations["acme"],
        )
        assert told(github, receiver).count("check_run.requested_action") == 1

    def test_of_a_fork_name_no_pull_request(
        self, repository: Repository, checks: Api, receiver: Receiver
    ) -> None:
        pull = repository.open_pull("mallory", branch="theirs", files={"new.txt": ""}, fork=True)
        make(checks, pull, external_id="pf:2", actions=[RETRY])
        pull.click("alice", "unit", "retry")
        clicked = receiver.wait_for("check_run.requested_action").payload["check_run"]
        assert (clicked["pull_requests"], clicked["external_id"]) == ([], "pf:2")
        assert clicked["check_suite"]["head_branch"] is None

    def test_rerun_leaves_the_check_run_as_it_is(self, checks: Api, pull: Pull, receiver: Receiver) -> None:
        make(checks, pull, conclusion="failure")
        pull.rerequest("alice", "unit")
        told = receiver.wait_for("check_run.rerequested").payload["check_run"]
        assert (told["conclusion"], told["check_suite"]["status"]) == ("failure", "queued")
        assert pull.conclusion_of("unit") == "failure"
        (suite,) = checks.get(f"/commits/{pull.head_sha}/check-suites").json()["check_suites"]
        assert (suite["status"], suite["conclusion"]) == ("queued", None)

    def test_rerun_all_asks_for_the_suite(self, checks: Api, pull: Pull, receiver: Receiver) -> None:
        make(checks, pull, conclusion="failure")
        pull.rerequest_suite("alice")
        told = receiver.wait_for("check_suite.rerequested").payload
        assert (told["check_suite"]["head_sha"], told["sender"]["login"]) == (pull.head_sha, "alice")

    @pytest.mark.parametrize("login", ["mallory", "bob"])
    def test_are_not_there_for_who_only_reads(
        self, repository: Repository, checks: Api, pull: Pull, login: str
    ) -> None:
        repository.permit("bob", "triage")
        make(checks, pull, actions=[RETRY])
        with pytest.raises(StandinError, match="may not write"):
            pull.click(login, "unit", "retry")
        with pytest.raises(StandinError, match="may not write"):
            pull.rerequest(login, "unit")
        with pytest.raises(StandinError, match="may not write"):
            pull.rerequest_suite(login)

    def test_that_are_not_there(self, github: Standin, checks: Api, pull: Pull, receiver: Receiver) -> None:
        make(checks, pull, actions=[RETRY])
        with pytest.raises(StandinError, match="has no button 'cancel'; there are: retry"):
            pull.click("alice", "unit", "cancel")
        with pytest.raises(StandinError, match="no check run 'lint'"):
            pull.click("alice", "lint", "retry")
        with pytest.raises(StandinError, match="no check run 'lint'"):
            pull.rerequest("alice", "lint")
        with pytest.raises(StandinError, match="no check suite"):
            pull.rerequest_suite("alice", sha="1" * 40)
        assert told(github, receiver) == ["check_run.created"]

    def test_tell_nobody_after_the_app_is_gone(
        self, github: Standin, checks: Api, pull: Pull, app: App, receiver: Receiver
    ) -> None:
        make(checks, pull, actions=[RETRY])
        github.suspend(app.installations["acme"])
        pull.click("alice", "unit", "retry")
        assert told(github, receiver) == ["check_run.created", "installation.suspend"]


class TestWhatIsRequired:
    def test_keeps_a_pull_request_from_being_merged(
        self, repository: Repository, checks: Api, pull: Pull
    ) -> None:
        repository.require("unit", "lint")
        made = make(checks, pull)
        checks.post(f"/statuses/{pull.head_sha}", state="failure", context="lint")
        why = [
            'Required status check "unit" is in progress.',
            'Required status check "lint" is failing.',
        ]
        assert pull.unmet() == why
        with pytest.raises(StandinError, match="unit"):
            pull.merge("alice")
        checks.patch(f"/check-runs/{made['id']}", conclusion="neutral")
        checks.post(f"/statuses/{pull.head_sha}", state="success", context="lint")
        assert pull.unmet() == []
        protection = checks.get("/branches/main").json()
        assert protection["protected"]
        assert protection["protection"]["required_status_checks"]["contexts"] == ["unit", "lint"]
        pull.merge("alice")

    def test_is_both_where_a_status_has_a_check_runs_name(
        self, repository: Repository, checks: Api, pull: Pull
    ) -> None:
        repository.require("unit")
        assert pull.unmet() == ['Required status check "unit" is expected.']
        checks.post(f"/statuses/{pull.head_sha}", state="success", context="unit")
        assert pull.unmet() == []
        make(checks, pull, conclusion="cancelled")
        assert pull.unmet() == ['Required status check "unit" is failing.']
        make(checks, pull, conclusion="success")
        assert pull.unmet() == []

    def test_blocks(self, repository: Repository, checks: Api, pull: Pull) -> None:
        repository.require("unit")
        checks.get(f"/pulls/{pull.number}")
        assert checks.get(f"/pulls/{pull.number}").json()["mergeable_state"] == "blocked"
        repository.require()
        assert checks.get(f"/pulls/{pull.number}").json()["mergeable_state"] == "clean"

    def test_is_asked_of_a_merge_groups_own_head(
        self, repository: Repository, checks: Api, pull: Pull
    ) -> None:
        repository.require("unit")
        make(checks, pull, conclusion="success")
        group = pull.enqueue("alice")
        with pytest.raises(StandinError, match="expected"):
            group.merge()
        checks.post("/check-runs", name="unit", head_sha=group.head_sha, conclusion="success")
        assert ([each.conclusion for each in group.check_runs()], group.unmet()) == (["success"], [])
        assert group.merge() == repository.tip()
