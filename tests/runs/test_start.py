"""Bring a run into Airflow: once, whatever is lost in between; or say what to mend."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowRefused, AirflowUnavailable, DagRunNotFound, ParamsRefused
from bot.models import Outcome, Phase, RunRef
from bot.policy.operator import Operator, Serve
from bot.runs.conf import run_id_in
from bot.runs.start import StartRules, start
from bot.runs.ticket import Tickets
from tests.examples import run
from tests.fakes.airflow import FakeAirflow

if TYPE_CHECKING:
    from bot.errors import PreflightError
    from bot.models import Run

RULES = StartRules("demo", lambda: Operator((Serve(("acme/*",)),)))
WITH_TICKETS = replace(RULES, tickets=Tickets("the App's private key"))
STEPS = {"steps": {"test": "pytest -q"}}
FIRST = "preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~1"
SECOND = FIRST[:-1] + "2"


@dataclass
class Airflow:
    """An Airflow, and the ids that were intended before it was asked."""

    fake: FakeAirflow = field(default_factory=FakeAirflow)
    intended: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.fake.add_dag("checks", params={"steps": {"type": "object"}})

    def start(self, one: Run, rules: StartRules = RULES) -> Run:
        return start(one, self.fake, rules, self.intend)

    def intend(self, dag_run_id: str) -> bool:
        self.intended.append(dag_run_id)
        return dag_run_id not in self.taken

    def hold(self, dag_run_id: str, run_id: str) -> None:
        """Somebody triggered a DAG run of that name before."""
        self.fake.trigger(RunRef("checks", dag_run_id), {"preflight": {"run_id": run_id}}, "")


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


def listing(dag: str) -> StartRules:
    """An operator who lists the DAGs."""
    return StartRules("demo", lambda: Operator((Serve(("acme/*",), dags=(dag,)),)))


def wanted(dag: str = "checks", **params: object) -> Run:
    return run(attempt=1, dag_id=dag, params=params or STEPS)


class TestTriggers:
    def test_with_the_runs_conf(self, airflow: Airflow) -> None:
        one = wanted()
        started = airflow.start(one)
        assert (started.phase, started.dag_run_id) == (Phase.ACTIVE, FIRST)
        assert airflow.fake.runs[RunRef("checks", FIRST)].conf == one.conf

    def test_with_a_name_that_was_remembered_before(self, airflow: Airflow) -> None:
        def intend(dag_run_id: str) -> bool:
            assert airflow.fake.runs == {}
            airflow.intended.append(dag_run_id)
            return True

        start(wanted(), airflow.fake, RULES, intend)
        assert airflow.intended == [FIRST]

    def test_for_a_branch_too(self, airflow: Airflow) -> None:
        one = replace(wanted(), number=-1, branch="main")
        started = airflow.start(one)
        assert started.dag_run_id is not None
        assert "~main:" in started.dag_run_id
        assert airflow.fake.runs[RunRef("checks", started.dag_run_id)].note == "acme/widgets@main by alice"

    def test_and_a_note_for_people_in_airflow(self, airflow: Airflow) -> None:
        airflow.start(wanted())
        assert airflow.fake.runs[RunRef("checks", FIRST)].note == "acme/widgets#12 by alice"


class TestTickets:
    """Airflow alone gets one, where a step needs it and we can exchange it."""

    TICKET = re.compile("pft_[0-9a-f]{64}")

    def private(self, **changed: bool) -> Run:
        one = replace(wanted(), **changed)  # type: ignore[arg-type]  # the names are the test's
        return replace(one, repository=replace(one.repository, private=True))

    def sent(self, airflow: Airflow, one: Run, rules: StartRules) -> str:
        airflow.start(one, rules)
        return json.dumps(airflow.fake.runs[RunRef("checks", FIRST)].conf)

    def test_a_run_of_a_private_repository_gets_one(self, airflow: Airflow) -> None:
        one = self.private()
        started = airflow.start(one, WITH_TICKETS)
        conf = airflow.fake.runs[RunRef("checks", FIRST)].conf
        ticket = conf["preflight"]["ticket"]  # type: ignore[index]  # it is a dict
        assert self.TICKET.fullmatch(ticket)
        assert run_id_in(conf) == one.id
        assert started.conf == one.conf
        assert not self.TICKET.search(repr(started.conf))

    def test_started_once_more_it_gets_the_same(self, airflow: Airflow) -> None:
        one = self.private()
        before = self.sent(airflow, one, WITH_TICKETS)
        airflow.fake.delete(RunRef("checks", FIRST))
        assert self.sent(airflow, one, WITH_TICKETS) == before

    @pytest.mark.parametrize(
        ("private", "dryrun", "rules"),
        [
            pytest.param(False, False, WITH_TICKETS, id="anybody-can-clone-it"),
            pytest.param(True, True, WITH_TICKETS, id="nothing-is-cloned"),
            pytest.param(True, False, RULES, id="we-can-not-exchange-it"),
        ],
    )
    def test_others_get_none(
        self, airflow: Airflow, *, private: bool, dryrun: bool, rules: StartRules
    ) -> None:
        one = self.private(dryrun=dryrun)
        one = replace(one, repository=replace(one.repository, private=private))
        assert "ticket" not in self.sent(airflow, one, rules)

    @pytest.mark.parametrize(
        ("url", "trusted"),
        [
            pytest.param("https://github.example/acme/widgets.git", True, id="github"),
            pytest.param("https://evil.example/acme/widgets.git", False, id="another-host"),
            pytest.param("https://github.example.evil.example/acme/widgets.git", False, id="that-begins-so"),
            pytest.param("https://github.example@evil.example/a/w.git", False, id="as-a-user-s-name"),
            pytest.param("http://github.example/acme/widgets.git", False, id="in-the-open"),
        ],
    )
    def test_only_what_is_cloned_from_github_gets_one(
        self, airflow: Airflow, url: str, *, trusted: bool
    ) -> None:
        """A push's delivery says what to clone. Forged, it could have our token sent elsewhere."""
        one = self.private()
        one = replace(one, conf={**one.conf, "CLONE_URL": url})
        rules = replace(WITH_TICKETS, github_url="https://github.example")
        assert ("ticket" in self.sent(airflow, one, rules)) is trusted

    @pytest.mark.parametrize("kind", [ParamsRefused, AirflowRefused, AirflowUnavailable])
    def test_whatever_airflow_says_of_its_conf_does_not_tell_it(
        self, airflow: Airflow, kind: type[PreflightError]
    ) -> None:
        one = self.private()
        ticket = Tickets("the App's private key").issue(one.id, "acme/widgets")
        airflow.fake.fail_next(
            "trigger", kind(f"Invalid input for param preflight: {{'ticket': '{ticket}'}}")
        )
        try:
            said = airflow.start(one, WITH_TICKETS).reason
        except AirflowUnavailable as error:
            said = str(error)
        assert "'ticket': '[redacted]'" in said
        assert ticket not in said


class TestNeverTwice:
    def test_a_repeated_trigger_is_adopted(self, airflow: Airflow) -> None:
        one = wanted()
        assert airflow.start(one) == airflow.start(one)
        assert len(airflow.fake.runs) == 1

    def test_a_lost_answer_is_asked_again_and_adopted(self, airflow: Airflow) -> None:
        one = wanted()
        airflow.fake.lose_next_answer("trigger")
        with pytest.raises(AirflowUnavailable):
            airflow.start(one)
        assert airflow.start(one).dag_run_id == FIRST
        assert len(airflow.fake.runs) == 1

    REFUSALS = (
        pytest.param({"paused": True}, id="paused"),
        pytest.param({"import_error": True}, id="broken"),
        pytest.param({"tags": ()}, id="not allowed any more"),
        pytest.param({"params": {"steps": {"type": "string"}}}, id="with other params"),
        pytest.param(None, id="gone"),
    )

    def refuse(self, airflow: Airflow, changed: dict[str, object] | None) -> None:
        """From now on the DAG may not be started any more."""
        if changed is None:
            airflow.fake.remove_dag("checks")
        else:
            airflow.fake.add_dag("checks", **{"params": {"steps": {}}} | changed)  # type: ignore[arg-type]  # the table's

    @pytest.mark.parametrize("changed", REFUSALS)
    def test_what_has_begun_is_adopted_though_it_could_not_begin_now(
        self, airflow: Airflow, changed: dict[str, object] | None
    ) -> None:
        one = wanted()
        airflow.fake.lose_next_answer("trigger")
        with pytest.raises(AirflowUnavailable):
            airflow.start(one)
        self.refuse(airflow, changed)
        now = airflow.start(replace(one, dag_run_id=airflow.intended[-1], note="waiting for Airflow"))
        assert (now.phase, now.dag_run_id, now.note) == (Phase.ACTIVE, FIRST, "")
        assert len(airflow.fake.runs) == 1

    @pytest.mark.parametrize("changed", REFUSALS)
    @pytest.mark.parametrize("holder", [None, "another run's id"], ids=["nobody", "another run"])
    def test_what_has_not_begun_is_refused(
        self, airflow: Airflow, changed: dict[str, object] | None, holder: str | None
    ) -> None:
        if holder:
            airflow.hold(FIRST, holder)
        self.refuse(airflow, changed)
        over = airflow.start(replace(wanted(), dag_run_id=FIRST))
        assert (over.phase, over.outcome) == (Phase.FINISHED, Outcome.ERROR)

    def test_who_asks_for_the_first_time_is_refused_without_another_look(self, airflow: Airflow) -> None:
        self.refuse(airflow, {"paused": True})
        airflow.start(wanted())
        assert airflow.fake.calls == {"dag": 1}

    def test_a_run_that_is_not_ours_is_never_adopted(self, airflow: Airflow) -> None:
        airflow.hold(FIRST, "another run's id")
        started = airflow.start(wanted())
        assert started.dag_run_id == SECOND
        assert airflow.intended == [FIRST, SECOND]

    def test_nor_one_without_our_mark(self, airflow: Airflow) -> None:
        airflow.fake.trigger(RunRef("checks", FIRST), {}, "")
        assert airflow.start(wanted()).dag_run_id == SECOND

    def test_a_name_that_another_run_of_ours_has_is_left_to_it(self, airflow: Airflow) -> None:
        airflow.taken.add(FIRST)
        assert airflow.start(wanted()).dag_run_id == SECOND
        assert list(airflow.fake.runs) == [RunRef("checks", SECOND)]

    def test_beyond_reason_it_gives_up(self, airflow: Airflow) -> None:
        for attempt in range(1, 60):
            airflow.hold(f"{FIRST[:-1]}{attempt}", "another")
        started = airflow.start(wanted())
        assert (started.phase, started.outcome) == (Phase.FINISHED, Outcome.ERROR)


class TestRefuses:
    def error(self, airflow: Airflow, one: Run, rules: StartRules = RULES) -> str:
        over = airflow.start(one, rules)
        assert (over.phase, over.outcome) == (Phase.FINISHED, Outcome.ERROR)
        assert airflow.fake.runs == {}, "nothing may be left in Airflow"
        return over.reason

    def test_a_dag_that_is_not_there(self, airflow: Airflow) -> None:
        assert self.error(airflow, wanted("cheks")) == "DAG 'cheks' not found"

    def test_one_without_the_tag(self, airflow: Airflow) -> None:
        airflow.fake.add_dag("deploy_production", tags=["prod"], params={"steps": {}})
        assert "not allowed" in self.error(airflow, wanted("deploy_production"))

    def test_one_that_the_operator_does_not_allow(self, airflow: Airflow) -> None:
        assert "not allowed here" in self.error(airflow, wanted(), listing("other"))

    def test_one_that_is_paused(self, airflow: Airflow) -> None:
        airflow.fake.add_dag("checks", paused=True, params={"steps": {}})
        assert "paused" in self.error(airflow, wanted())

    def test_one_that_can_not_be_imported(self, airflow: Airflow) -> None:
        airflow.fake.add_dag("checks", import_error=True, params={"steps": {}})
        assert "import" in self.error(airflow, wanted())

    def test_a_param_that_it_does_not_know(self, airflow: Airflow) -> None:
        reason = self.error(airflow, wanted(stesp={}))
        assert "'stesp'" in reason
        assert "did you mean 'steps'" in reason

    def test_an_input_that_it_does_not_know(self, airflow: Airflow) -> None:
        one = replace(wanted(steps={}, browser="firefox"), inputs={"browser": "firefox"})
        assert self.error(airflow, one) == "DAG 'checks' has no param 'browser'"

    def test_a_param_of_the_wrong_kind(self, airflow: Airflow) -> None:
        assert "steps" in self.error(airflow, wanted(steps=3))

    def test_what_airflow_refuses(self, airflow: Airflow) -> None:
        airflow.fake.fail_next("trigger", AirflowRefused("Airflow refuses (403): no role"))
        assert "no role" in self.error(airflow, wanted())


class TestResumes:
    @pytest.fixture
    def ended(self, airflow: Airflow) -> Run:
        """A run whose first step failed, and that is to go on."""
        started = airflow.start(wanted())
        assert started.ref is not None
        airflow.fake.fail(started.ref, "one")
        found = airflow.fake.look([started.ref])[started.ref]
        assert found is not None
        airflow.intended.clear()
        return replace(started, phase=Phase.RESUMING, steps=found.steps)

    def test_the_same_dag_run(self, airflow: Airflow, ended: Run) -> None:
        now = airflow.start(ended)
        assert (now.phase, now.dag_run_id, now.note) == (Phase.ACTIVE, FIRST, "")
        assert airflow.fake.resumed == [ended.ref]
        assert len(airflow.fake.runs) == 1
        assert now.steps == ended.steps, "until Airflow tells of them"

    def test_it_once_though_the_answer_is_lost(self, airflow: Airflow, ended: Run) -> None:
        airflow.fake.lose_next_answer("resume")
        with pytest.raises(AirflowUnavailable):
            airflow.start(ended)
        assert airflow.start(ended).phase is Phase.ACTIVE
        assert airflow.fake.resumed == [ended.ref]

    def test_anew_if_somebody_deleted_it(self, airflow: Airflow, ended: Run) -> None:
        assert ended.ref is not None
        airflow.fake.delete(ended.ref)
        now = airflow.start(ended)
        assert (now.phase, now.dag_run_id, now.steps) == (Phase.ACTIVE, FIRST, ())
        assert airflow.fake.calls["trigger"] == 2

    def test_anew_if_it_goes_at_the_last_moment(self, airflow: Airflow, ended: Run) -> None:
        airflow.fake.fail_next("resume", DagRunNotFound("gone"))
        assert airflow.start(ended).phase is Phase.ACTIVE

    def test_anew_if_it_never_got_to_airflow(self, airflow: Airflow) -> None:
        one = replace(wanted(), phase=Phase.RESUMING)
        assert airflow.start(one).dag_run_id == FIRST

    def test_never_one_that_is_not_ours(self, airflow: Airflow) -> None:
        airflow.hold(FIRST, "another")
        airflow.fake.fail(RunRef("checks", FIRST), "one")
        now = airflow.start(replace(wanted(), phase=Phase.RESUMING, dag_run_id=FIRST))
        assert now.dag_run_id == SECOND
        assert airflow.fake.resumed == []

    @pytest.mark.parametrize(
        ("mended", "reason"),
        [
            ({"paused": True}, "DAG 'checks' is paused: unpause it in Airflow"),
            ({"import_error": True}, "DAG 'checks' can't be imported: see Airflow's import errors"),
            ({"tags": ()}, "DAG 'checks' is not allowed: it has no tag 'preflight'"),
        ],
        ids=["paused", "broken", "not allowed any more"],
    )
    def test_nothing_that_may_not_run_now(
        self, airflow: Airflow, ended: Run, mended: dict[str, object], reason: str
    ) -> None:
        airflow.fake.add_dag("checks", params={"steps": {}}, **mended)  # type: ignore[arg-type]  # the table's
        over = airflow.start(ended)
        assert (over.outcome, over.reason) == (Outcome.ERROR, reason)
        assert airflow.fake.resumed == []


def test_an_allowed_dag_needs_no_tag(airflow: Airflow) -> None:
    airflow.fake.add_dag("checks", tags=[], params={"steps": {}})
    assert airflow.start(wanted(), listing("che*")).phase is Phase.ACTIVE


@pytest.mark.parametrize("method", ["dag", "trigger", "conf"])
def test_an_outage_is_for_later(airflow: Airflow, method: str) -> None:
    airflow.hold(FIRST, "another")
    airflow.fake.fail_next(method, AirflowUnavailable("down"))
    with pytest.raises(AirflowUnavailable):
        airflow.start(wanted())
