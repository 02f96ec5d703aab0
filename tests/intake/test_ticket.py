"""`POST /ticket`: a step shows its run's ticket, once for each of its tries, for a token to clone with."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.errors import AirflowLoginRefused, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.intake import ticket
from bot.metrics import TICKETS as FIGURES
from bot.models import CancelKind, Outcome, Phase, RunRef, StepState
from bot.runs.ticket import Tickets
from tests.examples import HOSTILE, REPOSITORY, run
from tests.fakes.airflow import FakeAirflow
from tests.fakes.github import FakeGitHub
from tests.fakes.tickets import FakeTicketStore

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from bot.models import Run

REF = RunRef("checks", "preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~1")
TICKETS = Tickets("the App's private key")
SECRET = replace(REPOSITORY, private=True)


def private_run() -> Run:
    """An active run of a private repository."""
    one = run(repository=SECRET)
    conf = {**one.conf, "REPO_OWNER": "acme", "REPO_NAME": "widgets"}
    return replace(one, conf=conf, phase=Phase.ACTIVE, dag_run_id=REF.dag_run_id)


@dataclass
class Desk:
    """A bot that is a GitHub App, and Airflow, where try 1 of `clone` runs."""

    run: Run = field(default_factory=private_run)
    tickets: Tickets | None = TICKETS
    github: FakeGitHub = field(default_factory=FakeGitHub)
    airflow: FakeAirflow = field(default_factory=FakeAirflow)
    counted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = FakeTicketStore(self.run)
        self.github.is_app = True
        self.airflow.add_dag("checks", tasks=["clone", "step"])
        self.airflow.trigger(REF, {}, "")
        self.airflow.step(REF, "clone", StepState.RUNNING)

    def asks(self, **changed: object) -> dict[str, object]:
        """What the step `clone` sends, but for what is changed."""
        return {
            "ticket": TICKETS.issue(self.run.id, "acme/widgets"),
            "run_id": self.run.id,
            "dag_run_id": REF.dag_run_id,
            "task_id": "clone",
            "try_number": 1,
            "repository": "acme/widgets",
        } | changed

    def exchange(self, **changed: object) -> TestResponse:
        return self.send(json.dumps(self.asks(**changed)).encode())

    def send(self, body: bytes, **more: object) -> TestResponse:
        app = Flask(__name__)
        made = ticket.Exchange(self.tickets, self.store, self.airflow, self.github)
        app.register_blueprint(ticket.blueprint(made))
        before = figures()
        client = app.test_client()
        response = client.post("/ticket", data=body, content_type="application/json", **more)
        self.counted = [result for result, times in figures().items() if times != before.get(result, 0)]
        return response

    def change(self, **changed: object) -> None:
        self.run = replace(self.run, **changed)  # type: ignore[arg-type]  # the names are the test's
        self.store.runs = {self.run.id: self.run}

    def expect(self, response: TestResponse, status: int, result: str, *words: str) -> None:
        """It is refused, saying why, and nothing was made or used up."""
        assert response.status_code == status, response.text
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json is not None
        assert response.json.keys() == {"error"}
        for word in words:
            assert word in response.json["error"]
        assert self.counted == [result]
        assert self.store.used == set()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def figures() -> dict[str, float]:
    """How often there was each result."""
    samples = (sample for family in FIGURES.collect() for sample in family.samples)
    return {sample.labels["result"]: sample.value for sample in samples if sample.name.endswith("_total")}


class TestIsExchanged:
    def test_for_a_token_of_that_repository(self, desk: Desk) -> None:
        response = desk.exchange()
        ((repository_id, token),) = desk.github.minted
        assert response.status_code == 200
        assert response.json == {"token": token, "expires_at": "2026-03-04T13:00:00Z"}
        assert response.headers["Cache-Control"] == "no-store"
        assert repository_id == SECRET.id
        assert desk.counted == ["exchanged"]

    def test_once(self, desk: Desk) -> None:
        desk.exchange()
        again = desk.exchange()
        assert (again.status_code, again.json) == (403, {"error": "try 1 of clone used its ticket already"})
        assert desk.counted == ["used"]
        assert len(desk.github.minted) == 1

    def test_once_more_by_the_next_try(self, desk: Desk) -> None:
        desk.exchange()
        desk.airflow.step(REF, "clone", StepState.RETRYING)
        desk.airflow.step(REF, "clone", StepState.RUNNING)
        assert desk.exchange(try_number=2).status_code == 200
        assert desk.exchange(try_number=1).status_code == 403

    def test_by_another_step_of_the_run(self, desk: Desk) -> None:
        desk.exchange()
        desk.airflow.step(REF, "step", StepState.RUNNING)
        assert desk.exchange(task_id="step").status_code == 200

    def test_by_its_name_when_the_run_began_though_it_was_renamed(self, desk: Desk) -> None:
        desk.change(repository=replace(SECRET, full_name="acme/gadgets"))
        assert desk.exchange().status_code == 200
        assert desk.github.calls[-1].repository == "acme/gadgets"

    def test_without_a_trace_of_ticket_or_token(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        desk.exchange()
        desk.exchange()
        desk.exchange(ticket="pft_" + "0" * 64)
        assert f"a ticket of run {desk.run.id}, try 1 of clone: exchanged" in caplog.text
        assert "used its ticket already" in caplog.text
        assert "pft_" not in caplog.text
        assert "ghs_" not in caplog.text


class TestIsRefused:
    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"ticket": "pft_" + "0" * 64}, id="made-up"),
            pytest.param({"ticket": ""}, id="empty"),
            pytest.param({"ticket": TICKETS.issue("f" * 32, "acme/widgets")}, id="of-another-run"),
            pytest.param({"run_id": "f" * 32}, id="for-another-run"),
            pytest.param({"repository": "acme/other"}, id="for-another-repository"),
        ],
    )
    def test_where_it_is_not_the_runs(self, desk: Desk, changed: dict[str, object]) -> None:
        desk.store.down = True  # nothing is looked up for who shows no ticket of ours
        desk.expect(desk.exchange(**changed), 403, "forged", "no ticket for this run and repository")
        assert desk.airflow.calls["is_running"] == 0

    def test_for_a_run_that_is_not_there(self, desk: Desk) -> None:
        desk.store.runs.clear()
        desk.expect(desk.exchange(), 403, "unknown", "no such run")

    def test_in_another_dag_run(self, desk: Desk) -> None:
        desk.expect(desk.exchange(dag_run_id="manual__1"), 403, "unknown", "another DAG run")

    def test_for_a_repository_that_the_run_is_not_about(self, desk: Desk) -> None:
        forged = TICKETS.issue(desk.run.id, "acme/other")
        response = desk.exchange(ticket=forged, repository="acme/other")
        desk.expect(response, 403, "unknown", "or repository")

    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"phase": Phase.FINISHED, "outcome": Outcome.SUCCESS}, id="finished"),
            pytest.param({"cancel": "by rita", "cancel_kind": CancelKind.COMMAND}, id="asked-to-stop"),
        ],
    )
    def test_once_the_run_is_over(self, desk: Desk, changed: dict[str, object]) -> None:
        desk.change(**changed)
        desk.expect(desk.exchange(), 403, "over", "is over, or was asked to stop")

    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"try_number": 2}, id="a-try-to-come"),
            pytest.param({"task_id": "step"}, id="a-step-that-waits"),
            pytest.param({"task_id": "nosuch"}, id="no-step-at-all"),
        ],
    )
    def test_to_what_is_not_running(self, desk: Desk, changed: dict[str, object]) -> None:
        desk.expect(desk.exchange(**changed), 403, "not_running", "Airflow is not running try")

    @pytest.mark.parametrize("state", [state for state in StepState if state is not StepState.RUNNING])
    def test_to_a_try_that_ended(self, desk: Desk, state: StepState) -> None:
        desk.airflow.step(REF, "clone", state)
        desk.expect(desk.exchange(), 403, "not_running", "Airflow is not running try 1 of clone now")

    def test_where_the_dag_run_is_gone(self, desk: Desk) -> None:
        desk.airflow.delete(REF)
        desk.expect(desk.exchange(), 403, "not_running")

    def test_with_a_personal_token_which_can_not_be_narrowed(self, desk: Desk) -> None:
        desk.github.is_app, desk.tickets = False, None
        response = desk.exchange()
        desk.expect(
            response, 403, "personal_token", "need a GitHub App", "narrowed to reading one repository"
        )

    def test_without_a_key_to_make_tickets_of(self, desk: Desk) -> None:
        desk.tickets = None
        desk.expect(desk.exchange(), 403, "forged", "no ticket")

    def test_where_github_refuses(self, desk: Desk) -> None:
        desk.github.fault(GitHubRefused("it needs the permission contents: read"), "mint")
        desk.expect(desk.exchange(), 403, "github_refused", "contents: read")


class TestMayBeTriedAgain:
    """Nothing is used up, so that the same try may ask again."""

    def expect(self, desk: Desk, result: str, retry_after: str, word: str) -> None:
        response = desk.exchange()
        desk.expect(response, 503, result, word)
        assert response.headers["Retry-After"] == retry_after

    @pytest.mark.parametrize("phase", [Phase.WANTED, Phase.RESUMING])
    def test_while_we_have_not_noted_that_airflow_has_the_run(self, desk: Desk, phase: Phase) -> None:
        desk.change(phase=phase)
        self.expect(desk, "starting", "1", "just being started")
        desk.change(phase=Phase.ACTIVE)
        assert desk.exchange().status_code == 200

    def test_while_the_database_is_down(self, desk: Desk) -> None:
        desk.store.down = True
        self.expect(desk, "unstored", "5", "the database does not answer")
        desk.store.down = False
        assert desk.exchange().status_code == 200

    def test_if_the_database_goes_away_before_the_use_is_stored(self, desk: Desk) -> None:
        desk.store.break_commit = True
        self.expect(desk, "unstored", "5", "the database does not answer")
        desk.store.break_commit = False
        assert desk.exchange().status_code == 200

    def test_while_airflow_is_down(self, desk: Desk) -> None:
        desk.airflow.down = True
        self.expect(desk, "airflow_unavailable", "5", "Airflow does not tell")
        desk.airflow.down = False
        assert desk.exchange().status_code == 200

    def test_while_airflow_refuses_our_login(self, desk: Desk) -> None:
        desk.airflow.fail_next("is_running", AirflowLoginRefused("the password"))
        self.expect(desk, "airflow_unavailable", "5", "Airflow does not tell")
        assert desk.exchange().status_code == 200

    @pytest.mark.parametrize(
        ("error", "retry_after"),
        [
            pytest.param(GitHubUnavailable("GitHub answered with 503"), "5", id="down"),
            pytest.param(GitHubRateLimited("GitHub asks us to slow down", 61.2), "62", id="limited"),
        ],
    )
    def test_while_github_does_not_answer(self, desk: Desk, error: Exception, retry_after: str) -> None:
        desk.github.fault(error, "mint")  # type: ignore[arg-type]  # one of ours
        self.expect(desk, "github_unavailable", retry_after, "GitHub")
        assert desk.exchange().status_code == 200


class TestForm:
    @pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b"[" * 2000, b"\xff"])
    def test_what_is_no_request_is_refused(self, desk: Desk, body: bytes) -> None:
        desk.expect(desk.send(body), 400, "malformed")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ticket", None),
            ("ticket", 3),
            ("ticket", "pft_é"),
            ("run_id", "1"),
            ("run_id", "F" * 32),
            ("run_id", HOSTILE),
            ("dag_run_id", ""),
            ("dag_run_id", "x" * 251),
            ("dag_run_id", "a/b"),
            ("task_id", "../x"),
            ("task_id", "clone\n"),
            ("task_id", HOSTILE),
            ("try_number", 0),
            ("try_number", -1),
            ("try_number", 2**63),
            ("try_number", True),
            ("try_number", 1.0),
            ("try_number", "1"),
            ("repository", "acme"),
            ("repository", "a/b/c"),
            ("repository", None),
        ],
    )
    def test_a_value_that_can_not_be_is_refused(self, desk: Desk, name: str, value: object) -> None:
        desk.expect(desk.exchange(**{name: value}), 400, "malformed", name)

    def test_what_is_not_said_is_missing(self, desk: Desk) -> None:
        for name in desk.asks():
            said = {key: value for key, value in desk.asks().items() if key != name}
            desk.expect(desk.send(json.dumps(said).encode()), 400, "malformed", name)

    def test_more_may_be_said(self, desk: Desk) -> None:
        assert desk.exchange(dag_id="checks").status_code == 200

    @pytest.mark.parametrize("chunked", [False, True], ids=["with-a-length", "in-chunks"])
    def test_too_much_is_not_read(self, desk: Desk, *, chunked: bool) -> None:
        body = json.dumps(desk.asks(more="x" * ticket.MAX_BYTES)).encode()
        more: dict[str, object] = {}
        if chunked:
            more = {"input_stream": BytesIO(body), "environ_base": {"wsgi.input_terminated": True}}
        response = desk.send(b"" if chunked else body, **more)
        desk.expect(response, 413, "too_large", "larger than 4096 bytes")

    def test_only_posts_are_taken(self, desk: Desk) -> None:
        app = Flask(__name__)
        made = ticket.Exchange(desk.tickets, desk.store, desk.airflow, desk.github)
        app.register_blueprint(ticket.blueprint(made))
        assert app.test_client().get("/ticket").status_code == 405
