"""Whether the DAGs of a configuration exist, are allowed, and know the params that they would get."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Final

from bot.policy.configuration.problems import ConfigurationError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bot.models import Dag
    from bot.policy.configuration.models import Configuration, Pipeline


class Unknown(enum.Enum):
    """What is said of a DAG that can't be looked at now."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

# JSON Schema's words for what Python's JSON gives; a whole number is a number, too.
TYPES: Mapping[type, tuple[str, ...]] = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    list: ("array",),
    dict: ("object",),
    type(None): ("null",),
}


def check_dags(configuration: Configuration, describe: Callable[[str], Dag | Unknown | str]) -> None:
    """Raise ConfigurationError where a DAG is refused or does not know what a pipeline gives it.

    `describe` tells the DAG of an id, or UNKNOWN where it can't be looked at now (which is no problem), or
    why it may not be used. Each id is asked for once.
    """
    known: dict[str, Dag | Unknown | str] = {}
    problems: list[Problem] = []
    for name, pipeline in configuration.pipelines.items():
        if pipeline.dag not in known:
            known[pipeline.dag] = describe(pipeline.dag)
        for path, text in _wrong(pipeline, known[pipeline.dag]):
            line = configuration.line("pipelines", name, *path)
            problems.append(
                Problem(line, f"'{'.'.join(('pipelines', name, *path))}': {text}", configuration.source)
            )
    if problems:
        raise ConfigurationError(problems)


def _wrong(pipeline: Pipeline, dag: Dag | Unknown | str) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(dag, Unknown):
        return
    if isinstance(dag, str):
        yield ("dag",), dag
        return
    for key, value in pipeline.params.items():
        text = _wrong_param(dag, key) or _wrong_value(dag.params[key], value)
        if text:
            yield ("params", key), text
    for key, one in pipeline.inputs.items():
        path = ("inputs", key)
        text = _wrong_param(dag, key) or _wrong_type(dag.params[key], {one.type})
        if text:
            yield path, text
            continue
        for at, value in (("default", one.default), *(("choices", choice) for choice in one.choices or ())):
            wrong = "" if value is None else _wrong_value(dag.params[key], value)
            if wrong:
                yield (*path, at), wrong


def _wrong_param(dag: Dag, key: str) -> str:
    return "" if key in dag.params else f"DAG '{dag.id}' has no param '{key}'{did_you_mean(key, dag.params)}"


def _wrong_value(schema: Mapping[str, object], value: object) -> str:
    """What a Param's schema has against a value, by its `type` and `enum`; Airflow checks the rest itself."""
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        return f"must be one of {', '.join(json.dumps(choice) for choice in choices)}"
    return _wrong_type(schema, set(TYPES.get(type(value), ())))


def _wrong_type(schema: Mapping[str, object], types: set[str]) -> str:
    wanted = schema.get("type")
    listed = wanted if isinstance(wanted, list) else [wanted]
    allowed = {one for one in listed if isinstance(one, str)}
    if "number" in allowed:
        allowed.add("integer")
    if not allowed or not types or types & allowed:
        return ""
    return f"must be {' or '.join(sorted(allowed))}, as the DAG's param is, not {min(types)}"
