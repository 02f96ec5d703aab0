"""Deliveries: which, when, how signed, and the log of them."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
import requests
from github import Auth, GithubIntegration

from tests.github_standin import wait_for, webhooks

from .test_apps import get, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github

    from tests.github_standin import Repository, Standin

    from .conftest import Receiver


@pytest.fixture
def hook(repository: Repository, receiver: Receiver) -> int:
    return repository.hook(receiver.url, "s3cret")


def test_a_delivery_is_signed(repository: Repository, hook: int, receiver: Receiver) -> None:
    repository.open_pull("alice", branch="fix", files={"new.txt": ""}, title="Ünïcode ✓")
    opened = receiver.wait_for("pull_request.opened")
    assert opened.signed_with("s3cret")
    assert not opened.signed_with("other")
    legacy = hmac.new(b"s3cret", opened.body, hashlib.sha1).hexdigest()
    assert opened.headers["X-Hub-Signature"] == f"sha1={legacy}"
    assert opened.headers["Content-Type"] == "application/json"
    assert opened.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert opened.headers["X-GitHub-Hook-ID"] == str(hook)
    assert opened.headers["X-GitHub-Hook-Installation-Target-Type"] == "repository"
    assert opened.payload["pull_request"]["title"] == "Ünïcode ✓"


def test_a_hook_without_a_secret_signs_nothing(repository: Repository, receiver: Receiver) -> None:
    repository.hook(receiver.url, "")
    assert "X-Hub-Signature-256" not in receiver.wait_for("ping").headers


def test_the_life_of_a_pull_request(repository: Repository, hook: int, receiver: Receiver) -> None:
    repository.push("alice", {"README.md": "two\n"}, branch="next")
    pull = repository.open_pull("alice", branch="fix", files={"new.txt": ""}, draft=True)
    pull.ready("alice")
    pull.draft("alice")
    pull.ready("alice")
    pull.edit("alice", title="Better", base="next")
    pull.label("alice", "help")
    pull.unlabel("alice", "help")
    comment = pull.comment("mallory", "/test")
    pull.edit_comment("mallory", comment.id, "/test all")
    pull.delete_comment("mallory", comment.id)
    pull.push("alice", {"new.txt": "2"})
    pull.close("alice")
    pull.reopen("alice")
    pull.merge("alice")
    receiver.wait_for("pull_request.closed", times=2)
    assert receiver.names() == [
        "push",
        "push",
        "pull_request.opened",
        "pull_request.ready_for_review",
        "pull_request.converted_to_draft",
        "pull_request.ready_for_review",
        "pull_request.edited",
        "pull_request.labeled",
        "pull_request.unlabeled",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
        "push",
        "pull_request.synchronize",
        "pull_request.closed",
        "pull_request.reopened",
        "push",
        "pull_request.closed",
    ]
    by_name = {each.name: each.payload for each in receiver.received}
    assert by_name["pull_request.opened"]["pull_request"]["draft"]
    assert by_name["pull_request.edited"]["changes"]["base"]["ref"] == {"from": "main"}
    assert by_name["issue_comment.edited"]["changes"] == {"body": {"from": "/test"}}
    assert by_name["pull_request.closed"]["pull_request"]["merged"]
    assert "installation" not in by_name["push"]


def test_a_comments_payload_does_not_know_the_head(
    repository: Repository, hook: int, receiver: Receiver
) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    pull.comment("mallory", "/test")
    created = receiver.wait_for("issue_comment.created")
    assert pull.head_sha.encode() not in created.body
    assert created.payload["issue"]["pull_request"]["html_url"] == pull.html_url
    assert created.payload["comment"]["author_association"] == "NONE"
    issue = repository.pull(repository.open_issue("mallory"))
    issue.comment("mallory", "/test")
    assert "pull_request" not in receiver.wait_for("issue_comment.created", times=2).payload["issue"]


def test_the_bots_own_comment_is_delivered_too(
    repository: Repository, hook: int, receiver: Receiver, connect: Callable[[str], Github]
) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    connect("root").get_repo("acme/app").get_issue(pull.number).create_comment("from the bot")
    assert receiver.wait_for("issue_comment.created").payload["sender"]["login"] == "root"


def test_an_app_gets_its_installation_with_each_delivery(
    github: Standin, repository: Repository, receiver: Receiver
) -> None:
    app = github.app("preflight", webhook_url=receiver.url, webhook_secret="app secret")
    elsewhere = github.repository("other/thing")
    elsewhere.open_pull("alice", files={"new.txt": ""})
    repository.open_pull("alice", files={"new.txt": ""})
    opened = receiver.wait_for("pull_request.opened")
    assert opened.signed_with("app secret")
    assert opened.payload["installation"]["id"] == app.installations["acme"]
    assert opened.payload["repository"]["full_name"] == "acme/app"
    assert opened.headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    github.settle()
    assert receiver.names().count("pull_request.opened") == 1


def test_a_failed_delivery_is_logged_and_sent_again_only_when_asked(
    github: Standin, repository: Repository, hook: int, receiver: Receiver, connect: Callable[[str], Github]
) -> None:
    receiver.wait_for("ping")
    receiver.status = 500
    repository.open_pull("alice", branch="one", files={"new.txt": ""})
    github.settle()
    receiver.status = 202
    found = connect("root").get_repo("acme/app")
    log = list(found.get_hook_deliveries(hook))
    assert [(each.event, each.status_code) for each in log] == [
        ("pull_request", 500),
        ("push", 500),
        ("ping", 202),
    ]
    failed = found.get_hook_delivery(hook, int(log[0].id or 0)).raw_data
    assert failed["request"]["payload"]["action"] == "opened"
    assert failed["request"]["headers"]["X-GitHub-Delivery"] == failed["guid"]
    assert failed["status"] == "Invalid HTTP Response: 500"
    headers = {"Authorization": f"token {github.user('root').token}"}
    again = requests.post(
        f"{github.api_url}/repos/acme/app/hooks/{hook}/deliveries/{failed['id']}/attempts",
        headers=headers,
        timeout=5,
    )
    assert again.status_code == 202
    repeated = receiver.wait_for("pull_request.opened", times=2)
    assert repeated.headers["X-GitHub-Delivery"] == failed["guid"]
    github.settle()
    newest = next(iter(found.get_hook_deliveries(hook)))
    assert (newest.guid, newest.redelivery, newest.status_code) == (failed["guid"], True, 202)
    assert newest.id != failed["id"]


def test_an_app_reads_its_delivery_log_page_by_page(
    github: Standin, repository: Repository, receiver: Receiver
) -> None:
    app = github.app("preflight", webhook_url=receiver.url, webhook_secret="x")
    pull = repository.open_pull("alice", files={"new.txt": ""})
    for number in range(5):
        pull.comment("alice", f"comment {number}")
    everything = github.settle()
    token = signed(app)
    page = get(github, "/app/hook/deliveries?per_page=3", token)
    seen = [each["id"] for each in page.json()]
    while "next" in page.links:
        page = requests.get(
            page.links["next"]["url"], headers={"Authorization": f"Bearer {token}"}, timeout=5
        )
        seen += [each["id"] for each in page.json()]
    assert seen == [each.id for each in reversed(everything)]
    one = get(github, f"/app/hook/deliveries/{seen[0]}", token).json()
    assert one["request"]["payload"]["comment"]["body"] == "comment 4"
    requests.post(
        f"{github.api_url}/app/hook/deliveries/{seen[0]}/attempts",
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )
    wait_for(lambda: len(receiver.received) == len(everything) + 1)
    assert (
        GithubIntegration(auth=Auth.AppAuth(app.id, app.private_key), base_url=github.api_url).get_app().id
        == app.id
    )


def test_a_receiver_that_is_down_or_moves(
    github: Standin, repository: Repository, receiver: Receiver
) -> None:
    hook = repository.hook("http://127.0.0.1:9/webhook", "s3cret")
    (ping,) = github.settle()
    assert (ping.status, ping.status_code) == ("failed to connect to host", 502)
    github.set_webhook(hook, receiver.url, "new secret")
    assert receiver.wait_for("ping").signed_with("new secret")
    github.redeliver(ping.id)
    receiver.wait_for("ping", times=2)


def test_a_receiver_that_is_too_slow(
    github: Standin, repository: Repository, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhooks.TIMEOUT == 10
    monkeypatch.setattr(webhooks, "TIMEOUT", 0.1)
    receiver.delay = 0.5
    repository.hook(receiver.url, "s3cret")
    (ping,) = github.settle()
    assert (ping.status, ping.status_code) == ("timed out", 504)


def test_the_log_reaches_back_three_days(
    github: Standin, repository: Repository, hook: int, receiver: Receiver
) -> None:
    receiver.wait_for("ping")
    old = github.settle()[-1]
    github.age_deliveries(3 * 24 * 3600)
    repository.open_pull("alice", branch="fix", files={"new.txt": ""})
    github.settle()
    repository.permit("carol", "admin")
    token = github.user("carol").token

    log = get(github, f"/repos/acme/app/hooks/{hook}/deliveries", token).json()

    assert [each["event"] for each in log] == ["pull_request", "push"]
    gone = f"{github.api_url}/repos/acme/app/hooks/{hook}/deliveries/{old.id}/attempts"
    answer = requests.post(gone, headers={"Authorization": f"token {token}"}, timeout=10)
    assert answer.status_code == 404


def test_deliveries_are_timed(github: Standin, repository: Repository, hook: int, receiver: Receiver) -> None:
    repository.open_pull("alice", files={"new.txt": ""})
    receiver.wait_for("pull_request.opened")
    for delivery in github.settle():
        assert delivery.sent_at is not None
        assert delivery.answered_at is not None
        assert delivery.created_at <= delivery.sent_at <= delivery.answered_at


def test_a_dropped_delivery_is_only_in_the_log(
    github: Standin, repository: Repository, hook: int, receiver: Receiver
) -> None:
    github.delivery_fault("drop", event="pull_request")
    pull = repository.open_pull("alice", files={"new.txt": ""})
    pull.close("alice")
    receiver.wait_for("pull_request.closed")
    assert receiver.names() == ["push", "pull_request.closed"]
    lost = next(each for each in github.deliveries(event="pull_request"))
    assert (lost.status_code, lost.sent_at) == (502, None)
    github.redeliver(lost.id)
    receiver.wait_for("pull_request.opened")


def test_a_duplicate_has_the_same_guid(
    github: Standin, repository: Repository, hook: int, receiver: Receiver
) -> None:
    github.delivery_fault("duplicate", event="pull_request")
    repository.open_pull("alice", files={"new.txt": ""})
    twin = receiver.wait_for("pull_request.opened", times=2)
    first = receiver.wait_for("pull_request.opened")
    assert first is not twin
    assert first.headers["X-GitHub-Delivery"] == twin.headers["X-GitHub-Delivery"]


def test_a_delayed_delivery_is_passed_by_others(
    github: Standin, repository: Repository, hook: int, receiver: Receiver
) -> None:
    github.delivery_fault("delay", event="pull_request", seconds=0.3)
    pull = repository.open_pull("alice", files={"new.txt": ""})
    pull.close("alice")
    receiver.wait_for("pull_request.opened")
    assert receiver.names() == ["push", "pull_request.closed", "pull_request.opened"]


def test_deliveries_can_be_reordered(
    github: Standin, repository: Repository, hook: int, receiver: Receiver
) -> None:
    github.delivery_fault("reorder", times=3)
    pull = repository.open_pull("alice", files={"new.txt": ""})
    pull.close("alice")
    pull.reopen("alice")
    receiver.wait_for("pull_request.reopened")
    assert receiver.names() == [
        "pull_request.closed",
        "pull_request.opened",
        "push",
        "pull_request.reopened",
    ]
