"""Finished runs among the artifacts: what is written, when, and what happens where something is down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    AirflowAway,
    AirflowLoginRefused,
    AirflowUnavailable,
    ArtifactsUnavailable,
    DagRunNotFound,
)
from bot.models import LogLine, Outcome, Repository, StepResult, StepState
from bot.report.archive.archiver import PATIENCE
from bot.report.archive.build_log import PAUSE
from tests.examples import HEAD, at
from tests.report.archiving import DIRECTORY, FOLDER, PAGE, REF, TOKEN, World, finished, step

if TYPE_CHECKING:
    from bot.errors import PreflightError
    from bot.models import Run


@pytest.fixture
def world() -> World:
    return World()


class TestTheFiles:
    def test_are_written_in_an_order_that_is_true_at_any_time(self, world: World) -> None:
        world.printed("lint", "fine")
        assert world.archive(finished()) == [None]
        assert world.place.written == [
            f"{FOLDER}/started.json",
            f"{FOLDER}/build-log.txt",
            f"{DIRECTORY}/latest_green.json",
            f"{FOLDER}/finished.json",
        ]

    def test_nothing_due_is_said(self, world: World) -> None:
        assert world.archiver.archive() is False

    def test_started(self, world: World) -> None:
        world.archive(finished())
        assert world.place.json(f"{FOLDER}/started.json") == {
            "timestamp": int(at(2).timestamp()),
            "pull": "12",
            "repos": {"acme/widgets": f"main:{'b' * 40},12:{HEAD}"},
            "repo-commit": HEAD,
            "repo-version": HEAD,
        }

    def test_finished(self, world: World) -> None:
        run = finished(outcome=Outcome.FAILURE, reason=f"lint failed with {TOKEN}")
        world.archive(run)
        assert world.place.json(f"{FOLDER}/finished.json") == {
            "timestamp": int(at(60).timestamp()),
            "passed": False,
            "result": "FAILURE",
            "revision": HEAD,
            "metadata": {
                "repo": "acme/widgets",
                "repo-commit": HEAD,
                "repos": {"acme/widgets": f"main:{'b' * 40},12:{HEAD}"},
                "pipeline": "unit",
                "run": "1",
                "outcome": "failure",
                "reason": "lint failed with [redacted]",
                "links": {"preflight": {"url": PAGE}},
            },
        }

    @pytest.mark.parametrize(
        ("outcome", "result"),
        [
            (Outcome.SUCCESS, "SUCCESS"),
            (Outcome.FAILURE, "FAILURE"),
            (Outcome.ERROR, "FAILURE"),
            (Outcome.TIMED_OUT, "FAILURE"),
            (Outcome.CANCELLED, "ABORTED"),
        ],
    )
    def test_results_are_called_as_prow_does(self, world: World, outcome: Outcome, result: str) -> None:
        world.archive(finished(outcome=outcome))
        told = world.place.json(f"{FOLDER}/finished.json")
        assert (told["result"], told["passed"]) == (result, outcome is Outcome.SUCCESS)

    def test_a_branch_is_no_pull_request(self, world: World) -> None:
        run = finished(number=-7, branch="main")
        conf = {**run.conf, "JOB_TYPE": "postsubmit", "ARTIFACTS_PATH": "logs/unit/1"}
        world.archive(replace(run, conf=conf))
        assert "pull" not in world.place.json("logs/unit/1/started.json")
        assert world.place.written[2] == "logs/acme_widgets/unit/latest_green.json"

    def test_a_run_that_was_archived_before_is_written_again(self, world: World) -> None:
        world.archive(finished(outcome=Outcome.FAILURE), finished())
        assert world.place.json(f"{FOLDER}/finished.json")["passed"] is True

    @pytest.mark.parametrize(
        "path", [None, 7, "", "/", "/etc/x", "../x", "a/../../b", "a//b", "a/.", "a\nb", "a/b/"]
    )
    def test_a_run_without_a_proper_folder_is_left_alone(self, world: World, path: object) -> None:
        run = finished()
        assert world.archive(replace(run, conf={**run.conf, "ARTIFACTS_PATH": path})) == [None]
        assert world.place.written == []


class TestTheLog:
    def test_holds_every_step_in_order(self, world: World) -> None:
        world.printed("lint", "looks", "", "  fine")
        world.printed("test", "1 failed")
        steps = (
            step("lint"),
            step("test", StepState.FAILED, "exit 1 after 42s"),
            step("deploy", StepState.BLOCKED, started_at=None, ended_at=None),
        )
        world.archive(finished(outcome=Outcome.FAILURE, reason="test failed", steps=steps))
        assert world.log() == (
            f"unit of acme/widgets#12 at {HEAD}: failure: test failed\n"
            "\n"
            "=== lint · succeeded · from 2026-03-04 12:00:03 UTC to 2026-03-04 12:00:45 UTC ===\n"
            "looks\n"
            "\n"
            "  fine\n"
            "\n"
            "=== test · failed · exit 1 after 42s · from 2026-03-04 12:00:03 UTC"
            " to 2026-03-04 12:00:45 UTC ===\n"
            "1 failed\n"
            "\n"
            "=== deploy · blocked ===\n"
        )

    def test_is_redacted_and_clean(self, world: World) -> None:
        world.printed(
            "lint", f"\x1b[31mtoken {TOKEN}\x1b[0m", "it is hunter2hunter2", "10%\r100%", "a\x07b\u202ec"
        )
        named = step("lint", name=f"lint {TOKEN}\n=== x", result=StepResult(1, f"said {TOKEN}"))
        world.archive(finished(steps=(named,)))
        assert "=== lint [redacted] === x · succeeded · said [redacted] · " in world.log()
        assert world.log().endswith("token [redacted]\nit is [redacted]\n100%\nabc\n")

    def test_leaves_out_airflows_remarks(self, world: World) -> None:
        world.printed(
            "lint", LogLine("DAG bundles loaded", "airflow.dag"), "own words", LogLine("done", "task")
        )
        world.archive(finished())
        assert world.log().splitlines()[3:] == ["own words"]

    def test_but_not_those_on_a_step_that_could_not_say_why(self, world: World) -> None:
        world.printed("lint", "own words", LogLine("killed by signal 9", "airflow.supervisor"))
        world.archive(finished(steps=(step("lint", StepState.FAILED, result=StepResult()),)))
        assert world.log().splitlines()[3:] == ["own words", "killed by signal 9"]

    def test_is_read_one_log_at_a_time_with_a_pause_before_each(self, world: World) -> None:
        for name in ("lint", "test"):
            world.printed(name, "x")
        world.archive(finished(steps=(step("lint"), step("test"), step("deploy", StepState.SKIPPED))))
        assert world.pauses == [PAUSE, PAUSE]
        assert world.airflow.calls["log"] == 2

    def test_says_that_a_log_is_gone_and_shows_what_was_kept(self, world: World) -> None:
        world.printed("lint", "x")
        world.airflow.fail_next("log", DagRunNotFound("somebody deleted it"))
        failed = step("lint", StepState.FAILED, excerpt=("error: x", f"{TOKEN}"))
        assert world.archive(finished(steps=(failed,))) == [None]
        assert world.log().splitlines()[3:] == [
            "[Airflow no longer has this log: these are the lines that were kept]",
            "error: x",
            "[redacted]",
        ]

    def test_tells_when_a_step_took_several_tries(self, world: World) -> None:
        world.airflow.add_dag("checks", ["lint"])
        world.airflow.trigger(REF, {}, "")
        world.archive(finished(steps=(step("lint", try_number=3),)))
        assert "=== lint · succeeded · try 3 · from" in world.log()


class TestWhereSomethingIsDown:
    @pytest.mark.parametrize(
        "error", [AirflowUnavailable("Airflow is down"), AirflowLoginRefused("wrong password")]
    )
    def test_a_run_waits_for_airflow(self, world: World, error: PreflightError) -> None:
        world.printed("lint", "x")
        world.airflow.fail_next("log", error)
        (seconds,) = world.archive(finished())
        assert seconds is not None
        assert 0 < seconds <= 1
        assert world.place.written == [f"{FOLDER}/started.json"]
        assert world.archive(finished()) == [None]
        assert world.place.written[-1] == f"{FOLDER}/finished.json"

    def test_but_not_for_ever(self, world: World) -> None:
        world.airflow.down = True
        world.now = at(60) + PATIENCE
        assert world.archive(finished()) == [None]
        assert "[Airflow did not hand out this log" in world.log()

    @pytest.mark.parametrize(
        ("said", "waits"),
        [pytest.param(7.0, 7, id="soon"), pytest.param(3600.0, 30, id="later than we look at anything")],
    )
    def test_airflow_may_say_when(self, world: World, said: float, waits: int) -> None:
        world.printed("lint", "x")
        world.airflow.fail_next("log", AirflowUnavailable("busy", retry_after=said))
        (seconds,) = world.archive(finished())
        assert seconds is not None
        assert waits <= seconds <= waits * 1.25

    def test_a_place_that_is_down_is_asked_ever_less_often_up_to_every_half_minute(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.place.fails = ArtifactsUnavailable("no bucket")
        waits = [world.wait_after(finished(str(number))) for number in range(9)]
        for wait, longest in zip(waits, (1, 2, 4, 8, 16, 30, 30, 30, 30), strict=True):
            assert 0.75 * longest <= wait <= longest
        assert caplog.text.count("no bucket") == 1
        world.place.fails = None
        assert world.archive(finished()) == [None]
        world.place.fails = ArtifactsUnavailable("no bucket")
        assert world.wait_after(finished()) <= 1

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(ArtifactsUnavailable("no bucket"), id="the place"),
            pytest.param(AirflowAway("not for now", 9.0), id="Airflow"),
        ],
    )
    def test_meanwhile_no_other_run_is_taken(self, world: World, error: PreflightError) -> None:
        world.printed("lint", "x")
        world.place.fails = error
        world.queue.due = [finished("1"), finished("2")]
        assert world.archiver.archive()
        assert not world.archiver.archive()
        assert [run.id for run in world.queue.due] == ["2"]
        world.place.fails = None
        world.seconds += 40
        assert world.archive() == [None]

    def test_reading_for_too_long_is_broken_off(self, world: World) -> None:
        world.printed("lint", *(f"line {number}" for number in range(3_000)))
        ticks = iter(range(0, 100_000, 300))
        world.archiver.clock = lambda: at(next(ticks))
        assert world.archive(finished(steps=(step("lint"), step("lint")))) == [None]
        assert world.log().count("[reading took too long: what follows was left out]") == 2
        assert "line 10\n" in world.log()
        assert "line 2999\n" not in world.log()


class TestLatestGreen:
    @pytest.fixture
    def path(self) -> str:
        return f"{DIRECTORY}/latest_green.json"

    def test_says_what_passed(self, world: World, path: str) -> None:
        world.archive(finished())
        assert world.place.json(path) == {
            "status": "passing",
            "job": "unit",
            "sha": HEAD,
            "base": "main",
            "repository": "acme/widgets",
            "run": "1",
            "artifacts": FOLDER,
            "created": "2026-03-04T12:00:00+00:00",
        }

    def test_moves_on_with_newer_runs(self, world: World, path: str) -> None:
        world.archive(finished("1"), finished("2", created_at=at(5)))
        assert world.place.json(path)["run"] == "2"

    def test_never_goes_back_to_an_older_one_that_is_archived_late(self, world: World, path: str) -> None:
        world.archive(finished("2", created_at=at(5)), finished("1"))
        assert world.place.json(path)["run"] == "2"

    @pytest.mark.parametrize(
        "run",
        [
            pytest.param(finished("2", outcome=Outcome.FAILURE, created_at=at(5)), id="red"),
            pytest.param(finished("2", outcome=Outcome.CANCELLED, created_at=at(5)), id="cancelled"),
            pytest.param(finished("2", inputs={"cluster": "gke"}, created_at=at(5)), id="with inputs"),
            pytest.param(finished("2", dryrun=True, created_at=at(5)), id="a dry run"),
            pytest.param(finished("2", pipeline="e2e", created_at=at(5)), id="another pipeline"),
            pytest.param(
                finished("2", repository=Repository(7, "acme/other"), created_at=at(5)),
                id="another repository",
            ),
        ],
    )
    def test_is_not_moved_by(self, world: World, path: str, run: Run) -> None:
        world.archive(finished("1"), run)
        assert world.place.json(path)["run"] == "1"

    @pytest.mark.parametrize(
        "broken", [b"", b"{", b"[]", b"7", b'{"created": 7}', b'{"created": "soon"}', b"\xff", b"[" * 5000,
                   b'{"created": "2027-01-01T00:00:00"}'],
    )  # fmt: skip
    def test_a_broken_one_is_mended(self, world: World, path: str, broken: bytes) -> None:
        world.place.write(path, [broken])
        world.archive(finished())
        assert world.place.json(path)["run"] == "1"
