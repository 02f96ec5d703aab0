"""Clicks on check runs: who clicks is treated as one who comments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events
from bot.events.check_suite import SuiteEvent
from bot.events.click import Asks, ClickEvent
from bot.events.click_on_branch import BranchClickEvent, branch_of
from bot.events.rerun import rerun
from bot.events.types import Ignored
from bot.models import (
    CLICK,
    CancelKind,
    Outcome,
    Permission,
    Phase,
    Step,
    StepState,
    click_id,
    external_id,
    read_external_id,
)
from bot.policy.decision import Answer, CancelRuns, DecisionKind, Rerun, StartRun
from tests.examples import (
    HEAD,
    NOON,
    REPOSITORY,
    branch,
    delivery,
    pull,
    repository_payload,
    run,
    sha,
    user_payload,
)
from tests.policy.deciding import Known, answer, dry_run, resumed, started

if TYPE_CHECKING:
    from bot.events.types import Event
    from bot.models import Run
    from bot.policy.decision import Decision

INPUTS = "pipelines: {e2e: {dag: checks, inputs: {zone: {default: a}}}}"


def clicked(
    action: str = "rerequested",
    *,
    on: Run | None = None,
    number: int = 12,
    name: str = "preflight/unit",
    sender: str = "alice",
    **fields: object,
) -> Event:
    """A `check_run` delivery, read."""
    payload: dict[str, object] = {
        "action": action,
        "check_run": {
            "name": name,
            "head_sha": HEAD,
            "external_id": external_id(number, on),
            "check_suite": {"head_branch": "main"},
            "pull_requests": [],
        },
        "repository": repository_payload(),
        "sender": user_payload(sender),
        **fields,
    }
    return events.parse(delivery("check_run", payload))


def button(identifier: str, *, on: Run | None = None, sender: str = "alice") -> Event:
    """One of our buttons."""
    return clicked("requested_action", on=on, sender=sender, requested_action={"identifier": identifier})


def failed(pipeline: str = "unit", **fields: object) -> Run:
    """A run that failed in Airflow an hour ago."""
    one = replace(
        run(pipeline),
        phase=Phase.FINISHED,
        outcome=Outcome.FAILURE,
        dag_run_id="preflight~1",
        steps=(Step("test", -1, "test", StepState.FAILED),),
        finished_at=NOON - timedelta(hours=1),
    )
    return replace(one, **fields)  # type: ignore[arg-type]  # the names are the test's


class TestExternalIds:
    @given(number=st.integers(-(2**56), 2**31).filter(bool), shows=st.booleans(), again=st.booleans())
    def test_are_read_as_they_were_written(self, number: int, *, shows: bool, again: bool) -> None:
        one = run(run_id="0a" * 16) if shows else None
        if one is not None and again:
            one = replace(one, resumed_at=NOON)
        assert read_external_id(external_id(number, one)) == (number, "0a" * 16 if shows else "")

    def test_a_run_that_goes_on_has_another(self) -> None:
        first = run()
        assert external_id(12, first) != external_id(12, replace(first, resumed_at=NOON))

    @pytest.mark.parametrize("text", ["", "12", "12:", "x::", "12:zz:", "12::\n", "1" * 30 + "::", "١٢::"])
    def test_others_are_none_of_ours(self, text: str) -> None:
        assert read_external_id(text) is None


class TestReading:
    @pytest.mark.parametrize("action", ["created", "completed"])
    def test_what_is_no_click(self, action: str) -> None:
        assert isinstance(clicked(action), Ignored)

    def test_a_foreign_check_run(self) -> None:
        assert isinstance(clicked(name="build"), Ignored)
        assert isinstance(clicked(check_run={"name": "preflight/unit", "external_id": "7"}), Ignored)

    def test_a_foreign_button(self) -> None:
        assert isinstance(button("format-disk"), Ignored)

    def test_of_a_branch_that_is_another(self) -> None:
        assert isinstance(clicked(number=branch("release").number), Ignored)

    def test_a_suite(self) -> None:
        payload = {
            "action": "rerequested",
            "check_suite": {"head_sha": HEAD, "pull_requests": []},
            "repository": repository_payload(),
            "sender": user_payload("alice"),
        }
        assert events.parse(delivery("check_suite", payload)) == SuiteEvent(REPOSITORY, HEAD, "alice")
        assert isinstance(events.parse(delivery("check_suite", payload | {"action": "requested"})), Ignored)


class TestAPullRequest:
    def test_rerun_runs_again_even_what_passed(self) -> None:
        passed = failed(outcome=Outcome.SUCCESS)
        assert started(Known(runs=(passed,)).decide(clicked(on=passed))) == ["unit"]

    def test_rerun_keeps_the_inputs(self) -> None:
        one = failed("e2e", inputs={"zone": "b"})
        (start,) = [
            action
            for action in Known(yaml=INPUTS, runs=(one,)).decide(clicked(on=one, name=one.context)).actions
            if isinstance(action, StartRun)
        ]
        assert (start.name, start.inputs) == ("e2e", {"zone": "b"})

    def test_retry_goes_on_where_it_failed(self) -> None:
        one = failed()
        assert resumed(Known(runs=(one,)).decide(button("retry", on=one))) == ["unit"]

    def test_cancel(self) -> None:
        going = run()
        decision = Known(runs=(going,)).decide(button("cancel", on=going))
        assert [
            (action.runs, action.kind) for action in decision.actions if isinstance(action, CancelRuns)
        ] == [((going,), CancelKind.COMMAND)]

    def test_cancel_means_the_run_that_was_clicked_on(self) -> None:
        """Others of the same pipeline, with other inputs, go on."""
        one, other = run(), replace(run(), inputs={"zone": "b"})
        decision = Known(runs=(one, other)).decide(button("cancel", on=other))
        assert [action.runs for action in decision.actions if isinstance(action, CancelRuns)] == [(other,)]

    def test_cancel_of_a_run_that_ended_stops_no_other(self) -> None:
        ended, going = failed(), run()
        decision = Known(runs=(ended, going)).decide(button("cancel", on=ended))
        assert not any(action.runs for action in decision.actions if isinstance(action, CancelRuns))

    def test_dry_run_is_answered_though_there_is_no_comment(self) -> None:
        one = failed()
        decision = Known(runs=(one,)).decide(button("dryrun", on=one))
        assert dry_run(decision) == ["unit"]
        assert started(decision) == []
        assert [
            action.comment_id for action in decision.actions if isinstance(action, Answer | StartRun)
        ] == [
            CLICK,
            CLICK,
        ]

    @pytest.mark.parametrize("identifier", ["retry", "cancel", "dryrun"])
    def test_on_what_only_waits_for_an_approval(self, identifier: str) -> None:
        known = Known(pull=replace(pull(), author="mallory"))
        decision = known.decide(button(identifier, sender="mallory"))
        assert started(decision) == dry_run(decision) == []

    def test_a_stranger_is_told_who_may(self) -> None:
        known = Known(runs=(run(),))
        decision = known.decide(button("cancel", on=run(), sender="mallory"))
        assert decision.kind is DecisionKind.DENY
        assert (answer(decision) or "").startswith("@mallory, about your click")

    @pytest.mark.parametrize("late", ["rerequested", "retry"])
    def test_a_click_has_its_consequence_once_under_whatever_id_it_is_delivered(self, late: str) -> None:
        shown = failed()
        click = clicked(on=shown) if late == "rerequested" else button("retry", on=shown)
        for now in (
            (shown, failed(created_at=NOON + timedelta(minutes=1))),
            (replace(shown, resumed_at=NOON - timedelta(minutes=1)),),
        ):
            decision = Known(runs=now).decide(click)
            assert started(decision) == resumed(decision) == []
            assert "click on that one" in (answer(decision) or "")

    def test_an_old_head_is_said_and_nothing_runs(self) -> None:
        known = Known(pull=replace(pull(), head_sha=sha(9)))
        decision = known.decide(clicked(on=failed()))
        assert started(decision) == []
        said = answer(decision) or ""
        assert HEAD[:7] in said
        assert sha(9)[:7] in said

    def test_a_closed_one_is_left_alone(self) -> None:
        known = Known(pull=replace(pull(), open=False))
        assert known.decide(clicked(on=failed())).actions == ()

    def test_the_configurations_own_is_looked_at_again(self) -> None:
        assert started(Known().decide(clicked(name="preflight/config"))) == ["unit"]

    def test_each_click_has_an_answer_of_its_own(self) -> None:
        assert click_id("d-1") < 0
        assert click_id("d-1") != click_id("d-2")


class TestASuite:
    def decide(self, *numbers: int) -> Decision:
        return Known(pulls_at={HEAD: numbers}).decide(SuiteEvent(REPOSITORY, HEAD, "alice"))

    def test_asks_each_pull_request_in_its_own_lane(self) -> None:
        assert self.decide(12, 13).actions == (
            Rerun(REPOSITORY, 12, HEAD),
            Rerun(REPOSITORY, 13, HEAD),
        )

    def test_of_a_head_that_moved(self) -> None:
        assert self.decide().kind is DecisionKind.IGNORE

    def test_runs_all_that_is_automatic(self) -> None:
        sent = rerun(REPOSITORY, 12, HEAD, sender="alice", because="d-1")
        event = events.parse(sent)
        assert event == ClickEvent(REPOSITORY, 12, HEAD, "", "", Asks.RERUN, "alice")
        assert sent.lane == "42#12"
        passed = failed(outcome=Outcome.SUCCESS)
        assert started(Known(runs=(passed,)).decide(event)) == ["unit"]

    def test_nobody_else_may_send_it(self) -> None:
        assert events.is_ours("rerun")


class TestABranch:
    GROUP = branch_of(REPOSITORY, f"gh-readonly-queue/release/1/pr-12-{sha(3)}", HEAD)

    def click(self, asks: Asks, one: Run, sender: str = "alice") -> Decision:
        known = Known(branch=self.GROUP, runs=(one,), tip=HEAD)
        return known.decide(BranchClickEvent(self.GROUP, one.id, asks, sender))

    def run_of_it(self, **fields: object) -> Run:
        there: dict[str, object] = {"number": self.GROUP.number, "base_ref": self.GROUP.base_ref}
        return replace(failed(), **(there | fields))  # type: ignore[arg-type]  # the names are the test's

    def test_a_merge_group_is_known_by_its_name(self) -> None:
        assert (self.GROUP.merge_group, self.GROUP.base_ref, self.GROUP.before) == (True, "release/1", sha(3))
        assert branch_of(REPOSITORY, "main", HEAD) == branch("main", base_ref="main", before="")

    @pytest.mark.parametrize("asks", [Asks.RETRY, Asks.RERUN])
    def test_what_failed_goes_on(self, asks: Asks) -> None:
        assert resumed(self.click(asks, self.run_of_it())) == ["unit"]

    def test_what_passed_runs_again_only_where_that_was_asked(self) -> None:
        passed = self.run_of_it(outcome=Outcome.SUCCESS)
        assert started(self.click(Asks.RERUN, passed)) == ["unit"]
        assert self.click(Asks.RETRY, passed).actions == ()

    def test_what_runs_is_stopped(self) -> None:
        going = replace(self.run_of_it(), phase=Phase.ACTIVE, outcome=None, finished_at=None)
        decision = self.click(Asks.CANCEL, going)
        assert [type(action) for action in decision.actions] == [CancelRuns]

    def test_a_click_has_its_consequence_once(self) -> None:
        shown = self.run_of_it()
        now = replace(shown, resumed_at=NOON - timedelta(minutes=1))
        known = Known(branch=self.GROUP, runs=(now,), tip=HEAD)
        click = BranchClickEvent(
            self.GROUP, shown.id, Asks.RETRY, "alice", external_id(self.GROUP.number, shown)
        )
        assert known.decide(click).actions == ()

    def test_an_old_commit_is_left_alone(self) -> None:
        """Else the branch would be taken for standing there again."""
        one = self.run_of_it()
        known = Known(branch=self.GROUP, runs=(one,), tip=sha(9))
        decision = known.decide(BranchClickEvent(self.GROUP, one.id, Asks.RERUN, "alice"))
        assert (decision.actions, decision.subject) == ((), None)

    def test_strangers_change_nothing(self) -> None:
        decision = self.click(Asks.RERUN, self.run_of_it(), sender="mallory")
        assert (decision.kind, decision.actions) == (DecisionKind.DENY, ())

    def test_readers_neither(self) -> None:
        known = Known(branch=self.GROUP, runs=(self.run_of_it(),), roles={"bob": Permission.READ}, tip=HEAD)
        event = BranchClickEvent(self.GROUP, self.run_of_it().id, Asks.RETRY, "bob")
        assert known.decide(event).actions == ()
