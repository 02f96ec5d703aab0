import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.dags.conftest import Done

Step = Callable[..., Done]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    from steps.archive import pack  # noqa: PLC0415 - importable once conftest.py made it so

    tree = tmp_path / "merged"
    (tree / "folder").mkdir(parents=True)
    (tree / "file").write_text("content\n")
    (tree / "link").symlink_to("/nowhere")
    pack(tree, tmp_path / "source.tar.gz", {})
    return tmp_path / "source.tar.gz"


@pytest.fixture
def options(archive: Path, tmp_path: Path) -> list[str]:
    return [
        "steps.checks",
        "run",
        "--name=unit",
        f"--archive={archive}",
        f"--artifacts={tmp_path / 'artifacts'}",
    ]


@contextlib.contextmanager
def started(environment: dict[str, str], *args: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", *args], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        ("true", 0),
        ("exit 7", 7),
        ("exit 75", 75),
        ("false | cat", 1),
        ("echo $undefined", 1),
        ("false; true", 1),
        ("kill -9 $$", 137),
        ("no-such-command", 127),
    ],
)
def test_ends_with_the_commands_exit_code(
    step: Step, options: list[str], command: str, exit_code: int
) -> None:
    done = step(*options, "--", command)
    assert (done.exit_code, done.left_behind) == (exit_code, []), done.output


@pytest.mark.parametrize(
    "text",
    ["{{ var.value.x }}", "$(touch pwned)", "`touch pwned`", "--upload-pack=x", "-q", "'; touch pwned #"],
)
def test_a_command_is_one_argument_whatever_is_in_it(
    step: Step, options: list[str], text: str, tmp_path: Path
) -> None:
    done = step(*options, "--", f"printf %s {shlex.quote(text)}")
    assert (done.exit_code, done.output) == (0, text)
    assert not (tmp_path / "pwned").exists()


def test_a_command_that_begins_with_a_dash_is_no_option(step: Step, options: list[str]) -> None:
    assert step(*options, "--", "--dryrun").exit_code == 127


def test_every_step_has_a_copy_of_its_own(step: Step, options: list[str]) -> None:
    for _ in range(2):
        done = step(*options, "--", "cat file; readlink link; rm -r file folder link")
        assert (done.exit_code, done.output) == (0, "content\n/nowhere\n")


def test_the_environment_is_clean(step: Step, options: list[str], tmp_path: Path) -> None:
    done = step(
        *options,
        "--",
        "env | cut -d= -f1 | sort | tr '\\n' ' '",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql://secret",
        PREFLIGHT_NUDGE_SECRET="secret",
        GITHUB_TOKEN="secret",
        HTTPS_PROXY="http://user:secret@proxy",
        http_proxy="http://proxy:3128",
        PULL_NUMBER="7",
        LC_ALL="C",
    )
    expected = "ARTIFACTS CI HOME LC_ALL PATH PULL_NUMBER PWD SHLVL TERM TMPDIR _ http_proxy"
    assert done.output.split() == expected.split()


def test_home_and_temporary_files_are_removed_with_the_copy_and_artifacts_are_kept(
    step: Step, options: list[str], tmp_path: Path
) -> None:
    command = "touch $HOME/a $TMPDIR/b; echo kept > $ARTIFACTS/c; mkdir ro; touch ro/x; chmod 500 ro"
    done = step(*options, "--", command)
    assert (done.exit_code, done.left_behind) == (0, []), done.output
    assert (tmp_path / "artifacts" / "c").read_text() == "kept\n"


def test_leftovers_are_ended_with_the_step(step: Step, options: list[str], tmp_path: Path) -> None:
    done = step(*options, "--", "(trap '' TERM; sleep 600) & echo $! > $ARTIFACTS/pid")
    assert (done.exit_code, done.left_behind) == (0, [])
    pid = int((tmp_path / "artifacts" / "pid").read_text())
    assert eventually(lambda: not running(pid))


def test_a_timeout_ends_the_step(step: Step, options: list[str]) -> None:
    done = step(*options, "--timeout=0.5", "--", "sleep 600")
    assert (done.exit_code, done.output, done.left_behind) == (124, "error: timed out after 0.5s\n", [])


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_ends_the_command_and_removes_the_copy(
    options: list[str], environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    pid_file = tmp_path / "artifacts" / "pid"
    with started(environment, *options, "--", "(sleep 600) & echo $! > $ARTIFACTS/pid; wait") as process:
        assert eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert eventually(lambda: not running(int(pid_file.read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_step_ends_when_the_process_that_started_it_is_killed(
    options: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    pid_file = tmp_path / "artifacts" / "pid"
    parent = (
        "import os, subprocess, sys, time\n"
        "os.environ['STEP_PARENT'] = str(os.getpid())\n"
        "subprocess.Popen([sys.executable, '-m', *sys.argv[1:]], start_new_session=True).wait()\n"
    )
    command = [sys.executable, "-c", parent, *options, "--", "echo $$ > $ARTIFACTS/pid; sleep 600"]
    with subprocess.Popen(command, env=environment) as process:
        assert eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        process.kill()
    assert eventually(lambda: not running(int(pid_file.read_text())))
    assert eventually(lambda: not any(Path(environment["TMPDIR"]).iterdir()))


def test_an_archive_that_is_gone_is_explained(step: Step, options: list[str], archive: Path) -> None:
    archive.unlink()
    done = step(*options, "--", "true")
    assert done.exit_code == 1
    assert "start the pipeline anew" in json.loads(done.handed_on.read_text())["reason"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-q", ".hidden", "x" * 64, "a\n", "$(id)"])
def test_a_name_that_could_be_a_path_is_refused(step: Step, options: list[str], name: str) -> None:
    assert step(*options, f"--name={name}", "--", "true").exit_code == 2


def test_a_dry_run_shows_command_folder_and_names_and_runs_nothing(
    step: Step, options: list[str], archive: Path, tmp_path: Path
) -> None:
    archive.unlink()
    done = step(*options, "--dryrun", "--", "touch $ARTIFACTS/x", SECRET="hidden", LC_ALL="C")
    assert done.exit_code == 0
    assert "bash -euo pipefail -c -- 'touch $ARTIFACTS/x'" in done.output
    assert f"a fresh copy of {archive}" in done.output
    assert "ARTIFACTS CI HOME LC_ALL PATH TERM TMPDIR" in done.output
    assert not (tmp_path / "artifacts").exists()


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_without_bash_sh_runs_the_command(step: Step, options: list[str], tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to("/bin/sh")
    done = step(*options, "--", 'echo "$0"', PATH=str(tools))
    assert (done.exit_code, os.path.basename(done.output.strip())) == (0, "sh")  # noqa: PTH119 - a word, not a path
