"""What the bot would remember: runs, verdicts and approvals, as `statuses`, `runs` and their like say it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import (
    CONFIG_CONTEXT,
    PREFIX,
    PROPOSED_CONTEXT,
    History,
    Outcome,
    Status,
    StatusState,
    Verdict,
)
from bot.simulate.given import State
from bot.simulate.past_run import Past

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.policy.facts import Base
    from bot.simulate.given import Given
    from bot.simulate.scene import Scene

OWN_CONTEXTS = frozenset({CONFIG_CONTEXT, PROPOSED_CONTEXT})
WITHOUT_RUN = frozenset({State.PENDING, State.SKIPPED})
SHOWN_AS = {
    State.SUCCESS: StatusState.SUCCESS,
    State.SKIPPED: StatusState.SUCCESS,
    State.FAILURE: StatusState.FAILURE,
    State.ERROR: StatusState.ERROR,
    State.CANCELLED: StatusState.ERROR,
}
"""What is not here is pending."""

SHORTEST_SHA = 12


def history_of(given: Given, scene: Scene, base: Base) -> History:
    """The history of what the event is about.

    `runs` were there before the event: after a push they are for the head before it, after an edit of the
    base for the base before it. `statuses` are the present head's, from whatever base.
    """
    past = Past(scene, base, given.now)
    base_ref = scene.base_before or scene.base_ref
    head_before = scene.head_before or scene.head_sha
    runs = [past.run(_context(key), state, head_before, base_ref) for key, state in given.runs.items()]
    verdicts = {
        run.context: Verdict(run.context, run.pipeline, run=run)
        for run in runs
        if head_before == scene.head_sha
    }
    for key, state in given.statuses.items():
        context = _context(key)
        ran = verdicts[context].run if context in verdicts else None
        skipped = state is State.SUCCESS and bool(given.runs) and ran is None
        if context in OWN_CONTEXTS or state in WITHOUT_RUN or skipped:
            verdicts.setdefault(context, _fixed(context, state, past))
        elif ran is None:
            run = past.run(context, state, scene.head_sha, base_ref)
            runs.append(run)
            verdicts[context] = Verdict(context, run.pipeline, run=run)
        elif state is State.SUCCESS and ran.outcome not in (None, Outcome.SUCCESS):
            verdicts[context] = replace(_fixed(context, state, past), override=True)
    return History(
        runs=tuple(runs),
        pushers={scene.head_sha: scene.pusher} if scene.pusher else {},
        verdicts=verdicts,
        approved=_approved(given.approved_shas, scene.head_sha),
    )


def _context(key: str) -> str:
    return PREFIX + key.removeprefix(PREFIX)


def _fixed(context: str, state: State, past: Past) -> Verdict:
    """The verdict where no run stands behind it: nothing ran yet, it was skipped, or it is our own."""
    pipeline = "" if context in OWN_CONTEXTS else past.parted(context)[0]
    status = Status(context, SHOWN_AS.get(state, StatusState.PENDING), state.value)
    return Verdict(context, pipeline, status=status)


def _approved(shas: Iterable[str], head_sha: str) -> frozenset[str]:
    """The approved heads; a SHA that was cut stands for the head that begins so."""
    known = {sha.lower() for sha in shas}
    if any(len(sha) >= SHORTEST_SHA and head_sha.startswith(sha) for sha in known):
        known.add(head_sha)
    return frozenset(known)
