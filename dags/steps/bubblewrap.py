"""bubblewrap: a sandbox of namespaces, with its own processes, /tmp and a root that can't be written.

Options as in bwrap(1), those that version 0.8 has. Order matters: mounts are made one after the other.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steps.places import Places

_PROBE_SECONDS = 10
_NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_MACHINES = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""What of /proc is the whole machine's: root may write some of it without any capability."""
_SHARED_MEMORY_BYTES = 1024**3


def find(environ: Mapping[str, str]) -> str:
    """Return the program: PREFLIGHT_STEP_BWRAP, or the one on PATH; empty when there is none."""
    return environ.get("PREFLIGHT_STEP_BWRAP") or shutil.which("bwrap", path=environ.get("PATH")) or ""


@dataclass(frozen=True)
class Ability:
    """What a sandbox can be here."""

    trouble: str = ""
    """Why there can be none; empty when there can."""
    own_proc: bool = True
    """It has a /proc of its own. In a container, where parts of /proc are masked, none may be mounted: then
    the processes outside are seen, but neither read nor signalled, being of another user namespace."""


@functools.cache
def ability(program: str, *, network: bool = True) -> Ability:
    """Try out what works, once in a process."""
    if not program:
        return Ability("bubblewrap (bwrap) is not installed")
    trouble = _tried(program, network=network, own_proc=True)
    if trouble and os.geteuid() and not _tried(program, network=network, own_proc=False):
        return Ability(own_proc=False)
    return Ability(trouble)


def _tried(program: str, *, network: bool, own_proc: bool) -> str:
    argv = [program, *_options(network=network), *_base(own_proc=own_proc), "--", "true"]
    try:
        done = subprocess.run(
            argv,
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap can't be started: {error}"
    said = " ".join(done.stderr.split())[:200] or f"exit {done.returncode}"
    return f"bubblewrap does not work here ({said})" if done.returncode else ""


def wrapped(
    program: str, argv: Sequence[str], places: Places, *, home: Path, temporary: Path, network: bool
) -> list[str]:
    """Return the command line that runs `argv` in a sandbox, with `temporary` as its /tmp and /var/tmp."""
    shared = [folder for folder in ("/tmp", "/var/tmp") if Path(folder).is_dir()]  # noqa: S108 - in the sandbox
    return [
        program,
        *_options(network=network),
        *_base(own_proc=ability(program, network=network).own_proc),
        *("--size", str(_SHARED_MEMORY_BYTES), "--perms", "1777", "--tmpfs", "/dev/shm"),  # noqa: S108 - likewise
        *(option for folder in shared for option in ("--bind", str(temporary), folder)),
        *_mounts(places),
        *("--remount-ro", "/dev"),
        *("--chdir", str(home)),
        "--",
        *argv,
    ]


def _options(*, network: bool) -> list[str]:
    offline = [] if network else ["--unshare-net"]
    return [*_NAMESPACES, *offline, "--die-with-parent", "--new-session", "--cap-drop", "ALL"]


def _base(*, own_proc: bool) -> list[str]:
    if not own_proc:
        return ["--ro-bind", "/", "/", "--dev", "/dev"]
    machine = [f"/proc/{name}" for name in _MACHINES if Path("/proc", name).exists()]
    sealed = [option for path in machine for option in ("--ro-bind", path, path)]
    return ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", *sealed]


def _mounts(places: Places) -> Iterator[str]:
    """Yield the mounts, outer ones first; then what is hidden is sealed, so that nothing is put there."""
    ways = {"--ro-bind": places.readable, "--bind": places.writable, "": places.hidden}
    in_order = sorted((len(path.parts), str(path), way) for way, paths in ways.items() for path in paths)
    empty: list[str] = []
    for _, path, way in in_order:
        if way:
            yield from (way, path, path)
        elif os.path.isdir(path):  # noqa: PTH112 - it is text here
            yield from ("--perms", "0755", "--tmpfs", path)
            empty.append(path)
        else:
            yield from ("--ro-bind", "/dev/null", path)
    for path in empty:
        yield from ("--remount-ro", path)
