"""What may keep a run in Airflow from going on: pauses, pools, parts of Airflow that are down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pool:
    """So many `slots` share what uses the pool, of which `free` ones are left; below zero means no limit."""

    slots: int
    free: int


@dataclass(frozen=True, slots=True)
class DagCondition:
    """A DAG as it is now. `most_runs` is how many of its runs Airflow runs at once, None if unknown.

    `pools` says in which pool each task takes its place, `before` which tasks come directly before each.
    """

    paused: bool = False
    gone: bool = False
    import_error: bool = False
    most_runs: int | None = None
    pools: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What Airflow says of itself and of some DAGs. What it does not let us see is left out.

    `scheduler_silent_since` is when Airflow's scheduler was last heard of, if it is down. A DAG that Airflow
    has no more is `gone`. There is always a pool, so that without `pools` nothing is known of them.
    """

    scheduler_silent_since: datetime | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)
    dags: Mapping[str, DagCondition] = field(default_factory=dict)
