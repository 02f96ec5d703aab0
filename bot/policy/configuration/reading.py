"""From the file's bytes to a Configuration, or to all that is wrong with it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from bot.policy.configuration import document
from bot.policy.configuration.complaints import say
from bot.policy.configuration.inputs import Input
from bot.policy.configuration.models import Configuration, Matcher, Pipeline, Report
from bot.policy.configuration.problems import MAX_PROBLEMS, PATH, ConfigurationError, Problem
from bot.policy.configuration.references import problems_of_references

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from bot.policy.configuration.document import Document

START = "write `pipelines:` and below it one entry for each pipeline"


def parse(content: bytes, source: str = PATH) -> Configuration:
    """Read the file; ConfigurationError with each problem's line if it is not exactly what we expect.

    `source` names the file in the problems.
    """
    found = document.read(content, source)
    if not isinstance(found.value, dict):
        raise ConfigurationError([Problem(1, START, source)])
    try:
        configuration = Configuration.model_validate(found.value)
    except ValidationError as error:
        raise ConfigurationError(_problems(error, found, source)) from None
    configuration.remember(found, source)
    problems = list(islice(problems_of_references(configuration), MAX_PROBLEMS))
    if problems:
        raise ConfigurationError(problems)
    return configuration


def validate(content: bytes, source: str = PATH) -> list[Problem]:
    """What is wrong with the file, as far as one can tell without Airflow; empty if nothing is."""
    try:
        parse(content, source)
    except ConfigurationError as error:
        return list(error.problems)
    return []


def _problems(error: ValidationError, found: Document, source: str) -> Iterator[Problem]:
    """The first problems in the file's order: what nobody will read is not put into words."""
    details = [(_path(detail), detail) for detail in error.errors(include_url=False)]
    details.sort(key=lambda pair: found.line(pair[0]))
    for path, detail in details[:MAX_PROBLEMS]:
        model = _model_at(path[:-1])
        text = say(detail, path, model)
        if detail["type"] == "extra_forbidden":
            text = _misplaced(path, model) or text
        yield Problem(found.line(path), text, source)


def _path(detail: ErrorDetails) -> tuple[int | str, ...]:
    return tuple(part for part in detail["loc"] if part != "[key]")


def _misplaced(path: Sequence[int | str], model: type[BaseModel] | None) -> str:
    """What to do about a key that is known elsewhere in the file."""
    key = str(path[-1])
    if model is Configuration and key in Pipeline.model_fields:
        return f"{key!r} belongs to a pipeline: indent it below one"
    if model is Pipeline and key in Configuration.model_fields:
        return f"{key!r} belongs to the whole file: don't indent it"
    return ""


def _model_at(path: Sequence[int | str]) -> type[BaseModel] | None:
    """Whose keys stand at that path."""
    match path:
        case ():
            return Configuration
        case ("report",):
            return Report
        case ("report", "matchers", _):
            return Matcher
        case ("pipelines", _):
            return Pipeline
        case ("pipelines", _, "inputs", _):
            return Input
    return None
