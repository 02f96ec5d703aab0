"""Where a step may run that runs somebody's code, and how: one call for the operator.

PREFLIGHT_STEP_SANDBOX=auto|required|off. With `auto` there is a sandbox where bubblewrap works; where it does
not, the kernel's Landlock hides what it can, and only code of people who are trusted is run, unless each step
has a pod of its own (PREFLIGHT_STEP_POD=1): then Landlock hides the volume that all runs share.
"""

import errno
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from steps import bubblewrap, landlock, privileges, sockets
from steps.places import Places, places
from steps.process import StepProcess
from steps.step_limits import StepLimits

Mode = Literal["auto", "required", "off"]
_STRANGER = "no sandbox for code whose author is not trusted"
_ADVICE = (
    "Install bubblewrap where Airflow runs its tasks, or give each step a pod of its own "
    "(PREFLIGHT_STEP_POD=1), on Linux 6.2 or newer."
)
_POD_ADVICE = (
    "In a pod of its own the kernel's Landlock must hide other runs' files, as it does from Linux 6.2 on: "
    "use nodes that have it."
)


class Refused(Exception):
    """The step is not run; the message says why, and what to do."""


@dataclass(frozen=True)
class Setting:
    """How steps are kept apart here: what PREFLIGHT_STEP_... say."""

    mode: Mode = "auto"
    network: bool = True
    pod: bool = False
    """Each step has a pod of its own."""
    sockets: bool = False
    """Without a sandbox, too, steps may use sockets that have names."""
    bwrap: str = ""
    """The program; empty when there is none."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Setting":
        """Read them from Airflow's environment.

        Raises:
            Refused: one has a value that means nothing.
        """
        mode = environ.get("PREFLIGHT_STEP_SANDBOX") or "auto"
        network = _is_on(environ, "PREFLIGHT_STEP_NETWORK", "on")
        sockets = _is_on(environ, "PREFLIGHT_STEP_SOCKETS", "off")
        if mode not in get_args(Mode):
            raise Refused(
                f"PREFLIGHT_STEP_SANDBOX is {mode!r}: set auto, required or off in Airflow's environment"
            )
        pod = environ.get("PREFLIGHT_STEP_POD", "") not in {"", "0"}
        bwrap = "" if mode == "off" else bubblewrap.find(environ)
        return cls(cast("Mode", mode), network=network, pod=pod, sockets=sockets, bwrap=bwrap)


def _is_on(environ: Mapping[str, str], name: str, default: str) -> bool:
    value = environ.get(name) or default
    if value not in {"on", "off"}:
        raise Refused(f"{name} is {value!r}: set on or off in Airflow's environment")
    return value == "on"


def is_trusted(params: Mapping[str, Any]) -> bool:
    """Whether the head's author is trusted: conf's `preflight.trusted`, true when it isn't there."""
    preflight = params.get("preflight")
    return not isinstance(preflight, Mapping) or preflight.get("trusted", True) is True


def is_boxed(setting: Setting, *, trusted: bool) -> bool:
    """Whether the step gets a sandbox.

    Raises:
        Refused: it needs one, and there can be none.
    """
    if setting.mode == "off":
        if not trusted:
            raise Refused(f"{_STRANGER}: PREFLIGHT_STEP_SANDBOX is off. Set it to auto. {_ADVICE}")
        return False
    trouble = bubblewrap.ability(setting.bwrap, network=setting.network).trouble
    if trouble and setting.mode == "required":
        raise Refused(f"no sandbox, and PREFLIGHT_STEP_SANDBOX=required: {trouble}.")
    if trouble and not setting.network:
        raise Refused(f"no sandbox, and only in one PREFLIGHT_STEP_NETWORK=off can be kept: {trouble}.")
    if trouble and not trusted and not (setting.pod and landlock.is_whole()):
        raise Refused(f"{_STRANGER}: {trouble}. {_POD_ADVICE if setting.pod else _ADVICE}")
    return not trouble


def confined(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    home: Path,
    artifacts: Path,
    timeout: float | None,
    environ: Mapping[str, str],
    readable: Collection[Path] = (),
    hidden: Collection[Path] = (),
    trusted: bool = False,
    theirs: bool = True,
) -> StepProcess:
    """Return the process of a step, ready to be run; from here on nobody else can look into this process.

    Args:
        argv: the binary and its arguments.
        env: its environment, complete.
        home: its working directory and HOME, writable.
        artifacts: its $ARTIFACTS, writable.
        timeout: seconds until it is ended.
        environ: Airflow's environment: how steps are kept apart, and what is to be hidden from them.
        readable: what it may read although it lies in a hidden folder: that of its run.
        hidden: what it may not see: the folders of all runs.
        trusted: the author of the code is.
        theirs: code of the pull request is run; else the step keeps all of Airflow's rights, within limits.

    Raises:
        Refused: it may not run here.
        OSError: there is no such binary.
    """
    privileges.keep_to_itself()
    limits = StepLimits.of(environ)
    options = [*limits.options(), f"--watch={home}", f"--watch={artifacts}", f"--remove={home}"]
    command = list(argv)
    if theirs:
        setting = Setting.of(environ)
        boxed = is_boxed(setting, trusted=trusted)
        seen = places(
            environ,
            env=env,
            writable=[home, artifacts],
            readable=[*readable, _program(argv[0], env)],
            hidden=hidden,
        )
        options += ["--boxed"] if boxed else _unboxed(setting, seen)
        command = _boxed(setting, command, seen, home) if boxed else command
    return StepProcess(
        command, env=env, cwd=home, timeout=timeout, options=options, log_bytes=limits.log_bytes or None
    )


def _program(name: str, env: Mapping[str, str]) -> Path:
    if found := shutil.which(name, path=env.get("PATH", os.defpath)):
        return Path(found)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def _boxed(setting: Setting, argv: Sequence[str], seen: Places, home: Path) -> list[str]:
    """Return the command that runs `argv` in a sandbox, with a /tmp of its own in `home`."""
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    return bubblewrap.wrapped(
        setting.bwrap, argv, seen, home=home, temporary=temporary, network=setting.network
    )


def _unboxed(setting: Setting, seen: Places) -> list[str]:
    """Return the keeper's options for a step without a sandbox: what can be had without."""
    options = ["--drop-privileges"]
    if setting.mode == "off":
        return options
    if not setting.sockets and sockets.can_be_refused():
        options.append("--no-sockets")
    if landlock.works():
        ways = {"hidden": seen.hidden, "readable": seen.readable, "writable": seen.writable}
        options += [f"--{way}={path}" for way, paths in ways.items() for path in sorted(paths)]
    return options
