"""Programs of others, run and asked again; a dry run that can be copied."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from steps import child, tools
from steps.errors import StepFailed, TryAgain
from steps.tools import ToolError, Tools

PATH = os.environ["PATH"]


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


Program = Callable[[str], str]


@pytest.fixture
def program(bin_: Path) -> Program:
    """Make `tool`, a shell script with this body; returns its name."""

    def make(body: str) -> str:
        (bin_ / "tool").write_text(f"#!/bin/sh\n{body}\n")
        (bin_ / "tool").chmod(0o755)
        return "tool"

    return make


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def ours(bin_: Path, pauses: list[float]) -> Tools:
    return Tools(environ={"PATH": f"{bin_}{os.pathsep}{PATH}", "SECRET": "s3cret"}, pause=pauses.append)


class TestRun:
    def test_prints_and_returns_what_it_says(
        self, ours: Tools, program: Program, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ours.run(program("echo out; echo err >&2; printf end")) == "out\nerr\nend\n"
        assert capsys.readouterr().out == "out\nerr\nend\n"

    def test_prints_as_it_comes(self, ours: Tools, program: Program, tmp_path: Path) -> None:
        seen = tmp_path / "seen"

        class Screen:
            def write(self, text: str) -> int:
                seen.touch()
                return len(text)

            def flush(self) -> None:
                pass

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", Screen())
            ours.run(program(f"echo first; while [ ! -e {seen} ]; do sleep 0.01; done"), timeout=60)

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            pytest.param("printf 'a\\377b\\n'", "a\ufffdb\n", id="bytes that are no text"),
            pytest.param("printf '10%%\\r50%%\\r100%%\\n'", "100%\n", id="a progress bar"),
            pytest.param("printf 'a\\0b\\n'", "a\0b\n", id="NUL"),
            pytest.param("printf '\\303'; sleep 0.05; printf '\\274\\n'", "ü\n", id="a letter in two pieces"),
            pytest.param("", "", id="nothing"),
        ],
    )
    def test_shows_whatever_it_says(self, ours: Tools, program: Program, body: str, shown: str) -> None:
        assert ours.run(program(body)) == shown

    def test_keeps_only_the_end_of_much(
        self, ours: Tools, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tools, "KEPT_CHARACTERS", 1000)
        said = ours.run(program("seq 100000"))
        assert len(said) <= 1000
        assert said.endswith("99999\n100000\n")

    def test_keeps_only_the_end_of_a_line_without_end(
        self, ours: Tools, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tools, "KEPT_CHARACTERS", 20_000)
        assert 0 < len(ours.run(program("head -c 3000000 /dev/zero | tr '\\0' x"))) <= 20_000

    def test_gives_it_what_it_reads(self, ours: Tools) -> None:
        assert ours.run("cat", stdin="käse\n") == "käse\n"

    def test_runs_it_where_it_is_told(self, ours: Tools, tmp_path: Path) -> None:
        assert ours.run("pwd", cwd=tmp_path) == f"{tmp_path}\n"

    def test_its_environment_is_ours(self, ours: Tools, program: Program) -> None:
        ours.environ["KUBECONFIG"] = "/config"
        assert ours.run(program('echo "$SECRET $KUBECONFIG ${HOME-none}"')) == "s3cret /config none\n"

    def test_an_argument_stays_one(self, ours: Tools) -> None:
        assert ours.run("printf", "%s|", "a b", "$(id)", "'; id #", "*", "") == "a b|$(id)|'; id #|*||\n"


class TestAsk:
    def test_returns_the_answer_alone(
        self, ours: Tools, program: Program, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ours.ask(program("echo warning >&2; printf '{}'")) == "{}"
        assert capsys.readouterr() == ("", "")

    def test_refuses_an_answer_without_end(
        self, ours: Tools, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tools, "MAX_ANSWER", 1024**2)
        with pytest.raises(StepFailed, match="tool answers with more than 1 MB"):
            ours.ask(program("yes"))

    def test_says_why_it_failed(self, ours: Tools, program: Program) -> None:
        with pytest.raises(ToolError, match=r"^tool: half an answer no such thing$") as caught:
            ours.ask(program("echo half an answer; echo no such thing >&2; exit 3"))
        assert (caught.value.exit_code, caught.value.said) == (3, "half an answer\nno such thing")


@pytest.mark.parametrize("how", ["run", "ask"])
class TestAFailure:
    def call(self, ours: Tools, how: str, *argv: str, timeout: float | None = None) -> str:
        return str(getattr(ours, how)(*argv, timeout=timeout))

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            pytest.param("echo no such cluster >&2; exit 1", "tool a b: no such cluster", id="its words"),
            pytest.param("exit 3", "tool a b: exit code 3", id="says nothing"),
            pytest.param("kill -9 $$", "tool a b: killed by SIGKILL", id="killed"),
        ],
    )
    def test_is_told_in_its_words(
        self, ours: Tools, program: Program, how: str, body: str, message: str
    ) -> None:
        with pytest.raises(ToolError) as caught:
            self.call(ours, how, program(body), "a", "b", "--password=x")
        assert str(caught.value) == message

    def test_for_good_is_not_tried_again(
        self, ours: Tools, program: Program, how: str, pauses: list[float]
    ) -> None:
        with pytest.raises(ToolError):
            self.call(ours, how, program("echo quota GPUS exceeded >&2; exit 1"))
        assert pauses == []

    def test_is_told_by_the_last_lines(self, ours: Tools, program: Program, how: str) -> None:
        with pytest.raises(ToolError) as caught:
            self.call(ours, how, program("seq 1000; exit 1"))
        assert caught.value.said.splitlines() == [str(number) for number in range(971, 1001)]

    def test_that_may_pass_is_tried_again(
        self, ours: Tools, program: Program, how: str, pauses: list[float], tmp_path: Path
    ) -> None:
        tried = tmp_path / "tried"
        body = (
            f"[ -e {tried} ] && echo yes && exit 0; touch {tried}; echo '503 Service Unavailable' >&2; exit 1"
        )
        assert self.call(ours, how, program(body)) == "yes\n"
        assert len(pauses) == 1
        assert 1 <= pauses[0] <= 2

    def test_that_does_not_pass_is_worth_another_try_later(
        self,
        ours: Tools,
        program: Program,
        how: str,
        pauses: list[float],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        with pytest.raises(TryAgain, match="connection refused"):
            self.call(ours, how, program("echo connection refused >&2; exit 1"))
        assert [1 <= pauses[0] <= 2, 2 <= pauses[1] <= 4, 4 <= pauses[2] <= 8, len(pauses)] == [True] * 3 + [
            3
        ]
        assert "s comes try 4 of 4" in capsys.readouterr().out

    def test_is_a_timeout_even_if_a_child_keeps_the_pipe(
        self, ours: Tools, program: Program, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(child, "GRACE", 0.2)
        body = "(trap '' TERM; while :; do sleep 1; done) & wait"
        with pytest.raises(TryAgain, match=r"^tool took longer than 0.3s$"):
            self.call(ours, how, program(body), timeout=0.3)

    def test_because_it_is_not_there_says_so(self, ours: Tools, how: str) -> None:
        with pytest.raises(StepFailed, match=r"^gcloudy is not on PATH: it is needed for `gcloudy a b`$"):
            self.call(ours, how, "gcloudy", "a", "b", "c")


@pytest.mark.parametrize(("path", "there"), [(PATH, True), ("/nowhere", False)])
def test_a_program_is_looked_for_on_the_path_that_programs_see(path: str, *, there: bool) -> None:
    assert Tools(environ={"PATH": path}).has("sh") is there


class TestADryRun:
    """Prints what does the same in a shell, and runs nothing."""

    @pytest.mark.parametrize(
        ("argv", "stdin", "shown"),
        [
            pytest.param(["helm", "list"], "", "helm list\n", id="words"),
            pytest.param(["echo", "a b", "$x", "it's"], "", "echo 'a b' '$x' 'it'\"'\"'s'\n", id="quoted"),
            pytest.param(["cat"], "a\n", "cat <<'EOF'\na\nEOF\n", id="input"),
            pytest.param(["cat"], "a", "cat <<'EOF'\na\nEOF\n", id="input without a newline"),
            pytest.param(["cat"], "EOF\n$x\n", "cat <<'EOF_'\nEOF\n$x\nEOF_\n", id="input with EOF"),
        ],
    )
    @pytest.mark.parametrize("how", ["run", "ask"])
    def test_prints(
        self, how: str, argv: list[str], stdin: str, shown: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert getattr(Tools(dryrun=True, environ={}), how)(*argv, stdin=stdin) == ""
        assert capsys.readouterr().out == shown

    @pytest.mark.parametrize("stdin", ["", "one\ntwo\n", "EOF\n\n\n$HOME `id`\n"])
    def test_can_be_copied_into_a_shell(
        self, tmp_path: Path, stdin: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        argv = ["sh", "-c", 'pwd; printf "<%s>" "$@"; cat', "-", "a b", "$HOME", "x\ny", "'", ""]
        folder = tmp_path / "a folder"
        folder.mkdir()
        Tools(dryrun=True).run(*argv, cwd=folder, stdin=stdin)
        shown = capsys.readouterr().out
        done = subprocess.run(["sh", "-c", shown], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        assert done.stdout.decode() == f"{folder}\n<a b><$HOME><x\ny><'><>{stdin}"

    def test_hides_a_secret(self, capsys: pytest.CaptureFixture[str]) -> None:
        Tools(dryrun=True).run("docker", "login", "--password-stdin", stdin="s3cret", hide_stdin=True)
        assert capsys.readouterr().out == "docker login --password-stdin <<'EOF'\n(a secret)\nEOF\n"

    def test_needs_no_program(self, capsys: pytest.CaptureFixture[str]) -> None:
        Tools(dryrun=True, environ={"PATH": ""}).run("gcloud", "info")
        assert capsys.readouterr().out == "gcloud info\n"
