from __future__ import annotations

from typing import Any

import pytest

from bot.models import CancelKind, History, Outcome, Phase, StatusState
from bot.policy.configuration import parse
from bot.policy.facts import Base
from bot.simulate.given import Given
from bot.simulate.history import history_of
from bot.simulate.scene import scene_of
from tests.examples import HEAD, pull_payload, sha
from tests.simulate.simulating import CONFIG

BASE = Base(sha(7), parse(CONFIG.encode()))


def history(action: str = "reopened", more: dict[str, Any] | None = None, **facts: Any) -> History:  # noqa: ANN401 - JSON
    given = Given.model_validate(facts)
    payload = pull_payload(action, sender="rita") | (more or {})
    return history_of(given, scene_of("pull_request", payload, given), BASE)


class TestStatuses:
    ENDED = (
        ("success", Outcome.SUCCESS),
        ("failure", Outcome.FAILURE),
        ("error", Outcome.ERROR),
        ("cancelled", Outcome.CANCELLED),
    )

    @pytest.mark.parametrize(("state", "outcome"), ENDED)
    def test_stand_for_a_run_that_ended_so(self, state: str, outcome: Outcome) -> None:
        (run,) = history(statuses={"unit": state}).runs

        assert (run.phase, run.outcome) == (Phase.FINISHED, outcome)
        assert (run.head_sha, run.base_ref, run.base_sha) == (HEAD, "main", BASE.sha)
        assert (run.cancel_kind is CancelKind.COMMAND) == (state == "cancelled")

    @pytest.mark.parametrize(
        ("state", "shown"), [("pending", StatusState.PENDING), ("skipped", StatusState.SUCCESS)]
    )
    def test_that_no_run_stands_behind(self, state: str, shown: StatusState) -> None:
        told = history(statuses={"unit": state})

        assert told.runs == ()
        status = told.verdicts["preflight/unit"].status
        assert status is not None
        assert status.state is shown

    def test_of_the_bot_s_own_contexts_are_no_pipeline_s(self) -> None:
        told = history(statuses={"config": "failure", "preflight/config (proposed)": "success"})

        assert told.runs == ()
        assert {verdict.pipeline for verdict in told.verdicts.values()} == {""}

    @pytest.mark.parametrize("key", ["e2e (gpu=1)", "preflight/e2e (gpu=1)"])
    def test_of_runs_with_inputs(self, key: str) -> None:
        (run,) = history(statuses={key: "failure"}).runs

        assert (run.pipeline, run.inputs, run.context) == ("e2e", {"gpu": 1}, "preflight/e2e (gpu=1)")

    def test_that_are_green_where_runs_know_nothing_were_skipped(self) -> None:
        told = history(statuses={"unit": "success", "docs": "success"}, runs={"unit": "success"})

        assert [run.pipeline for run in told.runs] == ["unit"]
        assert told.verdicts["preflight/docs"].run is None

    def test_that_are_green_over_a_run_that_failed_were_overridden(self) -> None:
        assert (
            history(statuses={"unit": "success"}, runs={"unit": "failure"})
            .verdicts["preflight/unit"]
            .override
        )


class TestRuns:
    @pytest.mark.parametrize(
        ("state", "phase"),
        [("queued", Phase.WANTED), ("running", Phase.ACTIVE), ("failure", Phase.FINISHED)],
    )
    def test_are_where_they_are(self, state: str, phase: Phase) -> None:
        (run,) = history(runs={"unit": state}).runs

        assert run.phase is phase
        assert run.admitted == (state != "queued")

    def test_speak_for_their_status(self) -> None:
        told = history(statuses={"unit": "error"}, runs={"unit": "cancelled"})

        assert [run.outcome for run in told.runs] == [Outcome.CANCELLED]
        assert told.verdicts["preflight/unit"].run == told.runs[0]

    def test_are_for_the_head_before_a_push(self) -> None:
        told = history("synchronize", {"before": sha(3)}, runs={"unit": "running"})

        assert [run.head_sha for run in told.runs] == [sha(3)]
        assert told.verdicts == {}

    def test_are_for_the_base_before_an_edit(self) -> None:
        changes = {"changes": {"base": {"ref": {"from": "dev"}, "sha": {"from": sha(3)}}}}
        told = history("edited", changes, runs={"unit": "running"}, statuses={"e2e": "success"})

        assert {run.base_ref for run in told.runs} == {"dev"}

    def test_of_pipelines_that_are_not_configured_any_more(self) -> None:
        assert [run.pipeline for run in history(runs={"gone": "running"}).runs] == ["gone"]


class TestPushers:
    @pytest.mark.parametrize(
        ("action", "pusher"), [("opened", "rita"), ("synchronize", "rita"), ("reopened", "alice")]
    )
    def test_are_the_sender_of_a_push_else_the_author(self, action: str, pusher: str) -> None:
        assert history(action).pushers == {HEAD: pusher}

    def test_are_who_the_facts_name(self) -> None:
        assert history("synchronize", pusher="mallory").pushers == {HEAD: "mallory"}


class TestApprovals:
    @pytest.mark.parametrize("given", [HEAD, HEAD.upper(), HEAD[:12]], ids=["whole", "upper case", "cut"])
    def test_of_the_head(self, given: str) -> None:
        assert HEAD in history(approved_shas=[given]).approved

    @pytest.mark.parametrize("given", [HEAD[:11], "", sha(3)], ids=["cut too much", "empty", "another"])
    def test_of_something_else(self, given: str) -> None:
        assert HEAD not in history(approved_shas=[given]).approved
