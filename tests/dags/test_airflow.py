"""The Airflow side, run by Airflow's own Python: parsing, operator, whole runs, listener."""

import hashlib
import hmac
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from tests.dags.airflow_server import SIDE, Server
from tests.dags.conftest import DAGS, Repository
from tests.dags.git_server import git_server

_NOT_HANDED_ON = ("AIRFLOW", "PREFLIGHT_", "PYTHONDONTWRITEBYTECODE")  # the last makes imports slow
JUNIT = (
    '<testsuite name="pytest"><testcase classname="tests.test_a" name="test_x"><failure message="boom"/>'
    '</testcase><testcase classname="tests.test_a" name="test_y"/></testsuite>'
)
BOMB = '<!DOCTYPE x [<!ENTITY a "aa">]><testsuite><testcase name="&a;"/></testsuite>'
HOSTILE = "{{ var.value.x }} $(touch pwned) --upload-pack=x"


@pytest.fixture(scope="session")
def parsed(loaded: dict[str, Any]) -> dict[str, Any]:
    """Return what Airflow makes of the DAG `checks`."""
    checks: dict[str, Any] = loaded["dags"]["checks"]
    return checks


class TestTheDagChecks:
    def test_parses_without_errors(self, loaded: dict[str, Any]) -> None:
        assert (loaded["errors"], loaded["dags"]["checks"]["serialized"]) == ({}, True)

    def test_is_a_clone_then_the_steps_then_nothing_else(self, parsed: dict[str, Any]) -> None:
        assert parsed["downstream"] == {"clone": ["step"], "step": []}

    def test_renders_no_template(self, parsed: dict[str, Any]) -> None:
        assert parsed["template_fields"] == {"clone": [], "step": []}

    def test_runs_as_soon_as_it_is_triggered_and_only_then(self, parsed: dict[str, Any]) -> None:
        assert {key: parsed[key] for key in ("tags", "paused", "schedule", "catchup", "max_active_runs")} == {
            "tags": ["preflight"],
            "paused": False,
            "schedule": None,
            "catchup": False,
            "max_active_runs": 64,
        }

    def test_retries_what_is_temporary_twice(self, parsed: dict[str, Any]) -> None:
        assert parsed["retries"] == {"clone": 2, "step": 2}

    def test_says_what_it_is_and_what_each_param_means(self, parsed: dict[str, Any]) -> None:
        assert "dryrun" in parsed["page"]
        assert all(param["description"] and param["schema"]["type"] for param in parsed["params"].values())

    def test_can_be_triggered_with_its_defaults(self, parsed: dict[str, Any]) -> None:
        for param in parsed["params"].values():
            jsonschema.validate(param["default"], param["schema"])

    @pytest.mark.parametrize(
        ("param", "value"),
        [
            ("steps", {"lint": "ruff check .", "unit-3.11": "pytest\nmore"}),
            ("steps", {"x" * 63: "{{ var.value.x }} $(id)"}),
            ("dryrun", True),
            ("timeout", 60),
            ("PULL_BASE_REF", "-q"),
            ("PULL_NUMBER", "12"),
            ("preflight", {"version": 1, "untrusted": {"title": "{{ x }}"}, "later": 1}),
        ],
    )
    def test_takes_what_the_bot_sends(self, parsed: dict[str, Any], param: str, value: object) -> None:
        jsonschema.validate(value, parsed["params"][param]["schema"])

    @pytest.mark.parametrize(
        ("param", "value"),
        [
            ("steps", {}),
            ("steps", {"../x": "true"}),
            ("steps", {"-q": "true"}),
            ("steps", {"a b": "true"}),
            ("steps", {"lint": ""}),
            ("steps", {"lint": ["true"]}),
            ("steps", {"lint": "x" * 16_001}),
            ("steps", {f"s{number}": "true" for number in range(65)}),
            ("steps", ["true"]),
            ("dryrun", "true"),
            ("timeout", 0),
            ("timeout", "60"),
            ("PULL_NUMBER", 12),
            ("preflight", {"version": 2}),
        ],
    )
    def test_refuses_the_rest(self, parsed: dict[str, Any], param: str, value: object) -> None:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(value, parsed["params"][param]["schema"])


@pytest.fixture
def execute(server: Server, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run(*argv: str, env: dict[str, str] | None = None, **given: object) -> Any:  # noqa: ANN401 - JSON
        root = {"PREFLIGHT_ARTIFACTS_ROOT": str(tmp_path / "artifacts"), "TMPDIR": str(tmp_path)}
        return server.ask(do="execute", argv=argv, env=root | (env or {}), **{"params": {}, **given})

    return run


def output(done: dict[str, Any]) -> list[str]:
    """Return what the operator's own logger holds: the step's output and nothing of ours."""
    # The base class remarks that no task runner called it, which is so here.
    return [line for line in done["log"] if "outside of the Task Runner" not in line]


Execute = Callable[..., dict[str, Any]]


class TestTheOperator:
    def test_reports_a_success(self, execute: Execute) -> None:
        output = '{"commit": "0f", "preflight": "not for steps to say"}'
        done = execute("sh", "-c", f"echo '{output}' > $STEP_OUTPUT", returns=["a", "b"])
        assert (done["raised"], done["returned"]) == (None, ["a", "b"])
        assert done["xcoms"]["commit"] == "0f"
        assert done["xcoms"]["preflight"] | {"argv": "", "duration_seconds": 0} == {
            "version": 1,
            "name": "unit",
            "outcome": "succeeded",
            "exit_code": 0,
            "duration_seconds": 0,
            "reason": None,
            "argv": "",
            "reproduce": "make test",
            "dryrun": False,
            "tests": None,
            "artifacts": {"kept": 0, "bytes": 0, "dropped": ""},
        }

    @pytest.mark.parametrize(
        ("command", "raised", "outcome", "reason"),
        [
            ("exit 1", "final", "failed", "exit 1 after"),
            ("exit 75", "retried", "temporary", "exit 75 after"),
            ("kill -9 $$", "final", "failed", "killed by SIGKILL after"),
            (
                'echo \'{"reason": "merge conflict in a"}\' > "$STEP_OUTPUT"; exit 1',
                "final",
                "failed",
                "merge conflict in a",
            ),
        ],
    )
    def test_reports_a_failure(
        self, execute: Execute, command: str, raised: str, outcome: str, reason: str
    ) -> None:
        done = execute("sh", "-c", command)
        report = done["xcoms"]["preflight"]
        assert (done["raised"], report["outcome"], report["reason"]) == (raised, outcome, done["message"])
        assert done["message"].startswith(reason)

    def test_reports_a_binary_that_is_missing(self, execute: Execute) -> None:
        done = execute("no-such-binary")
        assert (done["raised"], done["xcoms"]["preflight"]["exit_code"]) == ("final", 127)
        assert "no-such-binary" in done["message"]

    def test_a_timeout_is_final(self, execute: Execute) -> None:
        done = execute("sleep", "600", timeout=0.5)
        assert (done["raised"], done["message"]) == ("final", "timed out after 0.5s")

    def test_a_cancel_ends_all_that_was_started(self, execute: Execute, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        done = execute(
            "sh",
            "-c",
            f"(trap '' TERM; sleep 600) & echo $! $$ > {pids}; wait",
            kill_when=str(pids),
            runs_their_code=False,  # in a sandbox it could not reach that file
        )
        assert (done["raised"], done["xcoms"]["preflight"]["outcome"]) == ("retried", "cancelled")
        assert not any(psutil.pid_exists(int(pid)) and alive(int(pid)) for pid in pids.read_text().split())
        assert not list(tmp_path.glob("preflight-step-*"))

    @pytest.mark.parametrize(
        ("ends", "outcome", "more"),
        [
            ("exit 1", "failed", {}),
            ("exec sleep 600", "timed_out", {"timeout": 1}),
            ("exec sleep 600", "cancelled", {"kill_after": 1}),
            ("kill -9 $$", "failed", {}),
            ("exit 75", "temporary", {}),
        ],
    )
    def test_reads_what_the_step_left_however_it_ended(
        self, execute: Execute, ends: str, outcome: str, more: dict[str, object]
    ) -> None:
        left = f"printf '%s' '{JUNIT}' > $ARTIFACTS/junit.xml; ln -s /etc $ARTIFACTS/etc"
        report = execute("sh", "-c", f"{left}; {ends}", **more)["xcoms"]["preflight"]
        assert report["outcome"] == outcome
        assert (report["tests"]["total"], report["tests"]["failures"][0]["name"]) == (
            2,
            "tests/test_a.py::test_x",
        )
        assert report["artifacts"] == {"kept": 1, "bytes": len(JUNIT), "dropped": "1 file, 0 bytes: a link"}

    def test_a_second_try_leaves_nothing_of_the_first(self, execute: Execute, tmp_path: Path) -> None:
        first = execute("sh", "-c", f"printf '%s' '{JUNIT}' > $ARTIFACTS/junit.xml; exit 75")
        assert first["xcoms"]["preflight"]["tests"]["failed"] == 1
        second = execute("sh", "-c", "touch $ARTIFACTS/log", try_number=2)
        assert second["xcoms"]["preflight"]["tests"] is None
        folder = tmp_path / "artifacts" / "manual" / "manual__1" / "artifacts"
        assert sorted(path.name for path in folder.rglob("*")) == ["log", "unit"]

    def test_mapped_steps_without_names_have_a_folder_each(self, execute: Execute) -> None:
        done = execute("sh", "-c", "basename $ARTIFACTS", map_index=2)
        assert output(done) == ["unit-2"]

    def test_artifacts_go_where_the_url_says(self, execute: Execute, tmp_path: Path) -> None:
        there = {
            "PREFLIGHT_ARTIFACTS_URL": (tmp_path / "there").as_uri(),
            "PREFLIGHT_ARTIFACTS_MAX_FILES": "1",
        }
        command = f"printf '%s' '{JUNIT}' > $ARTIFACTS/junit.xml; touch $ARTIFACTS/a"
        done = execute("sh", "-c", command, env=there, params={"ARTIFACTS_PATH": "pr-logs/1"})
        assert done["xcoms"]["preflight"]["artifacts"]["dropped"] == "1 file, 0 bytes: more than 1 files"
        kept = [path for path in (tmp_path / "there").rglob("*") if path.is_file()]
        assert sorted(path.relative_to(tmp_path / "there").as_posix() for path in kept) == [
            "pr-logs/1/artifacts/junit_unit.xml",
            "pr-logs/1/artifacts/unit/junit.xml",
        ]

    def test_a_storage_that_can_not_be_reached_fails_no_step(self, execute: Execute) -> None:
        done = execute("sh", "-c", "touch $ARTIFACTS/a", env={"PREFLIGHT_ARTIFACTS_URL": "nowhere://x"})
        assert done["raised"] is None
        assert done["xcoms"]["preflight"]["artifacts"]["dropped"].startswith("could not be kept")

    def test_the_output_is_logged_line_by_line(self, execute: Execute) -> None:
        done = execute("printf", "one\\ntwo %s\\r\\n\\377\\n", "{{ var.value.x }}")
        assert output(done) == ["one", "two {{ var.value.x }}", "\ufffd"]

    def test_airflows_environment_does_not_reach_the_step(self, execute: Execute) -> None:
        secrets = {
            "AIRFLOW__CORE__FERNET_KEY": "s3cret",
            "PREFLIGHT_NUDGE_SECRET": "s3cret",
            "MY_TOKEN": "s3cret",
        }
        done = execute(
            "env",
            env=secrets | {"DECLARED": "yes"},
            runs_their_code=False,
            inherit=["DECLARED"],
            params={"PULL_NUMBER": "7"},
        )
        names = {line.partition("=")[0] for line in output(done)}
        assert {"ARTIFACTS", "DECLARED", "HOME", "PATH", "PULL_NUMBER", "STEP_OUTPUT", "TMPDIR"} <= names
        assert not names & secrets.keys()
        assert "s3cret" not in "".join(done["log"])

    def test_binaries_of_steps_are_found(self, execute: Execute) -> None:
        done = execute("python", "-m", "steps.release", "clone", "--help", env={"PYTHONSAFEPATH": "1"})
        assert done["raised"] is None

    def test_a_dry_run_shows_everything_and_runs_nothing(self, execute: Execute, tmp_path: Path) -> None:
        done = execute("touch", str(tmp_path / "a b"), params={"dryrun": True}, returns=["x"])
        assert done["returned"] == ["x"]
        announced, command, folder, environment = output(done)
        assert announced == "Dry run: nothing is run."
        assert command == f"command: touch '{tmp_path}/a b'"
        assert folder.startswith("working directory: ")
        assert environment.startswith("environment: ARTIFACTS ")
        assert (done["xcoms"]["preflight"]["outcome"], done["xcoms"]["preflight"]["dryrun"]) == (
            "dryrun",
            True,
        )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("path", ["../x", "/etc", "a\nb"])
    def test_conf_that_leaves_the_artifacts_root_is_refused(self, execute: Execute, path: str) -> None:
        done = execute("true", params={"ARTIFACTS_PATH": path})
        assert (done["raised"], "ARTIFACTS_PATH" in done["message"]) == ("final", True)
        assert done["xcoms"]["preflight"]["reason"] == done["message"]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="class")
def runs(
    airflow_python: str, airflow_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Runs of `checks` in a real Airflow on SQLite, and the folder of their artifacts."""
    folder = tmp_path_factory.mktemp("runs")
    env = airflow_environment | {"PREFLIGHT_ARTIFACTS_ROOT": str(folder / "artifacts")}
    airflow = [airflow_python, "-m", "airflow", "db", "migrate"]
    subprocess.run(airflow, env=env, check=True, capture_output=True)
    repository = Repository.create(folder)
    base = repository.commit(ref="refs/heads/-q", file="1\n")
    head = repository.commit(onto=base, ref="refs/pull/7/head", added="2\n")
    with git_server(folder / "git") as address:
        hostile = {
            "steps": {"zz": f"printf '%s' '{HOSTILE}' > $ARTIFACTS/said", "a": "exit 3"},
            "CLONE_URL": f"{address}/o/r.git",
            "PULL_BASE_SHA": base,
            "PULL_PULL_SHA": head,
            "PULL_BASE_REF": "-q",
            "PULL_NUMBER": "7",
            "ARTIFACTS_PATH": "pr-logs/one",
            "preflight": {"version": 1, "untrusted": {"title": HOSTILE}, "order": {"steps": ["zz", "a"]}},
        }
        branch = hostile | {
            "steps": {"unit": 'git rev-parse HEAD > $ARTIFACTS/said; test -z "${PULL_NUMBER:-}"'},
            "PULL_BASE_SHA": head,
            "PULL_NUMBER": "",
            "JOB_TYPE": "postsubmit",
            "ARTIFACTS_PATH": "logs/unit/1",
            "preflight": {"version": 1},
        }
        red = hostile | {
            "steps": {
                "unit": f"printf '%s' '{JUNIT}' > $ARTIFACTS/junit.xml; exit 1",
                "e2e": f"printf '%s' '{BOMB}' > $ARTIFACTS/junit.xml; kill -9 $$",
            },
            "ARTIFACTS_PATH": "pr-logs/red",
            "preflight": {"version": 1, "order": {"steps": ["unit", "e2e"]}},
        }
        confs = {"hostile": hostile, "branch": branch, "red": red, "empty": {}, "dryrun": {"dryrun": True}}
        done = subprocess.run(
            [airflow_python, str(SIDE / "run_dags.py"), str(DAGS)],
            env=env,
            input=json.dumps(confs),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    loaded: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return loaded | {"artifacts": folder / "artifacts", "head": head}


class TestWholeRuns:
    def test_what_strangers_write_is_never_rendered(self, runs: dict[str, Any]) -> None:
        tasks = {task["label"] or task["task"]: task for task in runs["hostile"]["tasks"]}
        assert {name: task["state"] for name, task in tasks.items()} == {
            "clone": "success",
            "zz": "success",
            "a": "failed",
        }
        assert (runs["artifacts"] / "pr-logs/one/artifacts/zz/said").read_text() == HOSTILE
        assert HOSTILE in tasks["zz"]["preflight"]["reproduce"]
        assert tasks["a"]["preflight"]["reason"].startswith("exit 3 after")
        assert "RENDERED" not in json.dumps(runs["hostile"])

    def test_a_pushed_branch_is_tested_at_its_own_commit(self, runs: dict[str, Any]) -> None:
        assert runs["branch"]["state"] == "success"
        said = runs["artifacts"] / "logs/unit/1/artifacts/unit/said"
        assert said.read_text().strip() == runs["head"]
        clone = next(task for task in runs["branch"]["tasks"] if task["task"] == "clone")
        assert (
            clone["preflight"]["reproduce"]
            == f"git fetch origin {runs['head']} && git checkout {runs['head']}"
        )

    def test_two_steps_that_fail_tell_which_tests_did(self, runs: dict[str, Any]) -> None:
        reports = {task["label"]: task["preflight"] for task in runs["red"]["tasks"] if task["label"]}
        unit, e2e = reports["unit"], reports["e2e"]
        assert (unit["tests"]["total"], unit["tests"]["failed"]) == (2, 1)
        assert unit["tests"]["failures"] == [
            {
                "name": "tests/test_a.py::test_x",
                "message": "boom",
                "file": "tests/test_a.py",
                "line": None,
                "seconds": None,
            }
        ]
        assert e2e["reason"].startswith("exit 137 (SIGKILL")
        assert e2e["tests"]["notes"] == ["junit.xml declares entities, which are never expanded here"]
        folder = runs["artifacts"] / "pr-logs/red/artifacts"
        assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.xml")) == [
            "e2e/junit.xml",
            "junit_unit.xml",
            "unit/junit.xml",
        ]

    def test_without_a_clone_url_it_says_what_to_do(self, runs: dict[str, Any]) -> None:
        clone = next(task for task in runs["empty"]["tasks"] if task["task"] == "clone")
        assert "conf has no CLONE_URL" in clone["preflight"]["reason"]

    def test_a_dry_run_by_hand_shows_every_step(self, runs: dict[str, Any]) -> None:
        assert runs["dryrun"]["state"] == "success"
        assert [task["preflight"]["outcome"] for task in runs["dryrun"]["tasks"]] == ["dryrun", "dryrun"]


@contextmanager
def receiver(*, delay: float = 0) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A bot that takes nudges: its address, and what it got."""
    got: list[tuple[str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["X-Preflight-Signature-256"], body))
            time.sleep(delay)
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/nudge", got
        finally:
            server.shutdown()


class TestTheListener:
    def test_hints_are_signed_and_sent_before_the_process_ends(self, server: Server) -> None:
        with receiver() as (url, got):
            server.ask(do="nudge", env={"PREFLIGHT_NUDGE_URL": url, "PREFLIGHT_NUDGE_SECRET": "s3cret"})
        hints = [json.loads(body) for _, body in got]
        run = "preflight~home~o~r~1~unit~0123456789ab~1"
        assert [{key: value for key, value in hint.items() if key != "sent_at"} for hint in hints] == [
            {
                "dag_id": "checks",
                "dag_run_id": run,
                "task_id": "step",
                "map_index": map_index,
                "try_number": 1,
                "state": state,
            }
            for map_index in (None, 2)
            for state in ("running", "success", "failed")
        ]
        assert all(
            signature == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
            for signature, body in got
        )

    def test_the_secret_can_come_from_a_file(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("from a file\n")
        with receiver() as (url, got):
            server.ask(
                do="nudge",
                env={"PREFLIGHT_NUDGE_URL": url, "PREFLIGHT_NUDGE_SECRET_FILE": str(tmp_path / "secret")},
            )
        signature, body = got[0]
        assert signature == "sha256=" + hmac.new(b"from a file", body, hashlib.sha256).hexdigest()

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"PREFLIGHT_NUDGE_SECRET": "s3cret"},
            {"PREFLIGHT_NUDGE_URL": "http://127.0.0.1:9/nudge"},
            {"PREFLIGHT_NUDGE_URL": "http://127.0.0.1:9/nudge", "PREFLIGHT_NUDGE_SECRET": "s3cret"},
            {"PREFLIGHT_NUDGE_URL": "file:///etc/passwd", "PREFLIGHT_NUDGE_SECRET": "s3cret"},
            {"PREFLIGHT_NUDGE_URL": "http://127.0.0.1:9/nudge", "PREFLIGHT_NUDGE_SECRET_FILE": "/missing"},
        ],
        ids=["nothing set", "no URL", "no secret", "nobody listens", "no HTTP", "no secret file"],
    )
    def test_without_a_bot_nothing_happens(self, server: Server, settings: dict[str, str]) -> None:
        assert server.ask(do="nudge", env=settings)

    def test_a_bot_that_hangs_delays_a_task_by_a_bounded_time(self, server: Server) -> None:
        with receiver(delay=30) as (url, _):
            took = server.ask(
                do="nudge", env={"PREFLIGHT_NUDGE_URL": url, "PREFLIGHT_NUDGE_SECRET": "s3cret"}
            )
        assert max(took.values()) < 10


def test_dags_never_import_the_bot() -> None:
    sources = {file: file.read_text(encoding="utf-8") for file in DAGS.rglob("*.py")}
    assert [file for file, text in sources.items() if "import bot" in text or "from bot" in text] == []


def test_binaries_need_the_standard_library_only(tmp_path: Path) -> None:
    for name in ("release", "checks"):
        done = subprocess.run(
            [sys.executable, "-S", "-m", f"steps.{name}", "--help"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(DAGS)},
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
