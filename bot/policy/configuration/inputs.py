"""The inputs of a pipeline: what a command may set, and how its words become values."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from bot.policy.configuration.regex import Regex

LONGEST_TEXT = 200
TEXT = "[A-Za-z0-9_][A-Za-z0-9._:/@+-]{0,199}"
INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?", re.ASCII)

Scalar = Annotated[object, WithJsonSchema({"type": ["string", "number", "boolean"]})]
Type = Literal["string", "integer", "number", "boolean"]


class Input(BaseModel):
    """One KEY that `/test NAME KEY=VALUE` may set."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Type = Field(default="string", description="What kind of value it takes.")
    choices: Annotated[list[Scalar], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The only values that it takes."
    )
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="A regular expression that the whole text must match; no look-around, no references.",
    )
    default: Scalar | None = Field(default=None, description="The value where a command gives none.")
    description: Annotated[str, StringConstraints(max_length=500)] = Field(
        default="", description="What it is for, shown by /help."
    )

    @field_validator("choices")
    @classmethod
    def _choices_fit(cls, choices: list[object] | None, info: ValidationInfo) -> list[object] | None:
        kind = info.data.get("type")
        if choices is None or kind is None:
            return choices
        if kind == "boolean":
            raise ValueError("a boolean is true or false: leave the choices out")
        for choice in choices:
            _check_type(choice, kind)
            if isinstance(choice, str) and not _sayable(choice):
                raise ValueError(f"{choice!r} can't be said in a command: no blanks, at most 200 characters")
        return choices

    @field_validator("pattern")
    @classmethod
    def _pattern_fits(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is None:
            return None
        if info.data.get("type", "string") != "string":
            raise ValueError("only an input of type string has a pattern")
        Regex.parse(pattern)
        return pattern

    @field_validator("default")
    @classmethod
    def _default_fits(cls, default: object, info: ValidationInfo) -> object:
        kind = info.data.get("type")
        if default is None or kind is None or "choices" not in info.data or "pattern" not in info.data:
            return default
        _check_type(default, kind)
        _check_value(default, info.data["choices"], info.data["pattern"])
        return default

    def read(self, text: str) -> object:
        """The value that a command's text means; ValueError says what is allowed."""
        value = _read(text, self.type)
        _check_value(value, self.choices, self.pattern)
        return value


def _read(text: str, kind: Type) -> object:
    match kind:
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "integer" if INTEGER.fullmatch(text):
            return int(text)
        case "number" if INTEGER.fullmatch(text):
            return int(text)
        case "number" if NUMBER.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        case "string":
            return text
    raise ValueError(f"must be {WORDS[kind]}")


WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def _check_type(value: object, kind: Type) -> None:
    fits = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }[kind]
    if not fits:
        hint = ": put it in quotes" if kind == "string" else ""
        raise ValueError(f"{value!r} must be {WORDS[kind]}, as the input's type says{hint}")


def _check_value(value: object, choices: list[object] | None, pattern: str | None) -> None:
    if choices is not None and value not in choices:
        raise ValueError(f"must be one of {', '.join(str(choice) for choice in choices)}")
    if isinstance(value, str) and (pattern is not None or choices is None):
        pattern = pattern or TEXT
        if len(value) > LONGEST_TEXT or not Regex.parse(pattern).matches(value):
            raise ValueError(f"must match {pattern}, with at most {LONGEST_TEXT} characters")


def _sayable(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable() and not any(c.isspace() for c in text)
