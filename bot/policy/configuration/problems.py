"""What is wrong with a file: where, and what to write instead."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import PreflightError
from bot.prose import elide, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PATH = ".github/preflight.yaml"
"""Where a repository keeps its configuration."""

SHARED_PATH = "preflight.yaml"
"""Where the `.github` repository of an owner keeps the one for all repositories without their own."""

MAX_PROBLEMS = 10
LONGEST_TEXT = 400
MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, on one line. Lines count from 1; `source` names the file for people."""

    line: int
    text: str
    source: str = PATH

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.text}"


class ConfigurationError(PreflightError):
    """The file can't be used; `problems` says why, the first few of them in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        first = sorted(problems, key=lambda problem: problem.line)[:MAX_PROBLEMS]
        self.problems = tuple(replace(one, text=elide(one_line(one.text), LONGEST_TEXT)) for one in first)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`: did you mean 'x'?`, or what there is to choose from, or nothing where there is too much of it."""
    words: Sequence[str] = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f": did you mean {near[0]!r}?"
    return f": there are {', '.join(words)}" if 0 < len(words) <= MAX_LISTED else ""
