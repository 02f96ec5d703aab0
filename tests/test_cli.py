"""What is typed, what is printed, and the exit code."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import commands
from bot.cli import main
from tests.examples import comment_payload
from tests.simulate.simulating import CONFIG, facts_about

Write = Callable[[str, "str | bytes | dict[str, Any]"], str]
ROOT = Path(__file__).parents[1]
NETWORK = {
    "github",
    "airflow_client",
    "sqlalchemy",
    "psycopg",
    "flask",
    "gunicorn",
    "prometheus_client",
    "urllib3",
}


@pytest.fixture
def file(tmp_path: Path) -> Write:
    """Writes a file and tells its path."""

    def write(name: str, content: str | bytes | dict[str, Any]) -> str:
        text = json.dumps(content) if isinstance(content, dict) else content
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


class TestValidate:
    def test_a_good_file(self, file: Write, capsys: pytest.CaptureFixture[str]) -> None:
        path = file("preflight.yaml", CONFIG)

        assert main(["validate", path]) == 0
        assert capsys.readouterr().out == f"{path}: fine: unit, e2e, docs\n"

    def test_each_problem_has_its_line(self, file: Write, capsys: pytest.CaptureFixture[str]) -> None:
        path = file("preflight.yaml", "pipelines:\n  unit: {dga: checks}\n  e2e: {dag: 3}\n")

        assert main(["validate", path]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert {line.split(": ")[0] for line in lines} == {f"{path}:2", f"{path}:3"}
        assert any("did you mean 'dag'?" in line for line in lines)

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\0", b"[" * 10_000, b"a: &a [*a]", b"3"])
    def test_what_is_no_such_file(
        self, file: Write, content: bytes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = file("preflight.yaml", content)

        assert main(["validate", path]) == 1
        assert capsys.readouterr().out.startswith(f"{path}:")

    def test_what_can_not_be_read(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for path in (tmp_path / "missing.yaml", tmp_path):
            assert main(["validate", str(path)]) == 2
            assert f"preflight: can't read {path}: " in capsys.readouterr().err


class TestSimulate:
    def test_a_decision(self, file: Write, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = [
            *("simulate", "--event", "issue_comment"),
            *("--payload", file("payload.json", comment_payload("/test unit"))),
            *("--config", file("preflight.yaml", CONFIG)),
            *("--facts", file("facts.json", facts_about())),
        ]

        assert main(arguments) == 0
        printed = capsys.readouterr()
        assert json.loads(printed.out)["decision"] == "run"
        assert printed.err == ""

    def test_a_missing_fact(self, file: Write, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = [
            *("simulate", "--event", "issue_comment"),
            *("--payload", file("payload.json", comment_payload("/override unit because", author="mallory"))),
            *("--config", file("preflight.yaml", CONFIG)),
            *("--facts", file("facts.json", facts_about(permissions={}))),
        ]

        assert main(arguments) == 2
        shown = json.loads(capsys.readouterr().out)
        assert shown["decision"] == "error"
        assert "permissions: mallory" in shown["reason"]

    def test_an_event_that_means_nothing(self, file: Write, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["simulate", "--event", "star", "--payload", file("payload.json", {})]) == 0
        assert json.loads(capsys.readouterr().out)["decision"] == "ignore"

    @pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[]", b"null"])
    def test_a_broken_payload(self, file: Write, payload: bytes, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["simulate", "--event", "pull_request", "--payload", file("payload.json", payload)]) == 0
        assert json.loads(capsys.readouterr().out)["decision"] == "error"

    def test_a_broken_configuration(self, file: Write, capsys: pytest.CaptureFixture[str]) -> None:
        path = file("preflight.yaml", "pipelines: 3")
        arguments = [
            *("simulate", "--event", "issue_comment", "--config", path),
            *("--payload", file("payload.json", comment_payload("/test"))),
            *("--facts", file("facts.json", facts_about())),
        ]

        assert main(arguments) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["decision"] == "error"
        assert f"{path}:1: " in shown["reason"]

    @pytest.mark.parametrize("facts", [b"", b"{", b"[]", b'{"permissions": 3}'])
    def test_facts_that_can_not_be_used(
        self, file: Write, facts: bytes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = [
            *("simulate", "--event", "ping", "--payload", file("payload.json", {})),
            *("--facts", file("facts.json", facts)),
        ]

        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("preflight: FACTS ")

    @pytest.mark.parametrize("option", ["--payload", "--config", "--facts"])
    def test_files_that_can_not_be_read(
        self, file: Write, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files = {"--payload": file("payload.json", {})} | {option: str(tmp_path / "missing")}
        arguments = [word for pair in files.items() for word in pair]

        assert main(["simulate", "--event", "ping", *arguments]) == 2
        assert "missing: No such file" in capsys.readouterr().err


class TestCommands:
    def test_are_listed_as_help_lists_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["commands"]) == 0
        assert capsys.readouterr().out == f"{commands.help_text()}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["deploy"],
        ["validate"],
        ["simulate", "--event", "ping"],
        ["simulate", "--payload", "x"],
        ["commands", "x"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_says_how_it_is_called(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert left.value.code == 2
    assert "usage: python -m bot" in capsys.readouterr().err


def test_what_asks_nobody_needs_no_environment_and_nothing_that_reaches_a_network(tmp_path: Path) -> None:
    (tmp_path / "preflight.yaml").write_text(CONFIG)
    (tmp_path / "ping.json").write_text("{}")
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from bot.cli import main
codes = (
    main(["commands"]),
    main(["validate", "preflight.yaml"]),
    main(["simulate", "--event", "ping", "--payload", "ping.json"]),
)
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {NETWORK!r}), file=sys.stderr)
sys.exit(max(codes))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert ast.literal_eval(done.stderr) == []
    assert done.stdout


def test_says_what_a_terminal_can_not_show_in_another_way(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "validate", b"\xff.yaml"],
        cwd=ROOT,
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("preflight: can't read \\udcff.yaml: ")
