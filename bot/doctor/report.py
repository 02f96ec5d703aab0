"""The findings as people and scripts read them."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from bot.doctor.findings import Finding, Verdict
from bot.doctor.settings import PART as SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OK, FAILED, MISUSED = 0, 1, 2
MARKS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.BROKEN: "✗", Verdict.SKIPPED: "-"}
PLAIN_MARKS = {Verdict.OK: "+", Verdict.WARNING: "!", Verdict.BROKEN: "x", Verdict.SKIPPED: "-"}
"""For terminals that know ASCII only."""

NARROWEST, WIDEST_NAME = 40, 24


def exit_code(findings: Sequence[Finding]) -> int:
    """0: nothing is broken; 1: something is; 2: the settings can't be used."""
    broken = [one for one in findings if one.verdict is Verdict.BROKEN]
    if any(one.part == SETTINGS for one in broken):
        return MISUSED
    return FAILED if broken else OK


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """For scripts: `exit` is the exit code, `findings` in the order of the checks."""
    return {
        "exit": exit_code(findings),
        "findings": [
            {
                "part": one.part,
                "check": one.name,
                "verdict": one.verdict.value,
                "said": one.said,
                "mend": one.mend,
            }
            for one in findings
        ],
    }


def as_text(findings: Sequence[Finding], width: int, marks: Mapping[Verdict, str] = MARKS) -> str:
    """For people: a paragraph for each part, a line for each finding, with what to do next below."""
    names = min(WIDEST_NAME, max((len(one.name) for one in findings), default=0))
    paragraphs = [
        "\n".join((part, *(line for one in _merged(group) for line in _lines(one, names, width, marks))))
        for part, group in groupby(findings, key=lambda one: one.part)
    ]
    return "\n\n".join((*paragraphs, _sum(findings)))


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those that were not looked at for one reason in one."""
    for (verdict, said), group in groupby(findings, key=lambda one: (one.verdict, one.said)):
        first, *others = group
        if verdict is Verdict.SKIPPED and others:
            names = ", ".join(one.name for one in (first, *others))
            yield replace(first, name="", said=f"{names}: {said}")
        else:
            yield from (first, *others)


def _lines(one: Finding, names: int, width: int, marks: Mapping[Verdict, str]) -> Iterator[str]:
    room = " " * (names + 6)
    first = f"  {marks[one.verdict]} {one.name:<{names}}  "
    if len(one.name) > names:
        yield first.rstrip()
        first = room
    yield from _wrapped(one.said, first, room, width)
    if one.mend and one.verdict is not Verdict.OK:
        yield from _wrapped(one.mend, f"{room}> ", f"{room}  ", width)


def _wrapped(text: str, first: str, rest: str, width: int) -> list[str]:
    """The text as lines, words such as addresses whole."""
    return textwrap.wrap(
        " ".join(text.split()),
        max(width, len(rest) + NARROWEST),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _sum(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(one.verdict is verdict for one in findings) for verdict in Verdict}
    words = {
        Verdict.BROKEN: "broken",
        Verdict.WARNING: "to look at",
        Verdict.OK: "fine",
        Verdict.SKIPPED: "not looked at",
    }
    return ", ".join(f"{counts[one]} {word}" for one, word in words.items()) + ". Nothing was changed."
