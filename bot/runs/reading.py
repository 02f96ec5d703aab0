"""What Airflow has of many runs, where it may not be able to show one of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bot.errors import AirflowLoginRefused, AirflowRefused, AirflowUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import RunClaim
    from bot.models import DagRun, RunRef
    from bot.ports import DagRunReader

MOST_FAILURES = 30
"""Of one look: two or three runs are found by them; more are not looked for while the others wait."""


def read(
    reader: DagRunReader, claims: Sequence[RunClaim]
) -> tuple[dict[RunRef, DagRun | None], list[tuple[RunClaim, AirflowUnavailable | AirflowRefused]]]:
    """What Airflow has of these runs, and those of which it could not say, with what it said instead.

    Where it answers with an error, the halves are asked for, so that one run does not hold up the others.
    All parts of a size come before smaller ones: of two halves one is usually well, and so many failures in
    a row as open a breaker are met only where Airflow is not.
    """
    found: dict[RunRef, DagRun | None] = {}
    failed: list[tuple[RunClaim, AirflowUnavailable | AirflowRefused]] = []
    failures = 0
    parts = deque([claims] if claims else [])
    while parts:
        part = parts.popleft()
        try:
            found |= reader.look([claim.run.ref for claim in part if claim.run.ref is not None])
        except (AirflowUnavailable, AirflowRefused) as error:
            failures += 1
            half = len(part) // 2
            if half and failures < MOST_FAILURES and _may_be_of_one(error):
                parts += part[:half], part[half:]
            else:
                failed += ((claim, error) for claim in part)
    return found, failed


def _may_be_of_one(error: AirflowUnavailable | AirflowRefused) -> bool:
    """Whether Airflow answered, and not that it is busy or does not let us in."""
    if isinstance(error, AirflowUnavailable):
        return bool(error.said)
    return not isinstance(error, AirflowLoginRefused)
