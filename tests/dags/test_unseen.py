"""The token with which Airflow starts a step's pod: read by Airflow, and by nobody after it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps import unseen

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_PYTHON = os.environ.get("PREFLIGHT_AIRFLOW_PYTHON") or str(ROOT / ".venv-airflow/bin/python")
LAUNCHER = [sys.executable, "-I", unseen.__file__]
LOOKS = (
    "import os, sys; from pathlib import Path;"
    "seen = b''.join(Path(f'/proc/{pid}/cmdline').read_bytes() for pid in (os.getpid(), os.getppid()));"
    "text = Path(sys.argv[2]).read_text();"
    "print(sys.argv[1], b'token' + b'\"' in seen, len(text), text[-9:])"
)


def said_by(*command: str) -> str:
    done = subprocess.run(
        [*LAUNCHER, *command], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("size", [50, 70_000, 131_000], ids=["small", "more than a pipe holds", "most"])
def test_nobody_sees_what_the_command_reads(size: int) -> None:
    workload = '{"token": "eyJ' + "x" * (size - 16) + '"}'
    # Below a shell, as below the image's init: neither of the two has it in its arguments.
    below = ["sh", "-c", '"$@"; exit', "init", sys.executable, "-c", LOOKS]
    assert said_by(*below, "--json-string", workload) == f"--json-path False {size} {workload[-9:]}"


def test_any_other_command_stays_as_it_is() -> None:
    assert said_by("echo", "--json-string") == "--json-string"
    assert said_by("echo", "airflow", "version") == "airflow version"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=100))
def test_what_is_read_is_what_was_written(text: str) -> None:
    *before, path = unseen.unseen(["run", "--json-string", text])
    assert before == ["run", "--json-path"]
    try:
        assert Path(path).read_bytes() == text.encode()
    finally:
        os.close(int(path.rpartition("/")[2]))


def test_airflow_reads_it(tmp_path: Path) -> None:
    command = [AIRFLOW_PYTHON, "-m", "airflow.sdk.execution_time.execute_workload", "--json-string"]
    done = subprocess.run(
        [*LAUNCHER, *command, '{"type": "NoSuchWorkload"}'],
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path)},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert "NoSuchWorkload" in done.stdout
    assert done.returncode == 1
