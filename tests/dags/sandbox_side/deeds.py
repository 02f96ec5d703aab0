"""What a hostile step tries, one deed a call: `python deeds.py DEED TARGETS`, the targets as JSON.

It prints LEAKED, WROTE or KILLED and where, for each try that succeeds, and bounds itself, so that the
machine of who runs the tests lives even where nothing stops it. No process is looked into but those that the
test started (by their ids), or all that can be seen where these are no more than a sandbox holds.
"""
# ruff: noqa: T201 - what it prints is read by the test

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

MARKER = "s3cr3t"
_MEGABYTE = 1024 * 1024


def looks_around(targets: dict[str, Any]) -> None:
    """Read environments, memory and files, connect, write elsewhere."""
    visible = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - a step may do so
    alone = len(visible) < 10  # the sandbox's own
    print("SEES", "itself" if alone else "others", flush=True)
    for pid in {os.getppid(), *targets["pids"], *(visible if alone else [])}:
        for name in ("environ", "mem", "fd"):
            _say("LEAKED", f"{name} of a process", lambda pid=pid, name=name: _of_process(pid, name))
    for name, file in targets["files"].items():
        _say("LEAKED", name, lambda file=file: MARKER in Path(file).read_text())
    _say("LEAKED", "environment", lambda: any(MARKER in value for value in os.environ.values()))
    _say("LEAKED", "socket", lambda: _asks(targets["socket"]))
    for name, folder in targets["folders"].items():
        _say("WROTE", name, lambda folder=folder: Path(folder, "pwned").write_text("x") > 0)
    _say("KILLED", "another step", lambda: _kills(targets["sleeper"]))
    for name in ("HOME", "TMPDIR", "ARTIFACTS"):
        Path(os.environ[name], "mine").write_text("x")


def _of_process(pid: int, name: str) -> bool:
    if name == "fd":
        return pid in targets_pids and bool(os.readlink(f"/proc/{pid}/fd/1"))  # noqa: PTH115 - likewise
    with open(f"/proc/{pid}/{name}", "rb") as stream:  # noqa: PTH123 - likewise
        return name == "mem" if pid in targets_pids else MARKER.encode() in stream.read()


def _asks(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(path)
        return MARKER in asked.recv(100).decode()


def _kills(pid: int) -> bool:
    os.kill(pid, signal.SIGKILL)
    return True


def _say(word: str, what: str, tried: Any) -> None:  # noqa: ANN401 - a lambda
    with contextlib.suppress(OSError, UnicodeError):
        if tried():
            print(word, what, flush=True)


def bombs(_targets: dict[str, Any]) -> None:
    """Fork, and have each fork do the same, 400 in all."""
    tokens, fill = os.pipe()
    os.write(fill, b"x" * 400)
    os.set_blocking(tokens, False)
    with contextlib.suppress(OSError):
        while os.read(tokens, 1):
            os.fork()
    signal.pause()


def fills(_targets: dict[str, Any]) -> None:
    """Write 120 MB into $HOME."""
    with Path(os.environ["HOME"], "big").open("wb") as file:
        _write(file.fileno(), 120)
        signal.pause()


def fills_tmp(_targets: dict[str, Any]) -> None:
    """Write 120 MB where the system has a folder for temporary files."""
    with open("/tmp/big", "wb") as file:  # noqa: PTH123, S108 - a step may do so
        _write(file.fileno(), 120)
        signal.pause()


def fills_unseen(_targets: dict[str, Any]) -> None:
    """Write 120 MB into a file without a name."""
    path = Path(os.environ["ARTIFACTS"], "unseen")
    with path.open("wb") as file:
        path.unlink()
        _write(file.fileno(), 120)
        signal.pause()


def fills_without_a_byte(_targets: dict[str, Any]) -> None:
    """Make 1,000 files with nothing in them."""
    folder = Path(os.environ["HOME"], "many")
    folder.mkdir()
    for number in range(1_000):
        folder.joinpath(str(number)).touch()
    signal.pause()


def writes_one_file(_targets: dict[str, Any]) -> None:
    """Write 20 MB into one file, and let the kernel's signal come."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with Path(os.environ["HOME"], "big").open("wb") as file:
        _write(file.fileno(), 20)


def prints(_targets: dict[str, Any]) -> None:
    """Print 200 MB, then one last line."""
    line = (b"x" * 99 + b"\n") * (_MEGABYTE // 100)
    for _ in range(200):
        sys.stdout.buffer.write(line)
    print("\nthe end")


def eats(_targets: dict[str, Any]) -> None:
    """Take 30 MB of memory in each of 5 processes."""
    for _ in range(4):
        if os.fork() == 0:
            break
    taken = bytearray(os.urandom(_MEGABYTE) * 30)
    signal.pause()
    del taken


def spins(_targets: dict[str, Any]) -> None:
    """Use the processor."""
    while time.process_time() < 30:  # it never comes so far
        pass


def daemonises(_targets: dict[str, Any]) -> None:
    """Leave a process behind that holds a lock, has a session of its own, and ignores what it can."""
    _daemon()


def ignores(_targets: dict[str, Any]) -> None:
    """Do as told by nobody, with a daemon as well."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _daemon()
    print("READY", flush=True)
    signal.pause()


def kills_its_keeper(_targets: dict[str, Any]) -> None:
    """Leave a daemon behind and kill whoever watches."""
    _daemon()
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()


def _daemon() -> None:
    hear, tell = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with Path(os.environ["ARTIFACTS"], "alive").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                os.write(tell, b"x")
                while True:
                    signal.pause()
        os._exit(0)
    os.read(hear, 1)


def _write(file: int, megabytes: int) -> None:
    for _ in range(megabytes):
        os.write(file, b"x" * _MEGABYTE)


if __name__ == "__main__":
    asked = json.loads(sys.argv[2])
    targets_pids = frozenset(asked["pids"])
    globals()[sys.argv[1]](asked)
