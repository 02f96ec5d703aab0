"""Reads what GitHub and Airflow have in the end, and makes histories of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.history import Check, Comment, DagRun, History, Mark, Marks, Pull
from tests.chaos.world import MARKER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import RunRef
    from tests.chaos.living import Living
    from tests.chaos.world import World
    from tests.fakes.airflow import FakeRun

_CONCLUSIONS = {
    None: "pending",
    "success": "success",
    "neutral": "success",
    "skipped": "success",
    "cancelled": "error",
    "timed_out": "failure",
    "failure": "failure",
}


def causes_of(world: World) -> Mapping[str, int]:
    """The comment that each delivery is about, by the delivery's GUID."""
    deliveries = world.github.deliveries(event="issue_comment")
    return {each.guid: int(each.payload["comment"]["id"]) for each in deliveries}


def history_of(living: Living, causes: Mapping[str, int]) -> History:
    """One pull request's life."""
    world, pull = living.world, living.pull
    view = pull.show()
    history = History(
        where=living.where,
        life=living.life,
        configuration=living.home.configuration,
        bot=world.bot,
        marker=MARKER,
        done=tuple(living.done),
        pull=Pull(view.state == "open", view.draft, view.head_sha, view.base_ref, frozenset(view.labels)),
        comments=tuple(
            Comment(one.id, one.author, one.body, tuple(one.reactions)) for one in pull.comments()
        ),
        runs=_runs(living, causes),
    )
    statuses: dict[str, Marks] = {}
    checks: dict[str, Marks] = {}
    every_check: dict[str, tuple[Check, ...]] = {}
    for sha in history.heads:
        statuses[sha] = {
            one.context: Mark(one.state, one.description or "") for one in pull.repository.statuses(sha)
        }
        every = pull.repository.check_runs(sha, every=True)
        checks[sha] = {one.name: Mark(_CONCLUSIONS[one.conclusion], one.title or "") for one in every}
        every_check[sha] = tuple(
            Check(one.name, one.external_id, one.conclusion is not None) for one in every
        )
    return History(**{**vars(history), "statuses": statuses, "checks": checks, "every_check": every_check})


def _runs(living: Living, causes: Mapping[str, int]) -> tuple[DagRun, ...]:
    prefix = f"preflight~chaos~{living.home.full_name.replace('/', '~')}~{living.pull.number}~"
    found = [item for item in list(living.world.fake.runs.items()) if item[0].dag_run_id.startswith(prefix)]
    return tuple(_run(living.world, ref, run, causes) for ref, run in found)


def _run(world: World, ref: RunRef, run: FakeRun, causes: Mapping[str, int]) -> DagRun:
    ours = run.conf["preflight"]
    assert isinstance(ours, dict)
    return DagRun(
        name=ref.dag_run_id,
        run_id=str(ours["run_id"]),
        pipeline=str(run.conf["JOB_NAME"]),
        head=str(run.conf["PULL_PULL_SHA"]),
        base=str(run.conf["PULL_BASE_REF"]),
        state=run.state.value,
        stopped=world.airflow.is_stopped(ref),
        cause=causes.get(str(ours["delivery"]), 0) if ours["trigger"] == "command" else 0,
        tries=max((step.try_number for step in run.steps.values()), default=0),
    )
