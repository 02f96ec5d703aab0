"""Runs checks at once, bounded in time: one that hangs or fails is a finding, and hides no other."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.doctor.findings import Diagnosis, Finding, Verdict, broken, skipped
from bot.errors import PreflightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PATIENCE = 10.0
"""Seconds that one check may take."""

_FAILED = frozenset({Verdict.BROKEN, Verdict.SKIPPED})


@dataclass(frozen=True, slots=True)
class Check:
    """One look at one thing of one part.

    `mend` says what to do where the look itself fails. `needs` are the checks (`part.name`) without which
    this one would only repeat what those say.
    """

    part: str
    name: str
    look: Callable[[], Iterable[Diagnosis]] = field(repr=False)
    mend: str
    needs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What others call it by."""
        return f"{self.part}.{self.name}"


def examine(
    checks: Sequence[Check], redact: Callable[[str], str], patience: float = PATIENCE
) -> list[Finding]:
    """All findings, in the order of the checks. Never raises; `redact` takes secrets out of what is said.

    Checks run at once, but for those that wait for what they need. A need that is not among the checks is
    taken to be met.
    """
    keys = {check.key for check in checks}
    said: dict[str, tuple[Diagnosis, ...]] = {}
    waiting = list(checks)
    while waiting:
        ready = [check for check in waiting if said.keys() >= set(check.needs) & keys] or waiting
        waiting = [check for check in waiting if check not in ready]
        able = [check for check in ready if not _missed(check, said)]
        said |= {check.key: (_unable(check, said),) for check in ready if check not in able}
        said |= _together(able, patience)
    return [
        Finding(check.part, check.name, one.verdict, redact(one.said), redact(one.mend))
        for check in checks
        for one in said[check.key]
    ]


def _missed(check: Check, said: Mapping[str, tuple[Diagnosis, ...]]) -> list[str]:
    """The needs of a check that are not met."""
    return [need for need in check.needs if any(one.verdict in _FAILED for one in said.get(need, ()))]


def _unable(check: Check, said: Mapping[str, tuple[Diagnosis, ...]]) -> Diagnosis:
    part, _, name = _missed(check, said)[0].partition(".")
    return skipped(f"not looked at: see {name!r}" + (f" of {part!r}" if part != check.part else ""))


def _together(checks: Sequence[Check], patience: float) -> dict[str, tuple[Diagnosis, ...]]:
    """What the checks say within the time that they have. A thread that hangs is left behind."""
    said: dict[str, tuple[Diagnosis, ...]] = {}

    def run(check: Check) -> None:
        said[check.key] = _said(check)

    threads = [threading.Thread(target=run, args=(check,), daemon=True, name=check.key) for check in checks]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"did not answer within {patience:g} s"
    return {check.key: said.get(check.key) or (broken(late, check.mend),) for check in checks}


def _said(check: Check) -> tuple[Diagnosis, ...]:
    """What a check says, whatever happens to it; what it said before that counts."""
    said: list[Diagnosis] = []
    try:
        said += check.look()
    except PreflightError as error:
        said.append(broken(str(error), check.mend))
    except Exception as error:  # noqa: BLE001 - a finding: what nobody expected must not hide the other parts
        words = f"an error that nobody expected: {type(error).__name__}: {error}"
        said.append(
            broken(words, f"{check.mend} If that does not help, please report it: it is our mistake.")
        )
    return tuple(said) or (skipped("there is nothing to look at"),)
