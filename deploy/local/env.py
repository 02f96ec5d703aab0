"""`make env`: make the two Python environments, or see that they are up to date. Needs only Python 3.11+.

    .venv          the bot with everything that tests and the demo need    requirements-dev.txt
    .venv-airflow  Apache Airflow with what the DAGs need                  requirements-airflow.txt

`make test` asks for one more (`--for-tests`):

    .venv-manifests  what checks manifests and alert rules                 requirements-manifests.txt

All packages are pinned with hashes. An environment is made again when its requirements file changed, and also
when making it was interrupted: a stamp in it, written last, says what it was made from.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")
OLDEST_UV = (0, 7)
_SIGN_OF_LIFE_SECONDS = 10.0
_LAST_LINES = 15


class EnvError(Exception):
    """The environments cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Environment:
    """One of them, relative to the checkout."""

    folder: str
    requirements: str
    purpose: str


ENVIRONMENTS = (
    Environment(".venv", "requirements-dev.txt", "the bot, its tests, the demo"),
    Environment(".venv-airflow", "requirements-airflow.txt", "Apache Airflow"),
)
FOR_TESTS = (
    *ENVIRONMENTS,
    Environment(".venv-manifests", "requirements-manifests.txt", "checks of the manifests"),
)


# -- decisions


def missing_programs(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """What to install first, one sentence each."""
    advice = {
        "git": "git is missing: the demo and the DAGs clone repositories. Install the package `git`.",
        "make": "make is missing: `make help` shows what it does here. Install the package `make`.",
    }
    return [sentence for program, sentence in advice.items() if which(program) is None]


def missing_for_uv(has_module: Callable[[str], bool], version: tuple[int, int]) -> list[str]:
    """What to install first where Python lacks modules that installing uv needs, as Debian's does."""
    missing = [name for name in ("venv", "ensurepip") if not has_module(name)]
    if not missing:
        return []
    return [
        f"This Python ({sys.executable}) has no {' and no '.join(missing)}, which installing uv needs.",
        f"On Debian and Ubuntu: apt install python{version[0]}.{version[1]}-venv",
        "Or put uv on PATH yourself (https://docs.astral.sh/uv/). Then run `make env` again.",
    ]


def is_recent_uv(answer: str) -> bool:
    """Whether that `uv --version` is one that we can use."""
    found = re.match(r"uv (\d+)\.(\d+)", answer)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_UV


def stamp_text(requirements: bytes, python: str, folder: Path) -> str:
    """What an environment was made from, as its stamp keeps it."""
    digest = hashlib.sha256(requirements).hexdigest()
    return json.dumps({"requirements": digest, "python": python, "folder": str(folder)})


def why_make(folder: Path, stamp: str, *, this_python: bool) -> str | None:
    """Why the environment has to be made, None if it is up to date.

    With `this_python` it must have been made with the running interpreter; otherwise any that still works
    will do.
    """
    if not folder.exists():
        return "new"
    if not os.access(folder / "bin" / "python", os.X_OK):
        return "its Python is gone"
    try:
        old = json.loads((folder / "made-from.json").read_text())
    except (OSError, ValueError):
        return "it was left unfinished"
    reasons = {
        "requirements": "its requirements changed",
        "folder": "it was moved",  # and its programs begin with the path of its Python
        **({"python": "another Python was asked for"} if this_python else {}),
    }
    new = json.loads(stamp)
    return next((reason for key, reason in reasons.items() if old.get(key) != new[key]), None)


# -- actions


class Installer:
    """Runs uv and pip, with their output in log files."""

    def __init__(self, root: Path, lock: int) -> None:
        self._root = root
        self._logs = root / ".preflight" / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._lock = lock
        self._running: set[subprocess.Popen[bytes]] = set()

    def find_uv(self) -> Path:
        """The uv that is on PATH or that we installed; install it where there is none.

        Raises:
            EnvError: it can't be installed.
        """
        pinned = self._root / "deploy" / "local" / "requirements-uv.txt"
        own = self._root / ".preflight" / "uv"
        stamp = stamp_text(pinned.read_bytes(), _this_python(), own)
        if why_make(own, stamp, this_python=False) is None:
            return own / "bin" / "uv"
        on_path = shutil.which("uv")
        if on_path is not None and is_recent_uv(_output(on_path, "--version")):
            return Path(on_path)
        missing = missing_for_uv(
            lambda name: importlib.util.find_spec(name) is not None, sys.version_info[:2]
        )
        if missing:
            raise EnvError("\n".join(missing))
        began = time.monotonic()
        shutil.rmtree(own, ignore_errors=True)
        self._run("uv", sys.executable, "-m", "venv", own)
        pip = (own / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        self._run("uv", *pip, "--require-hashes", "--only-binary", ":all:", "-r", pinned)
        (own / "made-from.json").write_text(stamp)
        _say("uv", f"installed into .preflight/uv in {time.monotonic() - began:.1f} s")
        return own / "bin" / "uv"

    def make(self, uv: Path, environment: Environment, stamp: str) -> None:
        """Make the environment from nothing, and stamp it.

        Raises:
            EnvError: uv failed.
        """
        folder = self._root / environment.folder
        began = time.monotonic()
        name = environment.folder.lstrip(".")
        shutil.rmtree(folder, ignore_errors=True)
        self._run(name, uv, "venv", "--quiet", "--python", sys.executable, folder)
        options = ("--require-hashes", "--compile-bytecode", "--python", folder / "bin" / "python")
        self._run(name, uv, "pip", "sync", *options, self._root / environment.requirements)
        (folder / "made-from.json").write_text(stamp)
        _say(environment.folder, f"made in {time.monotonic() - began:.1f} s")

    def stop(self) -> None:
        """End what still runs."""
        for process in list(self._running):
            process.terminate()

    def _run(self, name: str, *command: str | Path) -> None:
        log = self._logs / f"env-{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self._root,
                env=_quiet_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lock,),  # so the lock holds as long as it runs, also when we are killed
            )
        self._running.add(process)
        try:
            code = process.wait()
        finally:
            self._running.discard(process)
        if code != 0:
            raise EnvError(
                f"`{' '.join(map(str, command[:4]))} ...` failed (exit code {code}). The end of {log}:\n"
                f"{_indented_end(log)}\n"
                "If the package index was not reached, check the network (or UV_DEFAULT_INDEX) and try again."
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make env", description="Make .venv and .venv-airflow.")
    parser.add_argument("--this-python", action="store_true", help="make them with the Python that runs this")
    parser.add_argument("--for-tests", action="store_true", help="make .venv-manifests, too")
    options = parser.parse_args(arguments)
    if sys.version_info < OLDEST_PYTHON:
        _become_newer_python()
    for termination in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(termination, signal.default_int_handler)
    try:
        _make_all(FOR_TESTS if options.for_tests else ENVIRONMENTS, this_python=options.this_python)
    except EnvError as error:
        print(f"make env: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake env: stopped. Run it again to go on.", file=sys.stderr)
        return 130
    return 0


def _make_all(environments: Sequence[Environment], *, this_python: bool) -> None:
    missing = missing_programs()
    if missing:
        raise EnvError("\n".join(missing))
    (ROOT / ".preflight").mkdir(exist_ok=True)
    with (ROOT / ".preflight" / "env.lock").open("w") as lock:
        _take(lock.fileno())
        todo = []
        for environment in environments:
            folder = ROOT / environment.folder
            stamp = stamp_text((ROOT / environment.requirements).read_bytes(), _this_python(), folder)
            why = why_make(folder, stamp, this_python=this_python)
            if why is not None:
                _say(environment.folder, f"making it for {environment.purpose} ({why}) ...")
                todo.append((environment, stamp))
        if not todo:
            return
        installer = Installer(ROOT, lock.fileno())
        uv = installer.find_uv()
        with ThreadPoolExecutor() as pool:
            began = time.monotonic()
            jobs = [pool.submit(installer.make, uv, environment, stamp) for environment, stamp in todo]
            try:
                while wait(jobs, timeout=_SIGN_OF_LIFE_SECONDS).not_done:
                    seconds = time.monotonic() - began
                    _say("", f"still at it after {seconds:.0f} s (log: .preflight/logs/env-*.log)")
            except KeyboardInterrupt:
                installer.stop()
                raise
        for job in jobs:
            job.result()


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("", "another `make env` is at work in this checkout; waiting for it ...")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _become_newer_python() -> NoReturn:
    """Go on in the newest Python on PATH, if there is one that will do."""
    for name in NEWER_PYTHONS:
        path = shutil.which(name)
        if path is not None and _output(path, "-c", "print('works')") == "works":  # a pyenv shim may not
            os.execv(path, [path, str(Path(__file__).resolve()), *sys.argv[1:]])  # noqa: S606 -- no shell wanted
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"make env: Preflight needs Python 3.11 or newer; {sys.executable} is {version}.", file=sys.stderr)
    print("Install a newer one, and run for example: PYTHON=python3.12 make env", file=sys.stderr)
    sys.exit(1)


def _this_python() -> str:
    return f"{'.'.join(map(str, sys.version_info[:3]))} {Path(sys.executable).resolve()}"


def _quiet_environment() -> dict[str, str]:
    """Ours without what points uv elsewhere or prevents bytecode, without which Airflow starts 3 s slower."""
    unwanted = (
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "UV_PYTHON",
        "UV_PROJECT",
    )
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**_system_certificates(), **kept, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def _system_certificates() -> dict[str, str]:
    """Let uv trust whom this machine trusts, as pip does, if it knows any: companies add their own."""
    paths = ssl.get_default_verify_paths()
    known = bool(paths.cafile) or bool(paths.capath and any(Path(paths.capath).iterdir()))
    return {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"} if known else {}


def _output(*command: str) -> str:
    """What the command prints, nothing if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _indented_end(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


def _say(what: str, message: str) -> None:
    print(f"  {what:<17}{message}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
