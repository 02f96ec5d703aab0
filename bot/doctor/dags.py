"""Airflow's DAGs: are those there that repositories may run, and can they run."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bot.doctor.airflow import ANSWERS, LOGIN, PART, REACH, ROLE, judge_trigger
from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, or_fine, skipped, warning
from bot.errors import AirflowLoginRefused
from bot.policy.operator import TAG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.models import Dag
    from bot.policy.operator import Operator, Serve
    from bot.ports.doctor import AirflowLook, DagLook

MOST = 1000
"""DAGs that are listed."""

MOST_POOLS = 30
"""DAGs whose tasks are asked for their pools."""

DAGS = f"{PART}.dags"
DEPLOY = "Deploy the DAG's file to Airflow, and see `airflow dags list-import-errors`."


def dag_checks(airflow: AirflowLook, dags: DagLook, operator: Operator) -> list[Check]:
    """What is looked at of DAGs, where the operator's word is complete or not."""

    def known() -> list[Dag]:
        """Those that Airflow lists, and those that the operator names, wherever they stand in its list."""
        found = list(dags.dags(MOST))
        names = _named(operator.serves) - {dag.id for dag in found}
        more = (dags.dag(name) for name in sorted(names) if not _is_pattern(name))
        return found + [dag for dag in more if dag is not None]

    def listed() -> tuple[Diagnosis, ...]:
        return judge_dags(known(), operator.serves)

    def imports() -> tuple[Diagnosis, ...]:
        try:
            return judge_imports(dags.import_errors())
        except AirflowLoginRefused:
            return (skipped("our user may not see import errors"),)

    def trigger() -> tuple[Diagnosis, ...]:
        first = next(iter(allowed(known(), operator.serves)), None)
        if first is None:
            return (skipped("there is no DAG to ask about"),)
        return (judge_trigger(first.id, allowed=airflow.may_trigger(first.id)),)

    def pools() -> tuple[Diagnosis, ...]:
        try:
            there = dags.pools()
        except AirflowLoginRefused:
            return (skipped("our user may not see pools"),)
        found = [dag for dag in allowed(known(), operator.serves) if not dag.import_error]
        wanted = {dag.id: dags.pools_of(dag.id) for dag in found[:MOST_POOLS]}
        return judge_pools(there, wanted, len(found))

    needs = (ANSWERS, LOGIN)
    return [
        Check(PART, "dags", listed, ROLE, needs),
        Check(PART, "imports", imports, REACH, needs),
        Check(PART, "trigger", trigger, ROLE, needs),
        Check(PART, "pools", pools, REACH, needs),
    ]


def allowed(dags: Sequence[Dag], serves: Sequence[Serve]) -> list[Dag]:
    """The DAGs that some repository may run."""
    return [dag for dag in dags if any(_allows(serve, dag) for serve in serves)]


def judge_dags(dags: Sequence[Dag], serves: Sequence[Serve]) -> tuple[Diagnosis, ...]:
    """Whether each DAG that the operator names is there, and none of those allowed is paused or broken.

    With MOST of them, there may be more that were not looked at.
    """
    found = allowed(dags, serves)
    shown = ", ".join(dag.id for dag in found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")  # noqa: PLR2004 - enough to know them again
    return or_fine(
        (*_missing(dags, serves), *_unable(found, named=_named(serves))), f"repositories may run {shown}"
    )


def judge_imports(errors: Sequence[str]) -> tuple[Diagnosis, ...]:
    """Files that Airflow can't import. Which DAGs they hold nobody can know."""
    if not errors:
        return or_fine((), "Airflow can import all DAG files")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return (
        warning(
            f"Airflow can't import {errors[0]}{more}",
            "Mend the file; `airflow dags list-import-errors` shows all of them.",
        ),
    )


def judge_pools(
    there: frozenset[str], wanted: Mapping[str, frozenset[str]], number: int
) -> tuple[Diagnosis, ...]:
    """Whether each pool that a DAG's tasks want exists: in one that doesn't, tasks wait for ever.

    `wanted` are the pools of each DAG that was asked about, of so many DAGs in all.
    """
    asked = "DAGs" if len(wanted) >= number else f"the first {len(wanted)} of {number} DAGs"
    lost = {dag: sorted(pools - there) for dag, pools in sorted(wanted.items()) if pools - there}
    return or_fine(
        (
            broken(
                f"DAG {dag!r} wants the pool {pools[0]!r}, which does not exist: its tasks never start",
                f"Make it: `airflow pools set {pools[0]} SLOTS DESCRIPTION`.",
            )
            for dag, pools in lost.items()
        ),
        f"all pools that {asked} want exist",
    )


def _missing(dags: Sequence[Dag], serves: Sequence[Serve]) -> Iterator[Diagnosis]:
    ids = {dag.id for dag in dags}
    whole = len(dags) < MOST
    where = "in Airflow" if whole else f"among Airflow's first {MOST}"
    for pattern in sorted(_named(serves)):
        if _is_pattern(pattern):
            if not any(fnmatchcase(each, pattern) for each in ids):
                yield warning(f"no DAG {where} is called like {pattern!r}, which the operator allows", DEPLOY)
        elif pattern not in ids:
            yield broken(f"the DAG {pattern!r}, which the operator allows, is not in Airflow", DEPLOY)
    if any(serve.dags is None for serve in serves) and not any(TAG in dag.tags for dag in dags):
        kind = broken if whole else warning
        so = "so repositories may run none" if whole else "and no others were looked at"
        yield kind(
            f"no DAG {where} has the tag {TAG!r}, {so}",
            f"Deploy this repository's dags/, give a DAG of yours tags=[{TAG!r}], or set "
            "PREFLIGHT_ALLOWED_DAGS. A user who may see no DAGs finds none either.",
        )


def _unable(dags: Sequence[Dag], *, named: frozenset[str]) -> Iterator[Diagnosis]:
    for dag in dags:
        if dag.import_error:
            yield broken(f"the DAG {dag.id!r} can't be imported any more", DEPLOY)
        elif dag.paused:
            kind = broken if dag.id in named else warning
            yield kind(
                f"the DAG {dag.id!r} is paused: runs of it are refused", f"`airflow dags unpause {dag.id}`."
            )


def _named(serves: Sequence[Serve]) -> frozenset[str]:
    return frozenset(pattern for serve in serves for pattern in serve.dags or ())


def _is_pattern(name: str) -> bool:
    return bool(set(name) & set("*?["))


def _allows(serve: Serve, dag: Dag) -> bool:
    if serve.dags is None:
        return TAG in dag.tags
    return any(fnmatchcase(dag.id, pattern) for pattern in serve.dags)
