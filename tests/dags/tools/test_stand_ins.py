"""The stand-ins answer as told, remember as told, and leave nothing running."""

import os
import select
import subprocess
from pathlib import Path

import pytest

from tests.dags.tools.stand_ins import PROGRAMS, StandIns


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    return StandIns.install(tmp_path / "tools")


def run(stand_ins: StandIns, *argv: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": stand_ins.path, "HOME": str(stand_ins.folder), **environ}
    return subprocess.run(argv, env=env, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_writes_down_what_it_is_asked(program: str, stand_ins: StandIns) -> None:
    assert run(stand_ins, program, "version", "a b", SECRET="value").returncode == 0
    (call,) = stand_ins.calls()
    assert (str(call), call.stdin) == (f"{program} version 'a b'", "")
    assert "SECRET" in call.environment
    assert "value" not in stand_ins.folder.joinpath("calls.json").read_text()


def test_rules_win_in_order_as_long_as_they_have_times_left(stand_ins: StandIns) -> None:
    stand_ins.says("kubectl get", stderr="no", exit_code=3, times=2)
    stand_ins.says("kubectl get", "yes")
    done = [run(stand_ins, "kubectl", "get", "pods") for _ in range(3)]
    assert [(each.returncode, each.stdout, each.stderr) for each in done] == [
        (3, "", "no"),
        (3, "", "no"),
        (0, "yes", ""),
    ]


def test_an_answer_can_get_lost_though_it_was_done(stand_ins: StandIns) -> None:
    stand_ins.says("create", stderr="lost", exit_code=1, acts=True)
    assert run(stand_ins, "kind", "create", "cluster", "--name=c1").returncode == 1
    assert stand_ins.left() == ["cluster c1"]


def test_one_that_hangs_ends_with_whoever_started_it(stand_ins: StandIns) -> None:
    stand_ins.says("helm", hangs=True)
    shell = ["sh", "-c", "helm version & echo $!; wait"]
    with subprocess.Popen(
        shell, env={"PATH": stand_ins.path}, stdout=subprocess.PIPE, start_new_session=True
    ) as starter:
        assert starter.stdout is not None
        program = os.pidfd_open(int(starter.stdout.readline()))
        stand_ins.wait_for("helm version")
        starter.kill()
        ended, _, _ = select.select([program], [], [], 30)
        os.close(program)
    assert ended == [program]


def test_a_program_can_be_missing(tmp_path: Path) -> None:
    stand_ins = StandIns.install(tmp_path / "tools", ["helm"], real=["git"])
    assert sorted(entry.name for entry in Path(stand_ins.only).iterdir()) == ["git", "helm"]


def test_clusters_take_their_time(stand_ins: StandIns) -> None:
    where = ("--project=p", "--location=z")
    with stand_ins.change() as cloud:
        cloud["looks"] = 1
    create = ("gcloud", "container", "clusters", "create", "c1", "--service-account=nodes@p", "--async")
    run(stand_ins, *create, *where)
    describe = ("gcloud", "container", "clusters", "describe", "c1", *where, "--format=value(status)")
    told = []
    for _ in range(2):
        run(stand_ins, *describe)
        told.append(stand_ins.cloud["gke"]["c1"]["status"])
    assert told == ["PROVISIONING", "RUNNING"]
    run(stand_ins, "gcloud", "container", "clusters", "delete", "c1", *where, "--quiet")
    assert run(stand_ins, *describe).returncode == 1


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param('{"kind": "Job", "metadata": {"name": "j", "labels": {"a": "b"}}}', id="JSON"),
        pytest.param("kind: Job\nmetadata:\n  name: j\n  labels:\n    a: b\nspec: {}\n", id="YAML"),
    ],
)
def test_objects_get_the_status_that_a_test_wants(manifest: str, stand_ins: StandIns) -> None:
    failed = {"conditions": [{"type": "Failed", "status": "True"}]}
    with stand_ins.change() as cloud:
        cloud["outcomes"]["Job"] = failed
    run(stand_ins, "kubectl", "create", "-f", "-", stdin=manifest)
    assert '"Failed"' in run(stand_ins, "kubectl", "get", "job", "j", "-o", "json").stdout
    assert run(stand_ins, "kubectl", "wait", "--for=condition=complete", "job/j").returncode == 1
    assert "j-pod" in run(stand_ins, "kubectl", "get", "pods", "-l", "job-name=j").stdout
