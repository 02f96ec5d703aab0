"""Badges: how a pipeline stands on a branch, as a small picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import Outcome
from bot.prose import elide, one_line

if TYPE_CHECKING:
    from bot.models import Run

UNKNOWN = "unknown"
WORDS = {
    Outcome.SUCCESS: "passing",
    Outcome.FAILURE: "failing",
    Outcome.ERROR: "error",
    Outcome.CANCELLED: "cancelled",
    Outcome.TIMED_OUT: "timed out",
}
# White on each of them has a contrast of more than 4.5.
GREEN, RED, GREY = "#1a7f37", "#cf222e", "#59636e"
COLOURS = {
    "passing": GREEN,
    "failing": RED,
    "error": RED,
    "timed out": RED,
    "cancelled": GREY,
    UNKNOWN: GREY,
}
LONGEST_NAME = 40


def word_for(run: Run | None) -> str:
    """How the badge of a branch's newest finished run reads."""
    return UNKNOWN if run is None or run.outcome is None else WORDS[run.outcome]


def label_for(pipeline: str) -> str:
    """The pipeline's name, as much as there is room for."""
    return elide(one_line(pipeline), LONGEST_NAME)


def width(text: str) -> int:
    """How many pixels the text takes in 11 px Verdana, roughly; it is stretched to fit exactly."""
    return 10 + sum(
        4 if character in "ijl.,:;|!'()[] -tfrI1" else 10 if character in "mwMW@%" else 7
        for character in text
    )
