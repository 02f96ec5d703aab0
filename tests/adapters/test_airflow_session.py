from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bot.adapters.airflow import AirflowClient, session
from bot.adapters.in_time import longest
from bot.errors import AirflowRefused, AirflowUnavailable, DagNotFound
from bot.models import RunRef, Step, StepState
from tests.adapters.airflow_script import Asked, Said, ScriptedAirflow, dag_run, details, scripted_airflow
from tests.adapters.dripping import HEAD, dripping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSWORD = "correct horse"
REF = RunRef("checks", "run~1")
STEP = Step("lint", -1, "lint", StepState.FAILED, try_number=1)


@pytest.fixture
def server() -> Iterator[ScriptedAirflow]:
    with scripted_airflow() as server:
        server.answer = lambda _: Said(body=dag_run(REF.dag_run_id, conf={"a": 1}))
        yield server


@pytest.fixture
def airflow(server: ScriptedAirflow) -> AirflowClient:
    return AirflowClient(server.url + "/", "ci-bot", PASSWORD)


class TestLoggingIn:
    def test_nothing_is_sent_before_the_first_call(
        self, server: ScriptedAirflow, airflow: AirflowClient
    ) -> None:
        assert (server.logins, server.asked) == (0, [])
        airflow.conf(REF)
        airflow.conf(REF)
        assert (server.logins, len(server.asked)) == (1, 2)

    def test_many_threads_log_in_once(self, server: ScriptedAirflow, airflow: AirflowClient) -> None:
        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(lambda _: airflow.conf(REF), range(50))) == [{"a": 1}] * 50
        assert server.logins == 1

    def test_many_threads_renew_once(self, server: ScriptedAirflow, airflow: AirflowClient) -> None:
        airflow.conf(REF)
        all_refused = threading.Barrier(8)

        def answer(asked: Asked) -> Said:
            if asked.token == "token-1":
                all_refused.wait(10)
                return Said(401, {"detail": "Token Expired"})
            return Said(body=dag_run(REF.dag_run_id))

        server.answer = answer
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: airflow.conf(REF), range(8))) == [{}] * 8
        assert server.logins == 2

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_token_is_renewed_once_a_call(
        self, server: ScriptedAirflow, airflow: AirflowClient, status: int
    ) -> None:
        server.answer = lambda _: Said(status, {"detail": "Forbidden"})
        with pytest.raises(AirflowRefused, match=r"does not let 'ci-bot' do this .* role `user`"):
            airflow.conf(REF)
        assert [asked.token for asked in server.asked] == ["token-1", "token-2"]

    @pytest.mark.parametrize("status", [401, 403])
    def test_wrong_credentials_name_the_settings(
        self, server: ScriptedAirflow, airflow: AirflowClient, status: int
    ) -> None:
        server.login = lambda: Said(status, {"detail": "Invalid credentials"})
        expected = "Check PREFLIGHT_AIRFLOW_USERNAME and PREFLIGHT_AIRFLOW_PASSWORD"
        with pytest.raises(AirflowRefused, match=expected) as refusal:
            airflow.conf(REF)
        assert PASSWORD not in str(refusal.value)

    @pytest.mark.parametrize(
        "said",
        [Said(500), Said(404, b"<html>"), Said(201, {"no": "token"}), Said(201, b"[]"), Said(200, b"\xff")],
        ids=["500", "404", "no token", "a list", "not UTF-8"],
    )
    def test_what_is_no_login_is_no_airflow(
        self, server: ScriptedAirflow, airflow: AirflowClient, said: Said
    ) -> None:
        server.login = lambda: said
        with pytest.raises(AirflowUnavailable, match=r"without a token.*Check PREFLIGHT_AIRFLOW_URL"):
            airflow.conf(REF)


class TestAnswersThatMayPass:
    @pytest.mark.parametrize(
        "said",
        [
            Said(429, {"detail": "slow down"}),
            Said(500, b"Internal Server Error"),
            Said(502, b"<html>Bad Gateway"),
            Said(503, {"detail": {"reason": "starting"}}),
            Said(200, b"<html>Welcome"),
            Said(200, {"another": "thing"}),
            Said(200, dag_run("run~1", state="a state of the future")),
            Said(307, b"", {"Location": "https://sso.example/login"}),
        ],
        ids=["429", "500", "502", "503", "a page", "other JSON", "unknown state", "a redirect"],
    )
    def test_they_are_unavailable(self, server: ScriptedAirflow, airflow: AirflowClient, said: Said) -> None:
        server.answer = lambda _: said
        with pytest.raises(AirflowUnavailable, match="does not answer") as error:
            airflow.conf(REF)
        assert PASSWORD not in str(error.value)
        assert "token-1" not in str(error.value)
        assert len(server.asked) == 1, "a retry is the caller's to decide"

    @pytest.mark.parametrize("status", [404, 405])
    @pytest.mark.parametrize(
        "body",
        [b"404 page not found\n", b"<html>", b"", {"error": "no such route"}, ["detail"], {"detail": None}],
        ids=["Traefik", "a page", "nothing", "other JSON", "a list", "no detail"],
    )
    def test_so_is_a_proxy_that_has_nobody_behind_it(
        self, server: ScriptedAirflow, airflow: AirflowClient, status: int, body: object
    ) -> None:
        """Airflow says of what it does not have, in `detail`, what that is."""
        server.answer = lambda _: Said(status, body)
        with pytest.raises(AirflowUnavailable, match=f"does not answer: {status}") as error:
            airflow.conf(REF)
        assert error.value.said == "", "it was not Airflow"

    @pytest.mark.parametrize(
        "ask",
        [
            pytest.param(lambda airflow: airflow.dag("checks"), id="dag"),
            pytest.param(lambda airflow: airflow.trigger(REF, {}, ""), id="trigger"),
            pytest.param(lambda airflow: airflow.cancel(REF), id="cancel"),
            pytest.param(lambda airflow: airflow.resume(REF, []), id="resume"),
            pytest.param(lambda airflow: airflow.look([REF]), id="look"),
            pytest.param(lambda airflow: airflow.is_running(REF, "lint", 1), id="is_running"),
            pytest.param(lambda airflow: airflow.conditions(["checks"]), id="conditions"),
            pytest.param(lambda airflow: airflow.xcom(REF, STEP, "k"), id="xcom"),
            pytest.param(lambda airflow: next(airflow.log(REF, STEP)), id="log"),
        ],
    )
    def test_nothing_is_gone_because_a_proxy_says_so(
        self, server: ScriptedAirflow, airflow: AirflowClient, ask: Callable[[AirflowClient], object]
    ) -> None:
        server.answer = lambda _: Said(404, b"404 page not found\n")
        with pytest.raises(AirflowUnavailable, match="does not answer: 404"):
            ask(airflow)

    def test_airflow_says_when_to_come_back(self, server: ScriptedAirflow, airflow: AirflowClient) -> None:
        server.answer = lambda _: Said(429, {"detail": "slow down"}, {"Retry-After": "7"})
        with pytest.raises(AirflowUnavailable) as error:
            airflow.conf(REF)
        assert error.value.retry_after == 7.0

    def test_an_answer_that_takes_too_long(
        self, server: ScriptedAirflow, airflow: AirflowClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session, "_TIMEOUT", (0.2, 0.2))
        done = threading.Event()

        def answer(_: Asked) -> Said:
            done.wait(10)
            return Said()

        server.answer = answer
        with pytest.raises(AirflowUnavailable, match=r"[Tt]imed? ?out"):
            airflow.conf(REF)
        done.set()

    @pytest.mark.parametrize(
        "after", ["HTTP/1.1 200 OK\r\nX-Slow: ", f"{HEAD}\r\n\r\n{{"], ids=["headers", "body"]
    )
    def test_an_answer_that_drips(self, after: str) -> None:
        refused = pytest.raises(AirflowUnavailable, match=r"[Tt]imed? ?out")
        with dripping(after) as url, longest(0.3), refused:
            AirflowClient(url, "ci-bot", PASSWORD).conf(REF)

    def test_a_log_that_drips(self, server: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session, "_LONGEST_STREAM", 0.3)
        over = threading.Event()

        def slowly() -> Iterator[bytes]:
            yield b'{"event":"a line"}\n'
            while not over.wait(0.02):
                yield b" "

        server.answer = lambda _: Said(body=slowly())
        lines = AirflowClient(server.url, "ci-bot", PASSWORD).log(REF, STEP)
        with pytest.raises(AirflowUnavailable, match="does not answer"):
            list(lines)
        over.set()

    def test_a_log_that_breaks_off(self, server: ScriptedAirflow, airflow: AirflowClient) -> None:
        def broken() -> Iterator[bytes]:
            yield b'{"event":"a line"}\n'
            raise ConnectionAbortedError

        server.answer = lambda _: Said(body=broken())
        lines = airflow.log(REF, STEP)
        assert next(lines).text == "a line"
        with pytest.raises(AirflowUnavailable, match="does not answer"):
            next(lines)


class TestAnswersThatStay:
    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({"detail": "line one\nline two"}, "line one"),
            ({"detail": [{"loc": ["body"], "msg": "Field required"}]}, "Field required"),
            ({"detail": {"reason": "Value rejected"}}, "Value rejected"),
            ({"detail": "x" * 10_000}, "x" * 300 + "…"),
            (b"<html>", "Bad Request"),
        ],
        ids=["first line", "validation", "object", "long", "no JSON"],
    )
    def test_airflows_reason_is_made_short(
        self, server: ScriptedAirflow, airflow: AirflowClient, body: object, reason: str
    ) -> None:
        server.answer = lambda _: Said(400, body)
        with pytest.raises(AirflowRefused) as refusal:
            airflow.trigger(REF, {}, "")
        assert str(refusal.value) == f"Airflow refuses (400): {reason}"


class TestSharingAirflow:
    def test_at_most_eight_calls_run_at_once(self, server: ScriptedAirflow, airflow: AirflowClient) -> None:
        running, most = 0, 0
        lock, full = threading.Lock(), threading.Event()

        def answer(_: Asked) -> Said:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
                if running == session.CONCURRENT_CALLS:
                    full.set()
            full.wait(10)
            with lock:
                running -= 1
            return Said(body=dag_run(REF.dag_run_id))

        server.answer = answer
        with ThreadPoolExecutor(24) as pool:
            list(pool.map(lambda _: airflow.conf(REF), range(48)))
        assert most == session.CONCURRENT_CALLS

    def test_slow_readers_of_logs_hold_up_nobody(
        self, server: ScriptedAirflow, airflow: AirflowClient
    ) -> None:
        def answer(asked: Asked) -> Said:
            if "/logs/" in asked.path:
                return Said(body=iter([b'{"event":"one"}\n', b'{"event":"two"}\n']))
            return Said(body=dag_run(REF.dag_run_id))

        server.answer = answer
        readers = [airflow.log(REF, STEP) for _ in range(session.CONCURRENT_CALLS + 1)]
        assert [next(reader).text for reader in readers] == ["one"] * len(readers)
        assert airflow.conf(REF) == {}
        assert [next(reader).text for reader in readers] == ["two"] * len(readers)

    def test_a_reader_that_stops_ends_the_connection(
        self, server: ScriptedAirflow, airflow: AirflowClient
    ) -> None:
        broken = threading.Event()

        def endless() -> Iterator[bytes]:
            try:
                while True:
                    yield b'{"event":"more"}\n' * 1000
            finally:
                broken.set()

        server.answer = lambda _: Said(body=endless())
        lines = airflow.log(REF, STEP)
        assert next(lines).text == "more"
        lines.close()  # type: ignore[attr-defined] # a generator, as the port's docstring has it
        assert broken.wait(10)


class TestXComs:
    @pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1.5, True]}, "ü" * 1000])
    def test_any_json_comes_back(
        self, server: ScriptedAirflow, airflow: AirflowClient, value: object
    ) -> None:
        server.answer = lambda _: Said(body={"key": "k", "value": value})
        assert airflow.xcom(REF, STEP, "k") == value

    @pytest.mark.parametrize(
        "body",
        [b'{"value": "%s"}' % (b"x" * 2_000_000), b'{"value": %s' % (b"[" * 100_000)],
        ids=["too large", "too deep"],
    )
    def test_what_is_made_to_do_harm_is_left_out(
        self, server: ScriptedAirflow, airflow: AirflowClient, body: bytes
    ) -> None:
        server.answer = lambda _: Said(body=body)
        assert airflow.xcom(REF, STEP, "k") is None


class TestRememberingDags:
    def test_a_dag_is_read_again_after_a_minute(self, server: ScriptedAirflow) -> None:
        now = 1000.0
        airflow = AirflowClient(server.url, "ci-bot", PASSWORD, timer=lambda: now)
        server.answer = lambda _: Said(
            body=details(tags=[{"name": "old", "dag_id": "checks", "dag_display_name": "checks"}])
        )
        assert airflow.dag("checks").tags == {"old"}
        server.answer = lambda _: Said(body=details(is_paused=True))
        now += 59
        assert not airflow.dag("checks").paused
        now += 2
        assert airflow.dag("checks").paused

    def test_that_there_is_none_is_not_remembered(
        self, server: ScriptedAirflow, airflow: AirflowClient
    ) -> None:
        server.answer = lambda _: Said(404, {"detail": "not found"})
        with pytest.raises(DagNotFound):
            airflow.dag("checks")
        server.answer = lambda _: Said(body=details())
        assert airflow.dag("checks").id == "checks"

    def test_a_dag_whose_file_is_gone_is_not_found(
        self, server: ScriptedAirflow, airflow: AirflowClient
    ) -> None:
        server.answer = lambda _: Said(body=details(is_stale=True))
        with pytest.raises(DagNotFound):
            airflow.dag("checks")

    def test_a_dag_whose_file_is_broken_says_so(
        self, server: ScriptedAirflow, airflow: AirflowClient
    ) -> None:
        server.answer = lambda _: Said(body=details(is_stale=True, has_import_errors=True))
        assert airflow.dag("checks").import_error
