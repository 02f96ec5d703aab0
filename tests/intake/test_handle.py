"""From a delivery to a stored decision, with a real ledger."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.claims import Turn
from bot.errors import GitHubNotFound, GitHubRefused, Overtaken
from bot.intake.worker import MENDABLE_TRIES
from bot.models import CancelKind, Delivery, Permission, Phase, Run
from bot.policy.configuration import PATH
from tests.examples import HEAD, REPOSITORY, TIP, at, delivery, moved, pull, pull_payload, sha
from tests.intake.working import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Change

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestAPush:
    def test_opens_with_a_run_of_each_pipeline(self, bot: Bot) -> None:
        sent = bot.hear_of_pull("opened")
        bot.work()
        (run,) = bot.runs()
        assert (run.pipeline, run.dag_id, run.head_sha, run.base_ref) == ("unit", "checks", HEAD, "main")
        assert (run.phase, run.attempt, run.actor) == (Phase.WANTED, 1, "alice")
        assert bot.state(sent)[0] == "done"

    def test_its_base_is_the_tip_of_the_branch_not_what_the_payload_says(self, bot: Bot) -> None:
        sent = bot.hear_of_pull("opened")
        bot.work()
        conf = bot.runs()[0].conf
        assert conf["PULL_BASE_SHA"] == TIP
        assert TIP not in sent.body.decode()

    def test_its_conf_is_the_contract(self, bot: Bot) -> None:
        sent = bot.hear_of_pull("opened")
        bot.work()
        (run,) = bot.runs()
        assert run.conf["steps"] == {"test": "pytest -q"}
        assert run.conf["BUILD_ID"] == run.id
        ours = run.conf["preflight"]
        assert isinstance(ours, dict)
        assert (ours["delivery"], ours["trigger"], ours["run_id"]) == (sent.id, "push", run.id)
        assert ours["run_page"] == f"https://preflight.example/runs/{run.id}"

    def test_ids_are_128_random_bits(self, bot: Bot) -> None:
        bot.github.put_tip(REPOSITORY, "main", TIP, {PATH: b"pipelines: {a: {dag: x}, b: {dag: x}}"})
        bot.hear_of_pull("opened")
        bot.work()
        ids = {run.id for run in bot.runs()}
        assert len(ids) == 2
        assert all(len(run_id) == 32 and int(run_id, 16) >= 0 for run_id in ids)

    def test_supersedes_the_head_before(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.work()
        bot.hear_of_pull("synchronize", of=moved(pull(), sha(2)))
        bot.work()
        old, new = bot.runs()
        assert (old.cancel, old.cancel_kind) == (f"superseded by {sha(2)[:7]}", CancelKind.PUSH)
        assert (new.head_sha, new.cancel) == (sha(2), None)

    @pytest.mark.parametrize("again", ["opened", "synchronize", "reopened", "ready_for_review"])
    def test_runs_once_per_head_and_base_whatever_delivery_brings_it(self, bot: Bot, again: str) -> None:
        """An App and a repository's hook give one event two ids."""
        for action in ("opened", again, again):
            bot.hear_of_pull(action)
        bot.work()
        assert len(bot.runs()) == 1

    def test_runs_once_even_where_a_slow_worker_lost_its_lease(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While one worker still decides, another took the delivery over and decided first."""
        bot.hear_of_pull("opened")
        late = bot.inbox.claim()
        assert late is not None
        apply = bot.ledger.apply

        def be_overtaken(change: Change) -> bool:
            monkeypatch.setattr(bot.ledger, "apply", apply)
            with bot.database.begin() as connection:
                connection.execute(text("UPDATE deliveries SET lease_until = now() - interval '1 s'"))
            bot.work()
            assert len(bot.runs()) == 1
            return apply(change)

        monkeypatch.setattr(bot.ledger, "apply", be_overtaken)
        with pytest.raises(Overtaken):
            bot.handler.handle(late)
        bot.handler.handle(late)
        assert len(bot.runs()) == 1

    def test_and_where_many_arrive_at_once(self, bot: Bot) -> None:
        for _ in range(12):
            bot.hear_of_pull("opened")
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(bot.work) for _ in range(4)]:
                future.result()
        assert len(bot.runs()) == 1

    def test_by_a_stranger_waits_for_a_maintainer(self, bot: Bot) -> None:
        theirs = pull(author="mallory", head_repository="mallory/widgets")
        bot.hear_of_pull("opened", of=theirs, sender="mallory")
        bot.work()
        assert bot.runs() == ()
        status = bot.waiting()["preflight/unit"]
        assert (status.state.value, status.description) == ("pending", "waiting for /ok-to-test")

    def test_by_a_stranger_to_a_writers_fork_waits(self, bot: Bot) -> None:
        mine = pull(head_repository="alice/widgets")
        bot.hear_of_pull("opened", of=mine)
        bot.work()
        bot.hear_of_pull("synchronize", of=moved(mine, sha(2)), sender="mallory")
        bot.work()
        assert [(run.head_sha, run.cancel is None) for run in bot.runs()] == [(HEAD, False)]
        assert "preflight/unit" in bot.waiting(head=sha(2))

    def test_by_a_stranger_stays_untrusted_when_a_writer_reopens(self, bot: Bot) -> None:
        """Only opened and synchronize say who pushed."""
        mine = pull(head_repository="alice/widgets")
        bot.hear_of_pull("synchronize", of=mine, sender="mallory")
        bot.work()
        bot.hear_of_pull("reopened", of=mine, sender="rita")
        bot.hear_of_pull("ready_for_review", of=mine, sender="alice")
        bot.hear_comment("/test", author="rita")
        bot.work()
        assert bot.runs() == ()

    def test_closing_stops_what_runs(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.work()
        bot.hear_of_pull("closed", of=pull(is_open=False, updated_at=at(60)))
        bot.work()
        assert [run.cancel_kind for run in bot.runs()] == [CancelKind.CLOSED]

    def test_without_a_configuration_nothing_is_stored(self, bot: Bot) -> None:
        bot.github.put_tip(REPOSITORY, "main", sha(9), {})
        sent = bot.hear_of_pull("opened")
        bot.work()
        assert bot.state(sent)[0] == "ignored"
        assert bot.reports.claim_pull() is None

    def test_titles_branches_and_labels_are_data(self, bot: Bot) -> None:
        hostile = "{{ var.value.x }} $(id) `x` \0\ud800"
        bot.hear_of_pull("opened", of=pull(title=hostile, head_ref="-branch", labels=("--upload-pack=x",)))
        bot.work()
        conf = dict(bot.runs()[0].conf)
        ours = conf.pop("preflight")
        assert isinstance(ours, dict)
        untrusted = ours.pop("untrusted")
        assert untrusted["head_ref"] == "-branch"
        assert untrusted["labels"] == ["--upload-pack=x"]
        assert untrusted["title"].startswith("{{ var.value.x }} $(id) `x`")
        everything_else = json.dumps([conf, ours])
        assert not any(part in everything_else for part in ("var.value", "$(id)", "-branch", "upload-pack"))


class TestAComment:
    def test_runs_again(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.hear_comment("/test")
        bot.work()
        assert [(run.attempt, run.cancel_kind) for run in bot.runs()] == [(1, CancelKind.RERUN), (2, None)]
        assert [run.actor for run in bot.runs()] == ["alice", "alice"]

    @pytest.mark.parametrize("body", ["/test", "/cancel", "/tset"])
    def test_is_carried_out_once_whatever_delivery_brings_it(self, bot: Bot, body: str) -> None:
        bot.hear_of_pull("opened")
        bot.work()
        sent = [bot.hear_comment(body) for _ in range(3)]
        bot.work()
        assert len(bot.runs()) == (2 if body == "/test" else 1)
        assert [bot.state(one)[0] for one in sent] == ["done", "ignored", "ignored"]
        claim = bot.reports.claim_pull()
        assert claim is not None
        assert len(bot.reports.pending_replies(claim)) == 1

    def test_cancels(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.hear_comment("/cancel", author="rita")
        bot.work()
        assert [run.cancel for run in bot.runs()] == ["by rita"]

    def test_after_a_cancel_no_repeated_push_starts_again(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.hear_comment("/cancel")
        bot.hear_of_pull("reopened")
        bot.work()
        assert len(bot.runs()) == 1

    def test_of_a_stranger_starts_nothing_and_is_answered(self, bot: Bot) -> None:
        bot.hear_comment("/cancel", author="mallory")
        bot.work()
        assert bot.runs() == ()
        claim = bot.reports.claim_pull()
        assert claim is not None
        assert "write access" in bot.reports.pending_replies(claim)[0].reply.text

    def test_of_our_own_is_ignored(self, bot: Bot) -> None:
        bot.github.put_role(REPOSITORY, bot.github.login, Permission.ADMIN)
        sent = bot.hear_comment("/test", author=bot.github.login)
        bot.work()
        assert bot.state(sent)[0] == "ignored"

    def test_without_a_command_asks_github_nothing(self, bot: Bot) -> None:
        bot.hear_comment("Looks good to me")
        bot.work()
        assert bot.github.count() == 0


class TestTheConfiguration:
    @pytest.mark.parametrize(
        "params",
        [
            '{x: "\\0"}',
            '{x: "\\ud800"}',
            '{"\\0": 1}',
            "{x: .nan}",
            "{x: .inf}",
            "{x: 1e999}",
            "{x: 0x" + "f" * 5000 + "}",
        ],
        ids=["nul", "surrogate", "nul-in-a-name", "nan", "infinity", "too-large", "endless"],
    )
    def test_values_that_json_can_not_hold_are_told_or_stored_but_never_parked(
        self, bot: Bot, params: str
    ) -> None:
        """Nobody waits in the dark: there is a run, or a status that says what is wrong."""
        yaml = f"pipelines: {{unit: {{dag: checks, params: {params}}}}}".encode()
        bot.github.put_tip(REPOSITORY, "main", sha(9), {PATH: yaml})
        sent = bot.hear_of_pull("opened")
        bot.work()
        assert bot.state(sent)[0] == "done", bot.state(sent)
        assert bot.runs() or bot.waiting()["preflight/config"]

    def test_that_is_broken_shows_a_status_and_a_notice(self, bot: Bot) -> None:
        bot.github.put_tip(REPOSITORY, "main", sha(9), {PATH: b"pipelines:\n- unit"})
        bot.hear_of_pull("opened")
        bot.work()
        assert bot.waiting()["preflight/config"].state.value == "failure"
        claim = bot.reports.claim_pull()
        assert claim is not None
        assert "preflight.yaml:" in bot.reports.view(claim).notice


class TestGitHubLags:
    """The API can lag behind the webhook that announced a change."""

    def test_an_older_pull_request_is_asked_for_again(self, bot: Bot) -> None:
        bot.hear(delivery("pull_request", pull_payload("synchronize", of=moved(pull(), sha(2)))))
        bot.work()
        assert bot.runs() == ()
        bot.github.put_pull(moved(pull(), sha(2)), changed=["src/app.py"])
        bot.hurry()
        bot.work()
        assert [run.head_sha for run in bot.runs()] == [sha(2)]

    def test_one_that_is_not_there_yet_too(self, bot: Bot) -> None:
        late = pull(number=13)
        sent = delivery("pull_request", pull_payload("opened", of=late))
        bot.hear(sent)
        bot.work()
        assert bot.state(sent)[0] == "queued"
        bot.github.put_pull(late, changed=["src/app.py"])
        bot.hurry()
        bot.work()
        assert len(bot.runs(13)) == 1

    def test_one_that_never_shows_up_is_parked(self, bot: Bot) -> None:
        sent = delivery("pull_request", pull_payload("opened", of=pull(number=13)))
        bot.hear(sent)
        for _ in range(MENDABLE_TRIES):
            assert bot.state(sent)[0] == "queued"
            bot.work()
            bot.hurry()
        assert bot.state(sent)[0] == "parked"

    def test_whatever_is_missing_later_is_asked_for_again(self, bot: Bot) -> None:
        bot.github.fault(GitHubNotFound("no such branch yet"), "tip")
        bot.hear_of_pull("opened")
        bot.work()
        assert bot.runs() == ()
        bot.hurry()
        bot.work()
        assert len(bot.runs()) == 1


class TestServed:
    def test_others_are_ignored_without_asking_github(self, database: Database) -> None:
        bot = Bot(database, served=("zoo/*",))
        sent = bot.hear_of_pull("opened")
        bot.work()
        assert bot.state(sent) == ("ignored", "acme/widgets is not served")
        assert bot.github.count() == 0


def test_what_github_refuses_for_good_is_raised(bot: Bot) -> None:
    bot.github.fault(GitHubRefused("no permission"), "tip")
    bot.hear_of_pull("opened")
    claim = bot.inbox.claim()
    assert claim is not None
    with pytest.raises(GitHubRefused):
        bot.handler.handle(claim)


def test_a_delivery_decides_the_same_when_it_is_handled_again(bot: Bot) -> None:
    """After a crash between storing and finishing."""
    bot.hear_of_pull("opened")
    claim = bot.inbox.claim()
    assert claim is not None
    bot.handler.handle(claim)
    before = bot.runs()
    bot.handler.handle(claim)
    assert bot.runs() == before


def test_a_run_is_what_the_store_says(bot: Bot) -> None:
    bot.hear_of_pull("opened")
    bot.work()
    (run,) = bot.runs()
    assert isinstance(run, Run)
    bot.runs_store.admit(lambda waiting, _: [Turn(one.id, admitted=True) for one in waiting])
    (claim,) = bot.runs_store.claim_runs(1)
    assert replace(claim.run, admitted=False) == run
    assert isinstance(bot.hear_of_pull("opened"), Delivery)
