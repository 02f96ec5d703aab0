"""The worlds of the contract suite: the fake, the fake behind Airflow's REST API, and a real Airflow."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from airflow_client.client.api.dag_run_api import DagRunApi

from bot.adapters.airflow import AirflowClient
from bot.adapters.airflow.session import Session
from bot.errors import AirflowUnavailable
from bot.models import RunRef
from bot.ports import ConditionReader, DagRunReader, DagTrigger, StepWatcher
from tests.adapters import airflow_plays, airflow_resume_plays
from tests.adapters.airflow_proxy import proxy_before
from tests.chaos.airflow_http import AirflowOverHttp
from tests.fakes.airflow import FakeAirflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.models import DagRun
    from deploy.local.airflow import LocalAirflow

_DEADLINE_SECONDS = 90.0
_AGAIN_SECONDS = 30.0
PLAYS = {**airflow_plays.PLAYS, **airflow_resume_plays.PLAYS}


class Airflow(DagTrigger, StepWatcher, DagRunReader, ConditionReader, Protocol):
    """All ports, as one object has them."""


class World(Protocol):
    """An Airflow that serves the DAGs of `airflow_dags`, and what tests do to it."""

    airflow: Airflow

    def until(self, ref: RunRef, happened: Callable[[DagRun], bool]) -> DagRun:
        """The run once that happened."""
        ...

    def delete(self, ref: RunRef) -> None:
        """Delete the run behind the adapter's back."""
        ...

    def unreachable(self) -> Airflow:
        """An adapter whose Airflow does not answer."""
        ...

    def with_wrong_password(self) -> Airflow:
        """An adapter that cannot log in."""
        ...

    @contextmanager
    def losing_the_answer_to_a_trigger(self) -> Iterator[Airflow]:
        """An adapter whose next trigger is carried out without the answer ever arriving."""
        ...

    @contextmanager
    def losing_an_answer_while_resuming(self, method: str) -> Iterator[Airflow]:
        """An adapter whose calls of that HTTP method are carried out without the answer ever arriving."""
        ...

    @contextmanager
    def with_a_token_refused(self) -> Iterator[Airflow]:
        """An adapter whose token stops being valid."""
        ...


def new_ref(dag_id: str) -> RunRef:
    """A run that nobody has triggered yet."""
    return RunRef(dag_id, f"contract~{uuid.uuid4().hex}~1")


def cancel(world: World, ref: RunRef) -> None:
    """As the bot does it: Airflow answers 500 where its scheduler touches the same rows just then."""
    deadline = time.monotonic() + _AGAIN_SECONDS
    while True:
        try:
            world.airflow.cancel(ref)
        except AirflowUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


class FakeWorld:
    """The fake, played to."""

    def __init__(self) -> None:
        self.airflow: Airflow = self._new()
        self._plays: dict[RunRef, airflow_plays.Play] = {}

    def until(self, ref: RunRef, happened: Callable[[DagRun], bool]) -> DagRun:
        fake = self.fake
        if ref not in self._plays:
            self._plays[ref] = PLAYS[ref.dag_id](fake, ref)
        over = False
        while True:
            run = fake.look([ref])[ref]
            assert run is not None
            if happened(run):
                return run
            assert not over, f"still {run}"
            over = next(self._plays[ref], self) is self

    def delete(self, ref: RunRef) -> None:
        self.fake.delete(ref)

    def unreachable(self) -> Airflow:
        fake = self._new()
        fake.down = True
        return fake

    def with_wrong_password(self) -> Airflow:
        fake = self._new()
        fake.login_fails = True
        return fake

    @contextmanager
    def losing_the_answer_to_a_trigger(self) -> Iterator[Airflow]:
        self.fake.lose_next_answer("trigger")
        yield self.fake

    @contextmanager
    def losing_an_answer_while_resuming(self, method: str) -> Iterator[Airflow]:
        if method == "POST":  # the last of the calls that it takes; cut off before, nothing is resumed
            self.fake.lose_next_answer("resume")
        else:
            self.fake.fail_next("resume", AirflowUnavailable("Airflow does not answer"))
        yield self.fake

    @contextmanager
    def with_a_token_refused(self) -> Iterator[Airflow]:
        yield self.fake  # it knows no tokens

    @property
    def fake(self) -> FakeAirflow:
        assert isinstance(self.airflow, FakeAirflow)
        return self.airflow

    def _new(self) -> FakeAirflow:
        fake = FakeAirflow()
        airflow_plays.deploy(fake)
        airflow_resume_plays.deploy(fake)
        return fake


@dataclass
class RealWorld:
    """The real one, waited for."""

    local: LocalAirflow | AirflowOverHttp

    def __post_init__(self) -> None:
        self.airflow: Airflow = self._client(self.local.url)

    def until(self, ref: RunRef, happened: Callable[[DagRun], bool]) -> DagRun:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            run = self.airflow.look([ref])[ref]
            if run is not None and happened(run):
                return run
            assert time.monotonic() < deadline, f"still {run}"
            time.sleep(0.1)

    def delete(self, ref: RunRef) -> None:
        session = Session(self.local.url, self.local.username, self.local.password)
        api = DagRunApi(session.api)
        session.call(lambda options: api.delete_dag_run(ref.dag_id, ref.dag_run_id, **options))

    def unreachable(self) -> Airflow:
        return self._client("http://127.0.0.1:1")

    def with_wrong_password(self) -> Airflow:
        return AirflowClient(self.local.url, self.local.username, "not-the-password")

    @contextmanager
    def losing_the_answer_to_a_trigger(self) -> Iterator[Airflow]:
        with proxy_before(self.local.url) as proxy:
            client = self._client(proxy.url)
            client.look([new_ref("contract_quick")])  # logs in
            proxy.lose_answers_of = "POST"
            yield client

    @contextmanager
    def losing_an_answer_while_resuming(self, method: str) -> Iterator[Airflow]:
        with proxy_before(self.local.url) as proxy:
            client = self._client(proxy.url)
            client.dag("contract_quick")  # logs in
            proxy.lose_answers_of = method
            proxy.not_of = "/list"  # reading takes a POST, too
            yield client

    @contextmanager
    def with_a_token_refused(self) -> Iterator[Airflow]:
        with proxy_before(self.local.url) as proxy:
            client = self._client(proxy.url)
            client.dag("contract_quick")
            proxy.spoil_tokens = 1
            yield client
            assert proxy.calls["POST token"] == 2, proxy.calls

    def _client(self, url: str) -> AirflowClient:
        return AirflowClient(url, self.local.username, self.local.password)


class HttpWorld(RealWorld):
    """The fake behind Airflow's REST API, played to as the fake is, and asked as the real one is."""

    def __init__(self) -> None:
        self._behind = FakeWorld()
        self._server = AirflowOverHttp(self._behind.fake)
        super().__init__(self._server)

    def until(self, ref: RunRef, happened: Callable[[DagRun], bool]) -> DagRun:
        self._behind.until(ref, happened)
        run = self.airflow.look([ref])[ref]
        assert run is not None
        return run

    def delete(self, ref: RunRef) -> None:
        self._behind.delete(ref)

    def close(self) -> None:
        """Listen no more."""
        self._server.close()


def world_of(request: pytest.FixtureRequest) -> World:
    """The world that a fixture was parametrized with, one of WORLDS."""
    if request.param == "fake":
        return FakeWorld()
    if request.param == "http":
        world = HttpWorld()
        request.addfinalizer(world.close)
        return world
    return RealWorld(request.getfixturevalue("real_airflow"))


WORLDS = ("fake", "http", pytest.param("real", marks=[pytest.mark.airflow, pytest.mark.timeout(300)]))
