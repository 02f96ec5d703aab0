"""Why a step failed, in words: its exit code, a timeout, a signal, memory that ran out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.report import texts

if TYPE_CHECKING:
    from bot.models import Step

SIGKILL = 9
_KILLED = (-SIGKILL, 128 + SIGKILL)
_OUT_OF_MEMORY = re.compile(
    r"\bOOM[ -]?[Kk]ill|\b[Oo]ut of memory\b|\bOutOfMemoryError\b|\bMemoryError\b"
    r"|\bCannot allocate memory\b|\bstd::bad_alloc\b"
)


def cause(step: Step) -> str:
    """Why the failed step failed, as text that is not yet Markdown.

    A kernel that ran out of memory kills and says nothing to the step: a killed step may be such a one, and
    is if its log says so.
    """
    result = step.result
    reason = result.reason.strip() if result else ""
    exit_code = result.exit_code if result else None
    said = reason or _of(exit_code)
    if "memory" in said.lower():
        return said
    killed = exit_code in _KILLED or "SIGKILL" in reason
    told = any(map(_OUT_OF_MEMORY.search, step.excerpt or ()))
    if killed and told:
        return f"{texts.OUT_OF_MEMORY}: {said}"
    return f"{said} ({texts.PERHAPS_MEMORY})" if killed or told else said


def _of(exit_code: int | None) -> str:
    if exit_code is None:
        return texts.NO_EXIT_CODE
    return texts.killed(-exit_code) if exit_code < 0 else texts.exited(exit_code)
