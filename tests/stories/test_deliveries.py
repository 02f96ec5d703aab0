"""GitHub tells things twice, in the wrong order, or under another name: what was asked for is done once."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import TYPE_CHECKING

import requests

from tests.stories.bots import WEBHOOK_SECRET
from tests.stories.pulls import DEVELOPER, STRANGER, checks

if TYPE_CHECKING:
    from tests.github_standin import Standin
    from tests.github_standin.records import Delivery
    from tests.stories.bots import Bot
    from tests.stories.conftest import MakeRepository
    from tests.stories.pulls import StoryRepository

UNIT = {"unit": checks(test="true")}


def told_of(repository: StoryRepository, action: str) -> Delivery:
    """The delivery that told of what the developer did."""
    found = [
        each
        for each in repository.standin.settle()
        if each.action == action
        and each.payload.get("repository", {}).get("id") == repository.id
        and each.payload["sender"]["login"] == DEVELOPER
    ]
    assert len(found) == 1
    return found[0]


def deliver_anew(bot: Bot, delivery: Delivery, *, secret: str = WEBHOOK_SECRET) -> requests.Response:
    """The same payload under another delivery id, signed."""
    body = json.dumps(delivery.payload).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    anew = {"X-GitHub-Delivery": str(uuid.uuid4()), "X-Hub-Signature-256": signature}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(bot.webhook, data=body, headers={**delivery.headers, **anew}, timeout=10)


def test_a_delivery_that_comes_twice_counts_once(repository_with: MakeRepository, github: Standin) -> None:
    repository = repository_with(UNIT)
    github.delivery_fault("duplicate", event="pull_request")
    github.delivery_fault("duplicate", event="issue_comment")

    pull = repository.opened()
    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success")

    asked = pull.says("/test unit")
    pull.expect_reaction(asked)
    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success", "success")


def test_what_is_redelivered_counts_once(repository_with: MakeRepository, github: Standin, bot: Bot) -> None:
    repository = repository_with(UNIT)
    pull = repository.opened()
    asked = pull.says("/test unit\n/test nosuch")
    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    opened, created = told_of(repository, "opened"), told_of(repository, "created")

    for delivery in (opened, created):
        github.redeliver(delivery.id)
        answer = deliver_anew(bot, delivery)
        assert (answer.status_code, answer.text) == (202, "stored\n")
    pull.expect_status("preflight/unit", "success")
    bot.rest()
    runs = len(pull.dag_runs())
    for delivery in (opened, created):
        deliver_anew(bot, delivery)
    bot.rest()

    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    assert len(pull.dag_runs()) == runs <= 2
    started = [run.conf["preflight"]["delivery"] for run in pull.dag_runs()]
    assert started[-1] == created.guid
    assert set(started) <= {opened.guid, created.guid}
    assert len(set(started)) == len(started)


def test_a_push_is_run_once_whatever_tells_of_it(repository_with: MakeRepository, bot: Bot) -> None:
    repository = repository_with(UNIT)
    pull = repository.opened()
    pull.push(DEVELOPER, {"src/app.py": "print('more')\n"})
    pushed = told_of(repository, "synchronize")
    deliver_anew(bot, pushed)

    pull.expect_status("preflight/unit", "success")
    bot.rest()
    deliver_anew(bot, pushed)
    bot.rest()

    at_head = [run for run in pull.dag_runs() if run.conf["PULL_PULL_SHA"] == pull.head_sha]
    assert [run.state for run in at_head] == ["success"]


def test_what_nobody_signed_is_not_believed(repository_with: MakeRepository, bot: Bot) -> None:
    repository = repository_with(UNIT)
    pull = repository.opened()
    pull.expect_status("preflight/unit", "success")
    forged = told_of(repository, "opened")
    bot.rest()
    before = bot.figures()

    assert deliver_anew(bot, forged, secret="another secret").status_code == 401

    bot.rest()
    after = bot.figures()
    stored = [name for name in after if name.startswith("preflight_deliveries{")]
    assert {name: before.get(name) for name in stored} == {name: after[name] for name in stored}
    pull.expect_dag_runs("success")


def test_everything_is_heard_the_other_way_round(repository_with: MakeRepository, github: Standin) -> None:
    repository = repository_with(UNIT)
    for event in ("pull_request", "issue_comment"):
        github.delivery_fault("hold", event=event, times=50)
    pushed = repository.opened(branch="pushed", draft=True)
    pushed.ready(DEVELOPER)
    pushed.pushed()
    closed = repository.opened(branch="closed")
    closed.says("/test")
    closed.pushed()
    closed.close(DEVELOPER)
    drafted = repository.opened(branch="drafted")
    drafted.draft(DEVELOPER)
    approved = repository.opened(branch="approved", by=STRANGER, fork=True)
    approved.says(f"/ok-to-test {approved.head_sha[:12]}")
    swapped = repository.opened(branch="swapped", fork=True)
    swapped.pushed(by=STRANGER)

    github.release_deliveries(newest_first=True)

    for pull in (pushed, approved):
        pull.expect_status("preflight/unit", "success")
        pull.expect_dag_runs("success")
    drafted.expect_status("preflight/unit", "pending", "waits until ready for review")
    swapped.expect_status("preflight/unit", "pending", "waiting for /ok-to-test")
    for pull in (closed, drafted, swapped):
        pull.expect_dag_runs()


def test_a_group_s_end_is_heard_before_its_beginning(
    repository_with: MakeRepository, github: Standin
) -> None:
    repository = repository_with({"unit": checks(test="true") | {"on": "merge_group"}})
    pulls = [repository.opened(branch=name, files={f"src/{name}.py": "print()\n"}) for name in ("one", "two")]
    github.delivery_fault("hold", event="merge_group", times=50)
    gone = pulls[0].enqueue(DEVELOPER)
    gone.dequeue(DEVELOPER)
    kept = pulls[1].enqueue(DEVELOPER)

    github.release_deliveries(newest_first=True)

    repository.expect_status(kept.head_sha, "preflight/unit", "success")
    repository.bot.rest()
    assert [run.conf["PULL_PULL_SHA"] for run in repository.dag_runs()] == [kept.head_sha]
    assert all(status.state == "error" for status in gone.combined().values())
