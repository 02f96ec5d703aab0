"""Whose turn it is: which waiting runs may go to Airflow, within their limits and after what they need.

Oldest first, and greedy: a run that has to wait for one limit does not keep others from the places that it
could not use. Limits lie within one another (a pipeline's in its repository's, that in the installation's),
so a run that ends frees a place in all that the next one in its queue waits for: nobody starves. Where a
limit was changed while runs wait, what the newest of them says holds for all.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bot.claims import Need, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.claims import QueuedRun


def judge(queued: Sequence[QueuedRun], counts: Mapping[str, int]) -> Sequence[Turn]:
    """What becomes of each waiting run, oldest first, for which that is something new.

    `counts` are the runs that have their place already, by the key of their limits.
    """
    most = {limit.key: limit.most for run in queued for limit in run.limits}
    taken, ahead = Counter(counts), Counter[str]()
    admitted = {run.id for run in queued if _can_start(run) and _takes_place(run, most, taken)}
    turns = [
        Turn(run.id, admitted=True) if run.id in admitted else _wait(run, most, taken, ahead)
        for run in queued
    ]
    return [
        turn
        for run, turn in zip(queued, turns, strict=True)
        if turn.admitted or turn.refusal or turn.note != run.note
    ]


def _can_start(run: QueuedRun) -> bool:
    return all(need is Need.PASSED for need in run.needs.values())


def _takes_place(run: QueuedRun, most: Mapping[str, int], taken: Counter[str]) -> bool:
    """Whether there is a place for the run, which then is taken."""
    keys = {limit.key for limit in run.limits}
    room = all(taken[key] < most[key] for key in keys)
    if room:
        taken.update(keys)
    return room


def _wait(run: QueuedRun, most: Mapping[str, int], taken: Counter[str], ahead: Counter[str]) -> Turn:
    """Why the run waits, or that what it waits for will not come."""
    failed = [name for name, need in run.needs.items() if need is Need.FAILED]
    if failed:
        return Turn(run.id, admitted=False, refusal=f"not run: it needs {_listed(failed)}, which failed")
    missing = [name for name, need in run.needs.items() if need is not Need.PASSED]
    if missing:  # it keeps no place: what it waits for may stand behind it in the same queue
        return Turn(run.id, admitted=False, note=f"waits for {_listed(missing)}")
    keys = {limit.key for limit in run.limits}
    # How many must end before the fullest limit has room for one more.
    number = max(taken[key] + ahead[key] - most[key] + 1 for key in keys if taken[key] >= most[key])
    ahead.update(keys)
    return Turn(run.id, admitted=False, note=f"queued: {number} ahead")


def _listed(names: Sequence[str]) -> str:
    """All names in one sentence, as in "unit, lint and docs"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
