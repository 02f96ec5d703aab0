"""What goes wrong and when: a plan that follows from the seed, in terms of what has happened, not of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.dice import dice

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

BEYOND_A_LEASE = 66.0
"""Seconds for which a worker stands still so that others take over what it holds; a lease lasts a minute."""
LONG = ("worker frozen beyond its lease", "worker stalls before a trigger", "worker stalls before a comment")

COMMON: Mapping[str, float] = {
    "github 502 after a write": 4,
    "github cut off after a write": 3,
    "github 502 before a write": 1,
    "github 403 with Retry-After": 1,
    "github 429 with Retry-After": 1,
    "github 404 lag": 3,
    "github slow": 2,
    "delivery dropped": 5,
    "delivery duplicated": 4,
    "delivery delayed": 4,
    "deliveries reordered": 4,
    "airflow 500 after a trigger": 3,
    "airflow loses the answer to a trigger": 3,
    "airflow 503 before a trigger": 1,
    "airflow 500 after a cancel": 2,
    "airflow loses the answer to a cancel": 1,
    "airflow 500 while resuming": 2,
    "airflow slow": 1,
    "airflow forgets our login": 1,
    "worker killed": 4,
    "web killed": 2,
    "web process killed": 2,
    "worker frozen": 2,
}
"""How often each comes, in terms of the others."""

RARE: Mapping[str, int] = {
    "postgres killed": 90,
    "airflow gone": 90,
    "github outage": 150,
    "worker frozen beyond its lease": 120,
    "worker stalls before a trigger": 120,
    "worker stalls before a comment": 120,
    "web frozen": 200,
    "migrate": 200,
    "worker added": 150,
    "worker removed": 150,
}
"""After so many acts each comes again."""

EVERY = 7
"""So many acts happen for one common fault."""


@dataclass(frozen=True)
class Fault:
    """It begins once `at` acts have happened. `amount` is seconds or how often, as its kind has it."""

    at: int
    kind: str
    amount: float
    target: int

    def __str__(self) -> str:
        return f"{self.kind} ({self.amount:g}, {self.target})"


def plan(acts: int, seed: int, *, frozen: bool = True, only: str = "") -> tuple[Fault, ...]:
    """The faults for so many acts, in order. Without `frozen` no worker stands still beyond its lease.

    With `only`, none but those whose kind has these words in it, and then many.
    """
    thrown = dice("faults", seed)
    if only:
        chosen = [kind for kind in (*COMMON, *RARE) if only in kind]
        kinds = thrown.choices(chosen, k=max(1, acts // EVERY))
    else:
        kinds = thrown.choices(list(COMMON), list(COMMON.values()), k=max(1, acts // EVERY))
        for kind, every in RARE.items():
            if frozen or kind not in LONG:
                kinds += [kind] * max(1, acts // every)
    # The last acts come after the last faults have begun, so that something happens while they last.
    found = [_fault(kind, thrown.randint(2, max(2, int(acts * 0.95))), thrown) for kind in kinds]
    return tuple(sorted(found, key=lambda fault: fault.at))


def _fault(kind: str, at: int, thrown: random.Random) -> Fault:
    if kind in LONG:
        amount = BEYOND_A_LEASE
        at = at * 2 // 3
    elif kind in ("worker frozen", "web frozen"):
        amount = thrown.uniform(3.0, 15.0)
    elif kind in ("airflow gone", "github outage"):
        amount = thrown.uniform(4.0, 15.0)
    elif kind == "postgres killed":
        amount = thrown.uniform(0.0, 6.0)
    elif "Retry-After" in kind:
        amount = float(thrown.randint(1, 8))
    elif "slow" in kind:
        amount = thrown.uniform(2.0, 12.0)
    elif kind == "delivery delayed":
        amount = thrown.uniform(1.0, 20.0)
    else:
        amount = float(thrown.randint(1, 3))
    return Fault(at, kind, round(amount, 1), thrown.randint(0, 1_000))
