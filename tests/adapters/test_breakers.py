"""Breakers before Airflow and GitHub: what does not answer is left alone, and found again by one call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.adapters.airflow import AirflowClient
from bot.adapters.github import GitHubClient, PersonalToken
from bot.breaker import FAILURES, Breaker, Breakers, State
from bot.errors import (
    AirflowAway,
    AirflowRefused,
    AirflowUnavailable,
    GitHubAway,
    GitHubNotFound,
    GitHubRateLimited,
    GitHubUnavailable,
)
from bot.models import RunRef, Status, StatusState
from tests.adapters.airflow_script import Said, ScriptedAirflow, dag_run, scripted_airflow
from tests.adapters.github_answering import REPOSITORY, Answering, Asked, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = RunRef("checks", "run~1")
TIP = {"ref": "refs/heads/main", "url": "u", "object": {"type": "commit", "sha": "c0ffee", "url": "u"}}


class Time:
    """Seconds that a test moves; what its breakers tell."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[str, str, State, int]] = []
        make = partial(Breaker, clock=lambda: self.now, chance=lambda: 0.0)
        self.breakers = Breakers(on_change=lambda *told: self.told.append(told), make=make)


@pytest.fixture
def time() -> Time:
    return Time()


class TestAirflow:
    @pytest.fixture
    def server(self) -> Iterator[ScriptedAirflow]:
        with scripted_airflow() as server:
            yield server

    @pytest.fixture
    def airflow(self, server: ScriptedAirflow, time: Time) -> AirflowClient:
        return AirflowClient(server.url, "ci-bot", "password", breakers=time.breakers)

    def fail(self, airflow: AirflowClient, times: int = FAILURES) -> None:
        for _ in range(times):
            with pytest.raises(AirflowUnavailable):
                airflow.conf(REF)

    @pytest.mark.parametrize(
        "said",
        [Said(500), Said(503), Said(404, b"404 page not found"), Said(200, b"<html>")],
        ids=["500", "503", "a proxy's 404", "something else"],
    )
    def test_after_failures_in_a_row_nothing_is_sent(
        self, server: ScriptedAirflow, airflow: AirflowClient, time: Time, said: Said
    ) -> None:
        server.answer = lambda _: said
        self.fail(airflow)
        with pytest.raises(AirflowAway) as error:
            airflow.conf(REF)
        assert error.value.retry_after == 1.0
        assert len(server.asked) == FAILURES
        assert time.told == [("airflow", "", State.OPEN, 1)]

    def test_one_call_finds_its_end(
        self, server: ScriptedAirflow, airflow: AirflowClient, time: Time
    ) -> None:
        server.answer = lambda _: Said(502)
        self.fail(airflow)
        time.now += 1
        self.fail(airflow, 1)
        server.answer = lambda _: Said(body=dag_run(REF.dag_run_id, conf={"a": 1}))
        with pytest.raises(AirflowAway):
            airflow.conf(REF)
        time.now += 2
        assert airflow.conf(REF) == {"a": 1}
        assert time.told[-1] == ("airflow", "", State.CLOSED, 0)

    def test_nobody_there_counts_too(self, time: Time) -> None:
        with scripted_airflow() as server:
            pass
        airflow = AirflowClient(server.url, "ci-bot", "password", breakers=time.breakers)
        self.fail(airflow)
        with pytest.raises(AirflowAway):
            airflow.conf(REF)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
    def test_what_airflow_refuses_is_an_answer(
        self, server: ScriptedAirflow, airflow: AirflowClient, time: Time, status: int
    ) -> None:
        server.answer = lambda _: Said(status, {"detail": "no"})
        for _ in range(3 * FAILURES):
            with pytest.raises((AirflowRefused, AirflowUnavailable)):
                airflow.conf(REF)
        assert time.told == []
        assert len(server.asked) >= 3 * FAILURES


class TestGitHub:
    @pytest.fixture
    def server(self) -> Iterator[Answering]:
        with Answering(lambda _: Say(body=TIP)).running() as server:
            yield server

    @pytest.fixture
    def github(self, server: Answering, time: Time) -> GitHubClient:
        return GitHubClient(f"{server.url}/api/v3", PersonalToken("token"), breakers=time.breakers)

    def tell(self, github: GitHubClient, sha: str = "c0ffee") -> None:
        github.set_status(REPOSITORY, sha, Status("preflight/unit", StatusState.PENDING, "queued"))

    @pytest.mark.parametrize("failure", [Say(500), Say(502), Say(cut=True)], ids=["500", "502", "cut"])
    def test_after_failures_in_a_row_nothing_is_sent(
        self, server: Answering, github: GitHubClient, time: Time, failure: Say
    ) -> None:
        server.answer = lambda _: failure
        for number in range(FAILURES):
            with pytest.raises(GitHubUnavailable):
                self.tell(github, f"c0ffee{number}")
        asked = len(server.asked)
        with pytest.raises(GitHubAway) as error:
            self.tell(github)
        assert error.value.retry_after == 1.0
        assert len(server.asked) == asked
        server.answer = lambda _: Say(201, {"state": "pending"})
        time.now += 1
        self.tell(github)
        assert [told[2] for told in time.told] == [State.OPEN, State.CLOSED]

    def test_an_endpoint_that_fails_does_not_silence_the_others(
        self, server: Answering, github: GitHubClient, time: Time
    ) -> None:
        def answer(asked: Asked) -> Say:
            return Say(502) if "/statuses/" in asked.path else Say(body=TIP)

        server.answer = answer
        for number in range(3 * FAILURES):
            with pytest.raises(GitHubUnavailable):
                self.tell(github, f"c0ffee{number}")
            assert github.tip(REPOSITORY, "main") == "c0ffee"
        assert time.told == [("github", "statuses", State.OPEN, 1)]

    def test_nor_does_one_address_that_always_fails_silence_its_kind(
        self, server: Answering, github: GitHubClient, time: Time
    ) -> None:
        """GitHub never manages to show some very large diffs."""
        server.answer = lambda _: Say(502)
        for _ in range(3 * FAILURES):
            with pytest.raises(GitHubUnavailable):
                self.tell(github)
        assert time.told == []

    @pytest.mark.parametrize(
        "say",
        [Say(404, {}), Say(403, {}, {"Retry-After": "0"}), Say(429, {}, {"Retry-After": "0"})],
        ids=["404", "403", "429"],
    )
    def test_what_github_refuses_is_an_answer(
        self, server: Answering, github: GitHubClient, time: Time, say: Say
    ) -> None:
        server.answer = lambda _: say
        for _ in range(3 * FAILURES):
            with pytest.raises((GitHubNotFound, GitHubRateLimited)):
                self.tell(github)
        assert time.told == []
