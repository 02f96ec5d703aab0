"""How a step ended, in the words of the XCom contract."""

import json
import re
import shlex
import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steps.bounds import MAX_XCOM_BYTES, bounded
from steps.command_line import EX_TEMPFAIL
from steps.contract import VERSION, Command
from steps.process import Outcome
from steps.remains import NOTHING, Remains

_MAX_OUTPUT_BYTES = 64 * MAX_XCOM_BYTES
_MAX_REASON = 1000
_XCOM_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_RESERVED_KEYS = frozenset({"preflight", "return_value", "reason"})


@dataclass(frozen=True)
class Limit:
    """How long a step may run."""

    seconds: float
    """From now; none are left where it isn't above zero."""
    reason: str
    """What is said of a step that would run longer."""


def limit(step: float, run: float | None = None, ago: float = 0.0) -> Limit:
    """Return the nearer of two limits: the step's own `step` seconds, and the `run`'s, which began `ago`."""
    if run is not None and run - ago < step:
        return Limit(run - ago, f"the run timed out after {_duration(run)}")
    return Limit(step, f"timed out after {_duration(step)}")


def judge(outcome: Outcome, limit: Limit, said: object) -> tuple[str, str | None]:
    """Return the outcome's kind and its reason in words; none for a success."""
    after = f"after {_duration(outcome.seconds)}"
    if outcome.stopped:
        return "cancelled", f"cancelled {after}"
    if outcome.timed_out:
        return "timed_out", limit.reason
    if outcome.exceeded:
        return "failed", f"{outcome.exceeded}: ended {after}"
    if outcome.exit_code == 0:
        return "succeeded", None
    kind = "temporary" if outcome.exit_code == EX_TEMPFAIL else "failed"
    if isinstance(said, str) and said:
        return kind, _one_line(said)
    return kind, _ending(outcome, after)


def _ending(outcome: Outcome, after: str) -> str:
    """Return how a binary ended that gave no reason."""
    if outcome.exit_code < 0:
        why = " (out of memory)" if outcome.out_of_memory else ""
        return f"killed by {_signal_name(-outcome.exit_code)}{why} {after}"
    why = ", out of memory" if outcome.out_of_memory else ""
    killed_by = f" ({_signal_name(outcome.exit_code - 128)}{why})" if 128 < outcome.exit_code < 160 else ""  # noqa: PLR2004 - a shell's 128+N
    return f"exit {outcome.exit_code}{killed_by} {after}"


def describe(
    command: Command,
    kind: str,
    outcome: Outcome | None = None,
    reason: str | None = None,
    remains: Remains = NOTHING,
) -> dict[str, Any]:
    """Return the XCom `preflight`."""
    described = {
        "version": VERSION,
        "name": command.name,
        "outcome": kind,
        "exit_code": outcome.exit_code if outcome else None,
        "duration_seconds": round(outcome.seconds, 3) if outcome else None,
        "reason": reason,
        "argv": shlex.join(command.argv),
        "reproduce": command.reproduce,
        "dryrun": kind == "dryrun",
        "tests": remains.tests,
        "artifacts": remains.artifacts,
    }
    return bounded(described)


def dry_run(command: Command, names: Collection[str]) -> list[str]:
    """Return what a dry run says of a step; `names` are those in its environment."""
    return [
        "Dry run: nothing is run.",
        f"command: {shlex.join(command.argv)}",
        "working directory: a fresh folder, removed at the end",
        f"environment: {' '.join(sorted(names))}",
    ]


def read_output(file: Path) -> dict[str, Any]:
    """Return what the binary wrote: checked as the output of a program that may run anybody's code."""
    if file.is_symlink() or not file.is_file():
        return {}
    try:
        with file.open("rb") as stream:
            values = json.loads(stream.read(_MAX_OUTPUT_BYTES), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def xcoms(output: dict[str, Any]) -> dict[str, Any]:
    """Return what of the output becomes XComs: well-named values of bounded size."""
    return {
        key: value
        for key, value in output.items()
        if _XCOM_KEY.fullmatch(key) and key not in _RESERVED_KEYS and _storable(value)
    }


def _storable(value: object) -> bool:
    """Whether PostgreSQL keeps it: not too big, no NUL, no half of a surrogate pair."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        return len(text.encode()) <= MAX_XCOM_BYTES and "\\u0000" not in text
    except UnicodeEncodeError:
        return False


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable[:_MAX_REASON]


def _duration(seconds: float) -> str:
    if seconds < 10:  # noqa: PLR2004 - tenths matter only below ten seconds
        return f"{seconds:.1f}s".replace(".0s", "s")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m" if minutes else f"{hours}h"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
