"""From a delivery to a stored decision, beyond pushes and tests: approvals, branches, what surrounds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import AirflowUnavailable
from bot.models import CancelKind, Dag, Permission
from bot.policy.configuration import PATH
from bot.policy.operator import TAG
from tests.examples import (
    HEAD,
    REPOSITORY,
    TIP,
    at,
    branch,
    delivery,
    pull,
    repository_payload,
    sha,
    user_payload,
)
from tests.intake.working import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Branch, Delivery

pytestmark = pytest.mark.postgres

MALLORYS = pull(author="mallory", head_repository="mallory/widgets")
GROUP = branch("gh-readonly-queue/main/pr-12-1a2b", head_sha=sha(5), merge_group=True)


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def configure(bot: Bot, yaml: str, tip: str = sha(9)) -> None:
    """The base branch has this configuration now."""
    bot.github.put_tip(REPOSITORY, "main", tip, {PATH: yaml.encode()})


def queue(bot: Bot, action: str, group: Branch = GROUP) -> Delivery:
    """A merge queue says something about its group."""
    sent = delivery(
        "merge_group",
        {
            "action": action,
            "merge_group": {
                "head_sha": group.head_sha,
                "head_ref": f"refs/heads/{group.name}",
                "base_ref": "refs/heads/main",
                "base_sha": TIP,
            },
            "repository": repository_payload(),
            "sender": user_payload("github-merge-queue"),
        },
    )
    bot.hear(sent)
    return sent


def push(bot: Bot, head: str, *, changed: str = "src/app.py") -> Delivery:
    """Somebody pushed to the base branch."""
    sent = delivery(
        "push",
        {
            "ref": "refs/heads/main",
            "before": TIP,
            "after": head,
            "deleted": False,
            "forced": False,
            "commits": [{"added": [], "modified": [changed], "removed": []}],
            "repository": repository_payload(),
            "sender": user_payload("rita"),
        },
    )
    bot.hear(sent)
    return sent


class TestAnApproval:
    def test_lets_the_head_run_and_is_remembered(self, bot: Bot) -> None:
        bot.hear_of_pull("opened", of=MALLORYS, sender="mallory")
        bot.hear_comment(f"/ok-to-test {HEAD[:12]}", author="rita")
        bot.work()
        assert [run.pipeline for run in bot.runs()] == ["unit"]
        history = bot.ledger.history(REPOSITORY, 12, HEAD)
        assert history.approved == {HEAD}
        assert history.notice == ""

    def test_is_told_to_airflow_for_nobody_trusts_the_author(self, bot: Bot) -> None:
        bot.hear_of_pull("opened", of=MALLORYS, sender="mallory")
        bot.hear_comment(f"/ok-to-test {HEAD[:12]}", author="rita")
        bot.work()
        (run,) = bot.runs()
        assert run.conf["preflight"]["trusted"] is False  # type: ignore[index]  # it is a dict

    def test_is_gone_with_the_next_push(self, bot: Bot) -> None:
        bot.hear_of_pull("opened", of=MALLORYS, sender="mallory")
        bot.hear_comment(f"/ok-to-test {HEAD[:12]}", author="rita")
        later = replace(MALLORYS, head_sha=sha(2), updated_at=at(60))
        bot.work()
        bot.hear_of_pull("synchronize", of=later, sender="mallory")
        bot.work()
        assert {run.head_sha for run in bot.runs()} == {HEAD}
        assert bot.waiting(head=sha(2))["preflight/unit"].description == "waiting for /ok-to-test"
        assert f"/ok-to-test {sha(2)[:12]}" in bot.ledger.history(REPOSITORY, 12, sha(2)).notice


class TestAMergeGroup:
    def test_is_tested_at_its_own_head(self, bot: Bot) -> None:
        queue(bot, "checks_requested")
        bot.work()
        (run,) = bot.runs(GROUP.number)
        assert (run.head_sha, run.branch, run.base_ref) == (GROUP.head_sha, GROUP.name, "main")
        assert (run.conf["PULL_NUMBER"], run.conf["JOB_TYPE"]) == ("", "batch")
        assert run.conf["PULL_BASE_SHA"] == TIP

    def test_is_tested_once(self, bot: Bot) -> None:
        queue(bot, "checks_requested")
        queue(bot, "checks_requested")
        bot.work()
        assert len(bot.runs(GROUP.number)) == 1

    def test_that_is_taken_apart_stops(self, bot: Bot) -> None:
        queue(bot, "checks_requested")
        queue(bot, "destroyed")
        bot.work()
        assert [run.cancel_kind for run in bot.runs(GROUP.number)] == [CancelKind.CLOSED]

    def test_that_was_taken_apart_before_we_hear_of_it_never_starts(self, bot: Bot) -> None:
        queue(bot, "destroyed")
        queue(bot, "checks_requested")
        bot.work()
        assert bot.runs(GROUP.number) == ()


class TestAPushToTheBase:
    def test_runs_what_listens_to_it(self, bot: Bot) -> None:
        configure(bot, "pipelines: {nightly: {dag: checks, on: push}}", tip=sha(7))
        push(bot, sha(7))
        bot.work()
        (run,) = bot.runs(branch().number)
        assert (run.head_sha, run.branch, run.conf["JOB_TYPE"]) == (sha(7), "main", "postsubmit")

    def test_that_mends_the_configuration_starts_what_waited_for_it(self, bot: Bot) -> None:
        configure(bot, "pipelines: {unit: {dga: checks}}")
        bot.hear_of_pull("opened")
        bot.work()
        assert bot.waiting()["preflight/config"].state.value == "failure"
        configure(bot, "pipelines: {unit: {dag: checks}}", tip=sha(8))
        push(bot, sha(8), changed=PATH)
        bot.work()
        assert bot.waiting()["preflight/config"].state.value == "success"
        assert bot.ledger.history(REPOSITORY, 12, HEAD).notice == ""
        assert [run.pipeline for run in bot.runs()] == ["unit"]

    def test_that_comes_twice_has_it_looked_at_once(self, bot: Bot) -> None:
        configure(bot, "pipelines: 3")
        bot.hear_of_pull("opened")
        bot.work()
        sent = push(bot, sha(9), changed=PATH)
        bot.hear(sent)
        bot.work()
        with bot.database.begin() as connection:
            count = connection.execute(text("SELECT count(*) FROM deliveries WHERE event = 'recheck'"))
            assert count.scalar_one() == 1


class TestDagsThatAreNotAllowed:
    YAML = "pipelines:\n  unit:\n    dag: secret\n    params: {stepz: 1}\n"

    def test_are_told_with_their_line(self, bot: Bot) -> None:
        configure(bot, self.YAML)
        bot.dags.known["secret"] = Dag("secret", frozenset({TAG}), paused=False, params={"steps": {}})
        bot.hear_of_pull("opened")
        bot.work()
        notice = bot.ledger.history(REPOSITORY, 12, HEAD).notice
        assert f"{PATH}:4:" in notice
        assert "steps" in notice
        assert bot.runs() == ()

    def test_are_not_checked_while_airflow_is_down_and_asked_for_only_once(self, bot: Bot) -> None:
        configure(bot, "pipelines: {a: {dag: a}, b: {dag: b}}")
        bot.dags.error = AirflowUnavailable("Airflow is down")
        bot.hear_of_pull("opened")
        bot.work()
        assert len(bot.runs()) == 2
        assert bot.dags.asked == 1


class TestRules:
    def test_limits_and_timeouts_are_stored_with_the_run(self, bot: Bot) -> None:
        configure(
            bot,
            "max_concurrency: 3\n"
            "pipelines: {unit: {dag: checks, timeout: 30m, max_concurrency: 1, optional: true}}",
        )
        bot.hear_of_pull("opened")
        bot.work()
        (run,) = bot.runs()
        assert (run.rules.timeout, run.rules.optional) == (1800, True)
        assert {limit.key: limit.most for limit in run.rules.limits} == {
            "repository:42": 3,
            "pipeline:42:unit": 1,
        }

    def test_inputs_are_given_to_the_dag(self, bot: Bot) -> None:
        configure(
            bot,
            "pipelines: {unit: {dag: checks, params: {steps: {a: b}}, "
            "inputs: {gpu: {type: boolean, default: false}, zone: {default: b}}}}",
        )
        bot.hear_comment("/test unit gpu=true")
        bot.work()
        (run,) = bot.runs()
        assert (run.conf["gpu"], run.conf["zone"]) == (True, "b")
        assert run.context == "preflight/unit (gpu=true)"

    def test_a_dry_run_has_no_verdict(self, bot: Bot) -> None:
        bot.hear_comment("/dryrun unit")
        bot.work()
        (run,) = bot.runs()
        assert (run.dryrun, run.comment_id, run.conf["dryrun"]) == (True, 5001, True)
        assert bot.ledger.history(REPOSITORY, 12, HEAD).verdicts == {}


class TestAround:
    def test_a_new_name_is_learned(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.work()
        renamed = replace(REPOSITORY, full_name="acme/gadgets")
        payload = {"action": "renamed", "repository": repository_payload(renamed)}
        bot.hear(delivery("repository", payload))
        bot.work()
        assert [run.repository.full_name for run in bot.runs()] == ["acme/gadgets"]

    def test_an_installation_starts_nothing(self, bot: Bot) -> None:
        payload = {
            "action": "created",
            "installation": {"id": 7, "account": user_payload("acme")},
            "repositories": [{"id": 42, "full_name": "acme/widgets", "private": False}],
        }
        sent = delivery("installation", payload)
        bot.hear(sent)
        bot.work()
        assert bot.state(sent)[0] == "ignored"


class TestCalls:
    """A decision with warm caches asks GitHub twice, a cold one six times and once for each 100 files."""

    def test_of_a_push(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.work()
        asked = bot.github.counts()
        assert sum(asked.values()) <= 7, asked

    def test_of_a_comment(self, bot: Bot) -> None:
        bot.github.put_role(REPOSITORY, "bob", Permission.WRITE)
        bot.hear_comment("/test", author="bob")
        bot.work()
        asked = bot.github.counts()
        assert sum(asked.values()) <= 7, asked
