"""Bring a run into Airflow, or let it go on there: once, whatever crashes or answers are lost in between."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import (
    AirflowLoginRefused,
    AirflowRefused,
    AirflowUnavailable,
    DagNotFound,
    DagRunNotFound,
    ParamsRefused,
)
from bot.models import Outcome, Phase, RunRef
from bot.policy.configuration import RESERVED
from bot.runs.conf import repository_in, run_id_in, with_ticket
from bot.runs.naming import dag_run_id, where
from bot.runs.ticket import hide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.models import Dag, Run
    from bot.policy.operator import Operator
    from bot.ports import DagTrigger
    from bot.runs.ticket import Tickets

MAX_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class StartRules:
    """This installation's name, which all names in Airflow carry, and what the operator allows.

    `tickets` makes the tickets of runs of private repositories; None where we can't exchange any. They are
    given only to runs that clone from below `github_url`, where GitHub's web is; "" lets them clone anywhere.
    """

    installation: str
    operator: Callable[[], Operator]
    tickets: Tickets | None = None
    github_url: str = ""


def start(run: Run, airflow: DagTrigger, rules: StartRules, intend: Callable[[str], bool]) -> Run:
    """The run as Airflow has it now: ACTIVE, or FINISHED with an error that says what to mend.

    One that is RESUMING goes on in its DAG run; if Airflow has that no more, it begins anew. `intend` stores
    the id before Airflow is asked for it, so that a run whose answer was lost is found again, even if its DAG
    may not be started any more. Raises AirflowUnavailable if Airflow should be asked again later,
    AirflowLoginRefused if somebody has to mend our login first.
    """
    try:
        refusal = refuse(run, airflow.dag(run.dag_id), rules)
        if refusal is None:
            resumed = _resume(run, airflow) if run.phase is Phase.RESUMING else None
            return resumed or _trigger(run, airflow, rules, intend)
    except DagNotFound:
        refusal = f"DAG '{run.dag_id}' not found"
    except ParamsRefused as error:
        refusal = f"DAG '{run.dag_id}' refuses its params: {error}"
    except AirflowLoginRefused:
        raise
    except AirflowRefused as error:
        refusal = f"Airflow refused the run: {error}"
    if run.phase is Phase.WANTED and run.ref is not None and is_ours(run, run.ref, airflow):
        return _begun(run, run.ref)  # the answer of an earlier try was lost
    return failed(run, refusal)


def refuse(run: Run, dag: Dag, rules: StartRules) -> str | None:
    """Why this DAG may not run like that, None if it may.

    Airflow itself would queue a paused DAG's run for ever and ignore params that the DAG does not know.
    """
    refusal = rules.operator().refuses(run.repository, dag)
    if refusal is not None:
        return refusal
    if dag.import_error:
        return f"DAG '{dag.id}' can't be imported: see Airflow's import errors"
    if dag.paused:
        return f"DAG '{dag.id}' is paused: unpause it in Airflow"
    for name in run.conf.keys() - RESERVED:
        if name not in dag.params:
            near = difflib.get_close_matches(name, dag.params, n=1)
            hint = f", did you mean '{near[0]}'?" if near else ""
            return f"DAG '{dag.id}' has no param '{name}'{hint}"
    return None


def _resume(run: Run, airflow: DagTrigger) -> Run | None:
    """The run after it was let go on, None if Airflow does not have it (any more)."""
    if run.ref is None or not is_ours(run, run.ref, airflow):
        return None
    try:
        airflow.resume(run.ref, run.steps)
    except DagRunNotFound:
        return None
    return replace(run, phase=Phase.ACTIVE, note="")


def _trigger(run: Run, airflow: DagTrigger, rules: StartRules, intend: Callable[[str], bool]) -> Run:
    conf = _sent(run, rules)
    for attempt in range(run.attempt, run.attempt + MAX_ATTEMPTS):
        ref = RunRef(run.dag_id, dag_run_id(rules.installation, run, attempt))
        if run.dag_run_id != ref.dag_run_id and not intend(ref.dag_run_id):
            continue
        try:
            created = airflow.trigger(ref, conf, f"{where(run)} by {run.actor}")
        except AirflowUnavailable as error:
            error.args, error.said = (hide(str(error)),), hide(error.said)
            raise error from None
        if created or is_ours(run, ref, airflow):
            return _begun(run, ref)
    return failed(run, f"Airflow holds {MAX_ATTEMPTS} runs of that name that are not ours")


def _begun(run: Run, ref: RunRef) -> Run:
    return replace(run, phase=Phase.ACTIVE, dag_run_id=ref.dag_run_id, note="", steps=())


def _sent(run: Run, rules: StartRules) -> Mapping[str, object]:
    """What Airflow gets: the conf, and a ticket where a step can't read the repository without one.

    A delivery says where a pushed branch is cloned from. Whoever could forge one must not get, at a place of
    theirs, the token that is sent along.
    """
    if rules.tickets is None or run.dryrun or not run.repository.private:
        return run.conf
    if not str(run.conf.get("CLONE_URL", "")).startswith(f"{rules.github_url}/" if rules.github_url else ""):
        return run.conf
    return with_ticket(run.conf, rules.tickets.issue(run.id, repository_in(run.conf)))


def is_ours(run: Run, ref: RunRef, airflow: DagTrigger) -> bool:
    """Whether the DAG run of that name was triggered for this run: its conf carries our run's id."""
    try:
        return run_id_in(airflow.conf(ref)) == run.id
    except DagRunNotFound:
        return False


def failed(run: Run, reason: str) -> Run:
    """The run can't be run as asked. Airflow's reasons may quote the conf that it was sent."""
    return replace(run, phase=Phase.FINISHED, outcome=Outcome.ERROR, reason=hide(reason), note="")
