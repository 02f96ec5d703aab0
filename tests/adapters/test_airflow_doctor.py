"""What the doctor sees of Airflow: a scripted one for what goes wrong, a real one for all that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.event_log_api import EventLogApi

from bot.adapters.airflow.doctor import NO_RUN, PAGE, AirflowDoctor
from bot.adapters.airflow.session import Session
from bot.errors import AirflowLoginRefused, AirflowRefused, AirflowUnavailable
from deploy.local import ports
from tests.adapters.airflow_script import Asked, Said, ScriptedAirflow, details, scripted_airflow
from tests.fixtures.airflow import LOOKER, password_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.airflow import LocalAirflow


@pytest.fixture
def server() -> Iterator[ScriptedAirflow]:
    with scripted_airflow() as server:
        yield server


@pytest.fixture
def airflow(server: ScriptedAirflow) -> AirflowDoctor:
    return AirflowDoctor(server.url, "ci-bot", "password", now=lambda: 12.0)


class TestScripted:
    @pytest.mark.parametrize(
        ("said", "genuine", "version"),
        [
            pytest.param(Said(body={"version": "3.3.2", "git_version": None}), True, "3.3.2", id="Airflow"),
            pytest.param(Said(404, {"detail": "Not Found"}), False, "", id="Airflow 2"),
            pytest.param(Said(body=b"<html>Welcome"), False, "", id="a page"),
            pytest.param(Said(body=["3.3.2"]), False, "", id="another API"),
            pytest.param(Said(body={"version": 3}), False, "", id="another version"),
        ],
    )
    def test_knocking(
        self, server: ScriptedAirflow, airflow: AirflowDoctor, said: Said, version: str, *, genuine: bool
    ) -> None:
        server.answer = lambda _: said

        knock = airflow.knock()

        assert (knock.genuine, knock.version, knock.at) == (genuine, version, 12.0)
        assert knock.date.endswith("GMT")
        assert (server.logins, [asked.path for asked in server.asked]) == (0, ["/api/v2/version"])

    def test_nobody_there(self) -> None:
        nobody = AirflowDoctor(f"http://127.0.0.1:{ports.choose_any()}", "x", "y")

        for ask in (nobody.knock, nobody.health, nobody.log_in):
            with pytest.raises(AirflowUnavailable):
                ask()

    def test_a_wrong_password(self, server: ScriptedAirflow, airflow: AirflowDoctor) -> None:
        server.login = lambda: Said(401, {"detail": "Invalid credentials"})

        with pytest.raises(AirflowLoginRefused, match="PREFLIGHT_AIRFLOW_PASSWORD"):
            airflow.log_in()

    @pytest.mark.parametrize(("status", "expected"), [(404, True), (403, False)])
    def test_whether_we_may_trigger(
        self, server: ScriptedAirflow, airflow: AirflowDoctor, status: int, *, expected: bool
    ) -> None:
        server.answer = lambda _: Said(status, {"detail": "as it says"})

        assert airflow.may_trigger("checks") is expected

        asked = server.asked[-1]
        assert (asked.method, asked.path) == ("POST", f"/api/v2/dags/checks/dagRuns/{NO_RUN}/clear")
        assert asked.body["dry_run"] is True

    def test_another_refusal_is_said(self, server: ScriptedAirflow, airflow: AirflowDoctor) -> None:
        server.answer = lambda _: Said(422, {"detail": "odd"})

        with pytest.raises(AirflowRefused, match="odd"):
            airflow.may_trigger("checks")

    def test_health_as_airflow_says_it(self, server: ScriptedAirflow, airflow: AirflowDoctor) -> None:
        parts = {"scheduler": {"status": "unhealthy"}, "triggerer": {"status": None}}
        server.answer = lambda _: Said(body=parts)

        assert airflow.health() == {"scheduler": "unhealthy", "triggerer": "None"}

    def test_health_that_is_none(self, server: ScriptedAirflow, airflow: AirflowDoctor) -> None:
        server.answer = lambda _: Said(500, {})

        with pytest.raises(AirflowUnavailable, match="500"):
            airflow.health()

    def test_many_dags_come_page_by_page(self, server: ScriptedAirflow, airflow: AirflowDoctor) -> None:
        everything = [details(f"dag-{number}", is_paused=number == 1) for number in range(2 * PAGE + 30)]

        def answer(asked: Asked) -> Said:
            at = int(asked.query["offset"])
            page = everything[at : at + int(asked.query["limit"])]
            return Said(body={"dags": page, "total_entries": len(everything)})

        server.answer = answer

        assert [dag.id for dag in airflow.dags(1000)] == [dag["dag_id"] for dag in everything]
        assert [dag.paused for dag in airflow.dags(3)] == [False, True, False]
        assert len(airflow.dags(PAGE + 1)) == PAGE + 1

    @pytest.mark.parametrize(
        ("said", "there"),
        [
            pytest.param(Said(body=details("checks")), True, id="there"),
            pytest.param(Said(404, {"detail": "not found"}), False, id="none of that name"),
            pytest.param(Said(403, {"detail": "Forbidden"}), False, id="not for us"),
            pytest.param(Said(body=details("checks", is_stale=True)), False, id="its file is gone"),
            pytest.param(
                Said(body=details("checks", is_stale=True, has_import_errors=True)), True, id="its file broke"
            ),
        ],
    )
    def test_one_by_its_name(
        self, server: ScriptedAirflow, airflow: AirflowDoctor, said: Said, *, there: bool
    ) -> None:
        server.answer = lambda _: said

        found = airflow.dag("checks")

        assert (found is not None) is there
        assert {asked.path for asked in server.asked} == {"/api/v2/dags/checks"}

    @pytest.mark.parametrize("name", ["..", "a/b", ""])
    def test_what_can_be_no_name_is_not_asked_for(
        self, server: ScriptedAirflow, airflow: AirflowDoctor, name: str
    ) -> None:
        assert airflow.dag(name) is None
        assert server.asked == []


@pytest.mark.airflow
class TestReal:
    @pytest.fixture
    def real(self, real_airflow: LocalAirflow) -> AirflowDoctor:
        return AirflowDoctor(real_airflow.url, real_airflow.username, real_airflow.password)

    def test_itself(self, real: AirflowDoctor) -> None:
        knock = real.knock()

        assert knock.genuine
        assert knock.version.startswith("3.3.")
        assert knock.date
        real.log_in()
        health = real.health()
        assert {health[part] for part in ("metadatabase", "scheduler", "dag_processor")} == {"healthy"}
        assert "preflight_listener" in real.plugins()

    def test_its_dags(self, real: AirflowDoctor) -> None:
        dags = {dag.id: dag for dag in real.dags(1000)}

        assert "preflight" in dags["checks"].tags
        assert not dags["checks"].paused
        assert not dags["checks"].import_error
        assert "default_pool" in real.pools()
        assert real.pools_of("checks") == frozenset({"default_pool"})
        assert real.import_errors() == []
        assert real.dag("checks") == dags["checks"]
        assert real.dag("no_such_dag") is None

    def test_asking_whether_we_may_trigger_leaves_no_trace(
        self, real_airflow: LocalAirflow, real: AirflowDoctor
    ) -> None:
        session = Session(real_airflow.url, "admin", password_of(real_airflow, "admin"))

        def traces() -> tuple[int | None, int | None]:
            runs, events = DagRunApi(session.api), EventLogApi(session.api)
            return (
                session.call(lambda options: runs.get_dag_runs("contract_quick", **options)).total_entries,
                session.call(lambda options: events.get_event_logs(**options)).total_entries,
            )

        before = traces()
        assert real.may_trigger("contract_quick")
        assert traces() == before

    def test_a_user_who_may_only_look(self, real_airflow: LocalAirflow) -> None:
        looker = AirflowDoctor(real_airflow.url, LOOKER, password_of(real_airflow, LOOKER))

        looker.log_in()
        assert not looker.may_trigger("checks")
        assert looker.plugins()
