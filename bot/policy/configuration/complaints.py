"""Pydantic's complaints in our words: what is wrong, and what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.policy.configuration.fields import FORMS
from bot.policy.configuration.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

LONGEST_QUOTE = 80


def say(detail: ErrorDetails, path: Sequence[int | str], model: type[BaseModel] | None) -> str:
    """What is wrong at that path; `model` is what its last part is a key of, if it is one of a model."""
    where = repr(".".join(str(part) for part in path if isinstance(part, str)))
    if detail["type"] == "extra_forbidden":
        known = keys(model) if model else ()
        return f"unknown key {where}{did_you_mean(str(path[-1]), known)}"
    if detail["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {WORDS.get(detail['type'], _as_pydantic_does)(detail)}"


def keys(model: type[BaseModel]) -> list[str]:
    """The model's keys as the file writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _as_pydantic_does(detail: ErrorDetails) -> str:
    return detail["msg"].replace("Input should", "must").replace("a valid ", "a ")


def _wrong_form(detail: ErrorDetails) -> str:
    form = FORMS.get(detail["ctx"]["pattern"], "does not look as it must")
    return f"{_quoted(detail['input'])} {form}"


def _no_choice(detail: ErrorDetails) -> str:
    known = re.findall("'([^']*)'", detail["ctx"]["expected"])
    return f"{_quoted(detail['input'])} is not known{did_you_mean(str(detail['input']), known)}"


def _no_text(detail: ErrorDetails) -> str:
    value = detail["input"]
    if isinstance(value, int | float):
        return f"must be text, not {_quoted(value)}: put it in quotes"
    return "must be text"


def _too_few(detail: ErrorDetails) -> str:
    return (
        "is empty: leave it out, or write what it is about"
        if not detail["input"]
        else _as_pydantic_does(detail)
    )


def _quoted(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return repr(text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…")


WORDS: dict[str, Callable[[ErrorDetails], str]] = {
    "string_pattern_mismatch": _wrong_form,
    "literal_error": _no_choice,
    "string_type": _no_text,
    "list_type": lambda _: "must be a list, such as [a, b]",
    "tuple_type": lambda _: "must be a list, such as [a, b]",
    "dict_type": lambda _: "must have keys and values below it",
    "model_type": lambda _: "must have keys and values below it",
    "bool_type": lambda _: "must be true or false",
    "int_type": lambda _: "must be a whole number",
    "too_short": _too_few,
    "string_too_short": _too_few,
    "too_long": lambda detail: f"may have at most {detail['ctx']['max_length']} entries",
    "value_error": lambda detail: str(detail["ctx"]["error"]),
}
