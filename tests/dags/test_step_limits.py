import resource
import signal
from pathlib import Path

import pytest

from steps import step_limits
from steps.memory import memory_bytes
from steps.step_limits import StepLimits

GIGABYTE = 1024**3


@pytest.mark.parametrize(
    ("environ", "limits"),
    [
        ({}, StepLimits(86_400, 6 * GIGABYTE, 4096, 10 * GIGABYTE, 10 * GIGABYTE, 64 * 1024**2)),
        (
            {
                "PREFLIGHT_STEP_CPU_SECONDS": "1",
                "PREFLIGHT_STEP_MEMORY_BYTES": "2",
                "PREFLIGHT_STEP_PROCESSES": "3",
                "PREFLIGHT_STEP_FILE_BYTES": "4",
                "PREFLIGHT_STEP_DISK_BYTES": "5",
                "PREFLIGHT_STEP_LOG_BYTES": "0",
            },
            StepLimits(1, 2, 3, 4, 5, 0),
        ),
        ({"PREFLIGHT_STEP_PROCESSES": "many"}, StepLimits(memory_bytes=6 * GIGABYTE)),
    ],
)
def test_limits_are_settings(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], limits: StepLimits
) -> None:
    monkeypatch.setattr(step_limits, "memory_bytes", lambda: 8 * GIGABYTE)
    assert StepLimits.of(environ) == limits


def test_they_are_told_to_the_keeper_but_for_the_log() -> None:
    assert StepLimits(1, 2, 3, 4, 5, 6).options() == [
        "--cpu-seconds=1",
        "--memory-bytes=2",
        "--processes=3",
        "--file-bytes=4",
        "--disk-bytes=5",
    ]


def test_the_kernel_is_told_what_it_can_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", told.__setitem__)
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    StepLimits(cpu_seconds=10, memory_bytes=0, processes=64, file_bytes=7).apply(running=100)
    assert told == {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (65_536, 65_536),
        resource.RLIMIT_CPU: (10, 15),
        resource.RLIMIT_FSIZE: (7, 7),
        resource.RLIMIT_NPROC: (612, 612),
    }


def test_no_limit_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", told.__setitem__)
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (3, 5))
    StepLimits(memory_bytes=9).apply()
    assert {hard for _, hard in told.values()} == {0, 5}


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (-signal.SIGXCPU, "used more than 60 s of CPU time"),
        (128 + signal.SIGXCPU, "used more than 60 s of CPU time"),
        (-signal.SIGXFSZ, "wrote a file of more than 10 GB"),
        (128 + signal.SIGXFSZ, "wrote a file of more than 10 GB"),
        (1, ""),
        (-9, ""),
    ],
)
def test_what_a_signal_says_of_a_limit(exit_code: int, words: str) -> None:
    assert StepLimits(cpu_seconds=60).broken_by(exit_code) == words


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/pod\n", {"pod/memory.max": "1048576\n"}, 1_048_576),
        ("0::/pod\n", {"pod/memory.max": "max\n", "memory.max": "2097152\n"}, 2_097_152),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "4194304\n"}, 4_194_304),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("", {}, None),
    ],
)
def test_how_much_memory_there_is(
    tmp_path: Path, groups: str, files: dict[str, str], limit: int | None
) -> None:
    (tmp_path / "cgroup").write_text(groups)
    for path, text in files.items():
        (tmp_path / "fs" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / path).write_text(text)
    machine = memory_bytes(tmp_path / "none", tmp_path)
    assert machine > 0
    assert memory_bytes(tmp_path / "cgroup", tmp_path / "fs") == (limit or machine)
