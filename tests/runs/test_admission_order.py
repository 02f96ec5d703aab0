"""First in, first out, also where the configuration changed while runs waited."""

from __future__ import annotations

from bot.claims import QueuedRun
from bot.models import Limit
from bot.runs.admission import judge

KEY = "pipeline:42:unit"


def queued(run_id: str, most: int) -> QueuedRun:
    """A run of the same pipeline, from when so many were allowed at once."""
    return QueuedRun(run_id, (Limit(KEY, most),), {}, "")


def test_who_came_when_less_was_allowed_is_not_passed_by() -> None:
    turns = {turn.run_id: turn for turn in judge([queued("old", 1), queued("new", 2)], {KEY: 1})}
    assert not turns["new"].admitted or turns["old"].admitted


def test_with_room_for_all_both_start() -> None:
    turns = judge([queued("old", 1), queued("new", 2)], {})
    assert [turn.run_id for turn in turns if turn.admitted] == ["old", "new"]
