from pathlib import Path

import pytest

from steps.memory import oom_kills

EVENTS = "low 0\nhigh 0\nmax 7\noom 2\noom_kill 3\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"


@pytest.mark.parametrize(
    ("groups", "files", "kills"),
    [
        pytest.param(
            "0::/system.slice/airflow\n", {"system.slice/airflow/memory.events": EVENTS}, 3, id="version 2"
        ),
        pytest.param("0::/../../pod\n", {"memory.events": EVENTS}, 3, id="seen from inside a container"),
        pytest.param("4:cpu,memory:/x\n0::/\n", {"memory/x/memory.oom_control": CONTROL}, 4, id="version 1"),
        pytest.param(
            "4:memory:/x\n", {"memory/memory.oom_control": CONTROL}, 4, id="version 1 in a container"
        ),
        pytest.param(
            "4:memory:/x\n", {"memory/x/memory.oom_control": "oom_kill_disable 0"}, None, id="too old"
        ),
        pytest.param("0::/x\n", {"x/memory.events": "oom_kill many"}, None, id="strange"),
        pytest.param("junk\n", {}, None, id="nothing to be known"),
    ],
)
def test_what_the_kernel_counted(
    tmp_path: Path, groups: str, files: dict[str, str], kills: int | None
) -> None:
    (tmp_path / "cgroup").write_text(groups)
    for path, text in files.items():
        (tmp_path / "fs" / path).parent.mkdir(parents=True)
        (tmp_path / "fs" / path).write_text(text)
    assert oom_kills(tmp_path / "cgroup", tmp_path / "fs") == kills


def test_elsewhere_than_on_linux_nobody_tells(tmp_path: Path) -> None:
    assert oom_kills(tmp_path / "missing", tmp_path) is None
