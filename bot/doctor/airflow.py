"""Airflow: is it there, does it take our login, may we trigger, are its parts at work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.clock import judge_clock
from bot.doctor.findings import Diagnosis, broken, fine, or_fine, skipped, warning
from bot.errors import AirflowLoginRefused, AirflowRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.models.doctor import Knock
    from bot.ports.doctor import AirflowLook

PART = "airflow"
ANSWERS, LOGIN = f"{PART}.answers", f"{PART}.login"
SUPPORTED = (3, 3)
"""The release that all of this is tested with; its API is the same in those after it, with additions."""

PLUGIN = "preflight_listener"
VITAL = {
    "metadatabase": "Airflow's database does not answer it: mend that first.",
    "scheduler": "Start `airflow scheduler`, or see its log: without it no run starts.",
    "dag_processor": "Start `airflow dag-processor`, or see its log: without it no DAG is read.",
}
REACH = (
    "Set PREFLIGHT_AIRFLOW_URL to Airflow's api-server, and see that it runs and can be reached from here."
)
CREDENTIALS = "Set PREFLIGHT_AIRFLOW_USERNAME and PREFLIGHT_AIRFLOW_PASSWORD to a user whom Airflow knows."
ROLE = "Give that user the role `user` (SimpleAuthManager) or `Op` (FAB)."
PLUGIN_MEND = "Put this repository's dags/plugins/ into Airflow's plugins folder, and restart Airflow."


def airflow_checks(airflow: AirflowLook, url: str, *, nudged: bool) -> list[Check]:
    """What is looked at of Airflow itself; `nudged`: whether its plugin is to tell us of changes."""

    def plugin() -> tuple[Diagnosis]:
        try:
            return (judge_plugins(airflow.plugins(), nudged=nudged),)
        except AirflowLoginRefused:
            return (skipped("our user may not see Airflow's plugins"),)

    def clock() -> tuple[Diagnosis]:
        return (judge_clock(airflow.knock(), "Airflow"),)

    def login() -> tuple[Diagnosis]:
        airflow.log_in()
        return (fine("Airflow takes our login"),)

    return [
        Check(PART, "answers", lambda: judge_answer(airflow.knock(), url), REACH),
        Check(PART, "clock", clock, REACH, (ANSWERS,)),
        Check(PART, "health", lambda: judge_health(airflow.health()), REACH, (ANSWERS,)),
        Check(PART, "login", login, CREDENTIALS, (ANSWERS,)),
        Check(PART, "plugin", plugin, REACH, (ANSWERS, LOGIN)),
    ]


def judge_answer(knock: Knock, url: str) -> tuple[Diagnosis, ...]:
    """Whether it is Airflow that answers there, of a version that we know."""
    if not knock.genuine:
        return (broken(f"something answers at {url}, but not as Airflow 3 does", REACH),)
    found = re.match(r"(\d+)\.(\d+)", knock.version)
    version = (int(found[1]), int(found[2])) if found else None
    if version is None or version[0] != SUPPORTED[0]:
        shown = knock.version or "of an unknown version"
        return (broken(f"Airflow {shown} answers at {url}", "Preflight needs Airflow 3.3."),)
    if version < SUPPORTED:
        return (broken(f"Airflow {knock.version} answers at {url}", "Upgrade Airflow to 3.3."),)
    if version > SUPPORTED:
        return (
            warning(
                f"Airflow {knock.version} answers at {url}; this version of Preflight is tested with 3.3",
                "Look for a newer Preflight, or try it out with `make test`.",
            ),
        )
    return (fine(f"Airflow {knock.version} answers at {url}"),)


def judge_health(health: Mapping[str, str]) -> tuple[Diagnosis, ...]:
    """Airflow's own word about its parts."""
    return or_fine(_ailing(health), "Airflow's database, scheduler and DAG processor are healthy")


def judge_trigger(dag_id: str, *, allowed: bool) -> Diagnosis:
    """Whether our user may trigger a DAG."""
    if allowed:
        return fine("our user may trigger DAGs")
    return broken(f"our user may not trigger {dag_id!r}", ROLE)


def judge_plugins(plugins: frozenset[str], *, nudged: bool) -> Diagnosis:
    """Whether our plugin is there."""
    if PLUGIN in plugins:
        return fine("our plugin is loaded")
    if not nudged:
        return skipped("our plugin is not loaded: runs are polled, as PREFLIGHT_NUDGE_SECRET is not set")
    return warning(
        "Airflow has not loaded our plugin, so changes show late: runs are only polled", PLUGIN_MEND
    )


def explained(error: AirflowRefused) -> Diagnosis:
    """What a refusal means to whoever set up the user."""
    return broken(str(error), ROLE)


def _ailing(health: Mapping[str, str]) -> Iterator[Diagnosis]:
    for part, mend in VITAL.items():
        if health.get(part) != "healthy":
            name = part.replace("_", " ")
            yield broken(f"Airflow's {name} is {health.get(part) or 'not there'}", mend)
