"""Events beside those of pull requests: installations, repositories, bots, and deliveries that are late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.github_standin import StandinError

if TYPE_CHECKING:
    from tests.github_standin import Repository, Standin
    from tests.github_standin.records import App

    from .conftest import Receiver


class TestInstallations:
    def test_made_and_gone(self, github: Standin, app: App, receiver: Receiver) -> None:
        made = github.install(app, "other", by="alice")
        created = receiver.wait_for("installation.created").payload
        assert created["installation"]["id"] == made
        assert created["installation"]["account"]["login"] == "other"
        assert (created["repositories"], created["sender"]["login"]) == ([], "alice")
        token = github.installation_token(app.installations["acme"])
        github.uninstall(app.installations["acme"])
        deleted = receiver.wait_for("installation.deleted").payload
        assert [each["full_name"] for each in deleted["repositories"]] == ["acme/app"]
        assert asked(github, token) == 401

    def test_suspended(self, github: Standin, app: App, repository: Repository, receiver: Receiver) -> None:
        installation = app.installations["acme"]
        token = github.installation_token(installation)
        github.suspend(installation, by="root")
        told = receiver.wait_for("installation.suspend").payload["installation"]
        assert told["suspended_by"]["login"] == "root"
        assert told["suspended_at"]
        repository.push("alice", {"unheard": ""})
        assert asked(github, token) == 403
        github.unsuspend(installation)
        repository.push("alice", {"heard": ""})
        assert receiver.wait_for("push").payload["commits"][0]["added"] == ["heard"]
        receiver.wait_for("check_suite.requested")
        told = ["installation.suspend", "installation.unsuspend", "push", "check_suite.requested"]
        assert receiver.names() == told
        assert asked(github, token) == 200

    def test_on_other_repositories(self, github: Standin, app: App, receiver: Receiver) -> None:
        github.repository("acme/two")
        added = receiver.wait_for("installation_repositories.added").payload
        assert [each["full_name"] for each in added["repositories_added"]] == ["acme/two"]
        assert added["repository_selection"] == "all"
        github.install(app, "acme", ["two"], by="alice")
        removed = receiver.wait_for("installation_repositories.removed").payload
        assert [each["full_name"] for each in removed["repositories_removed"]] == ["acme/app"]
        assert (removed["repository_selection"], removed["sender"]["login"]) == ("selected", "alice")

    def test_that_are_not_there(self, github: Standin) -> None:
        with pytest.raises(StandinError, match="no installation 1"):
            github.suspend(1)


def asked(github: Standin, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{github.api_url}/installation/repositories", headers=headers, timeout=5).status_code


class TestRepositories:
    def test_renamed(self, repository: Repository, receiver: Receiver) -> None:
        repository.hook(receiver.url, "s3cret")
        repository.rename("better", by="root")
        told = receiver.wait_for("repository.renamed").payload
        assert told["changes"]["repository"]["name"]["from"] == "app"
        assert (told["repository"]["full_name"], told["sender"]["login"]) == ("acme/better", "root")

    @pytest.mark.parametrize(("to", "back"), [("other", "organization"), ("zoe", "user")])
    def test_transferred(
        self, github: Standin, repository: Repository, receiver: Receiver, to: str, back: str
    ) -> None:
        repository.hook(receiver.url, "s3cret")
        github.user("zoe")
        repository.transfer(to)
        told = receiver.wait_for("repository.transferred").payload
        assert told["changes"]["owner"]["from"]["organization"]["login"] == "acme"
        assert told["repository"]["full_name"] == repository.full_name == f"{to}/app"
        repository.transfer("acme")
        told = receiver.wait_for("repository.transferred", 2).payload
        assert told["changes"]["owner"]["from"][back]["login"] == to
        assert ("organization" in told) is True

    def test_an_old_owner_leads_to_the_new(self, github: Standin, repository: Repository) -> None:
        repository.transfer("other")
        answer = requests.get(f"{github.api_url}/repos/acme/app", timeout=5)
        assert (answer.status_code, answer.json()["full_name"]) == (200, "other/app")

    def test_what_means_nothing(self, repository: Repository, receiver: Receiver) -> None:
        repository.hook(receiver.url, "s3cret", events=["*"])
        repository.star("mallory")
        receiver.wait_for("watch.started")
        assert receiver.names() == ["star.created", "watch.started"]


class TestBots:
    def test_open_label_push_and_comment(self, repository: Repository, receiver: Receiver) -> None:
        repository.hook(receiver.url, "s3cret")
        pull = repository.open_pull("renovate[bot]", branch="bump", files={"lock": "2"})
        pull.comment("renovate", "/test", bot=True)
        opened = receiver.wait_for("pull_request.opened").payload
        for account in (opened["sender"], opened["pull_request"]["user"]):
            assert (account["login"], account["type"]) == ("renovate[bot]", "Bot")
        comment = receiver.wait_for("issue_comment.created").payload["comment"]
        assert (comment["user"]["type"], comment["performed_via_github_app"]) == ("Bot", None)

    def test_of_registered_apps_name_the_app(
        self, github: Standin, repository: Repository, receiver: Receiver
    ) -> None:
        github.app("renovate", owner="acme")
        repository.hook(receiver.url, "s3cret")
        repository.open_pull("alice", files={"new": ""}).comment("renovate[bot]", "/test")
        comment = receiver.wait_for("issue_comment.created").payload["comment"]
        assert comment["performed_via_github_app"]["slug"] == "renovate"


def test_auto_merge(repository: Repository, receiver: Receiver) -> None:
    pull = repository.open_pull("alice", files={"new": ""})
    repository.hook(receiver.url, "s3cret")
    pull.auto_merge("alice")
    assert pull.show().auto_merge
    pull.auto_merge("alice", on=False)
    enabled = receiver.wait_for("pull_request.auto_merge_enabled").payload["pull_request"]["auto_merge"]
    assert enabled["enabled_by"]["login"] == "alice"
    assert receiver.wait_for("pull_request.auto_merge_disabled").payload["pull_request"]["auto_merge"] is None


@pytest.mark.parametrize("newest_first", [False, True])
def test_deliveries_wait_until_they_are_released(
    github: Standin, repository: Repository, receiver: Receiver, *, newest_first: bool
) -> None:
    repository.hook(receiver.url, "s3cret", events=["pull_request"])
    receiver.wait_for("ping")
    github.delivery_fault("hold", event="pull_request", action="opened")
    github.delivery_fault("hold", action="closed")
    pull = repository.open_pull("alice", files={"new": ""})
    pull.close("alice")
    pull.reopen("alice")
    receiver.wait_for("pull_request.reopened")
    assert receiver.names() == ["pull_request.reopened"]
    github.release_deliveries(newest_first=newest_first)
    github.settle()
    late = ["pull_request.opened", "pull_request.closed"]
    assert receiver.names()[1:] == (late[::-1] if newest_first else late)
