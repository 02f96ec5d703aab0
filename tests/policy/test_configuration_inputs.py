"""Inputs: what a pipeline may declare, and how a command's words become values."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.configuration import Input
from tests.policy.test_configuration_keys import pipeline, wrong


def declared(**keys: object) -> Input:
    """An input that a file declares with these keys."""
    return pipeline(inputs={"x": keys}).inputs["x"]


def refused(**keys: object) -> str:
    """What is wrong with such an input."""
    return wrong(inputs={"x": keys})


class TestReading:
    @pytest.mark.parametrize(
        ("keys", "text", "value"),
        [
            ({}, "v1.2", "v1.2"),
            ({}, "feature/x", "feature/x"),
            ({}, "a:b@c+d-e_f", "a:b@c+d-e_f"),
            ({}, "x" * 200, "x" * 200),
            ({}, "true", "true"),
            ({"pattern": "[a-z]*"}, "", ""),
            ({"pattern": "v\\d+"}, "v12", "v12"),
            ({"choices": ["a/b", "c"]}, "c", "c"),
            ({"type": "integer"}, "12", 12),
            ({"type": "integer"}, "-3", -3),
            ({"type": "integer", "choices": [1, 2]}, "2", 2),
            ({"type": "number"}, "1.5", 1.5),
            ({"type": "number"}, "2", 2),
            ({"type": "number"}, "1e3", 1000.0),
            ({"type": "boolean"}, "true", True),
            ({"type": "boolean"}, "false", False),
        ],
    )
    def test_values(self, keys: dict[str, object], text: str, value: object) -> None:
        read = declared(**keys).read(text)
        assert (read, type(read)) == (value, type(value))

    @pytest.mark.parametrize(
        ("keys", "text", "says"),
        [
            ({}, "", "must match [A-Za-z0-9_]"),
            ({}, "-rf", "must match"),
            ({}, "a b", "must match"),
            ({}, "$(id)", "must match"),
            ({}, "a\n", "must match"),
            ({}, "a;b", "must match"),
            ({}, "\u0430cme", "must match"),
            ({}, "x" * 201, "at most 200"),
            ({"pattern": "v\\d+"}, "v", "must match v\\d+"),
            ({"pattern": "v\\d+"}, "v1\n", "must match"),
            ({"pattern": "v[0-9]+"}, "v\u0661", "must match"),
            ({"pattern": "a*"}, "a" * 201, "at most 200"),
            ({"choices": ["a", "b"]}, "c", "must be one of a, b"),
            ({"choices": ["a", "b1"], "pattern": "[a-z]\\d?"}, "c", "must be one of"),
            ({"type": "integer"}, "1.0", "a whole number"),
            ({"type": "integer"}, "1_000", "a whole number"),
            ({"type": "integer"}, "\u0661", "a whole number"),
            ({"type": "integer"}, "9" * 5000, "a whole number"),
            ({"type": "integer", "choices": [1, 2]}, "3", "must be one of 1, 2"),
            ({"type": "number"}, "nan", "a number"),
            ({"type": "number"}, "inf", "a number"),
            ({"type": "number"}, "1e999", "a number"),
            ({"type": "boolean"}, "yes", "true or false"),
            ({"type": "boolean"}, "True", "true or false"),
        ],
    )
    def test_refusals_say_what_is_allowed(self, keys: dict[str, object], text: str, says: str) -> None:
        with pytest.raises(ValueError, match="must") as caught:
            declared(**keys).read(text)
        assert says in str(caught.value)


class TestDeclaring:
    def test_nothing_need_be_said(self) -> None:
        assert declared() == Input(type="string", choices=None, pattern=None, default=None, description="")

    @pytest.mark.parametrize(
        "keys",
        [
            {"default": "main"},
            {"default": "b", "choices": ["a", "b"]},
            {"default": "v1", "pattern": "v[0-9]"},
            {"default": 3, "type": "integer"},
            {"default": 3, "type": "number"},
            {"default": 0.5, "type": "number", "choices": [0.5, 1]},
            {"default": False, "type": "boolean"},
            {"description": "Which release to test."},
        ],
    )
    def test_fine_ones(self, keys: dict[str, object]) -> None:
        declared(**keys)

    @pytest.mark.parametrize(
        ("keys", "says"),
        [
            ({"default": 3}, "must be text"),
            ({"default": "a b"}, "must match"),
            ({"default": ""}, "must match"),
            ({"default": "c", "choices": ["a", "b"]}, "must be one of a, b"),
            ({"default": "x", "pattern": "v[0-9]"}, "must match v[0-9]"),
            ({"default": "3", "type": "integer"}, "whole number"),
            ({"default": True, "type": "integer"}, "whole number"),
            ({"default": 1, "type": "boolean"}, "true or false"),
            ({"default": ["a"]}, "must be text"),
            ({"choices": []}, "is empty"),
            ({"choices": [1]}, "put it in quotes"),
            ({"choices": ["a b"]}, "can't be said in a command"),
            ({"choices": [""]}, "can't be said in a command"),
            ({"choices": ["1"], "type": "integer"}, "whole number"),
            ({"choices": [True], "type": "boolean"}, "leave the choices out"),
            ({"choices": "a"}, "list"),
            ({"type": "text"}, "boolean, integer, number, string"),
            ({"type": "strings"}, "did you mean 'string'"),
            ({"pattern": "a", "type": "integer"}, "only an input of type string"),
            ({"pattern": ""}, "is empty"),
            ({"pattern": "("}, "missing )"),
            ({"pattern": "a" * 201}, "200"),
            ({"defaults": "a"}, "did you mean 'default'"),
            ({"description": "x" * 501}, "500"),
        ],
    )
    def test_wrong_ones(self, keys: dict[str, object], says: str) -> None:
        assert says in refused(**keys)

    def test_the_line_is_that_of_the_default(self) -> None:
        assert "inputs.x.default" in refused(default=3)

    def test_a_default_and_a_param_are_one_too_many(self) -> None:
        assert "keep that or the default" in wrong(params={"x": "a"}, inputs={"x": {"default": "b"}})
        pipeline(params={"x": "a"}, inputs={"x": {}})


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*a){20}b", "(a*)*b", "((a?){200})*b"]
)
def test_no_pattern_takes_long(pattern: str) -> None:
    one = declared(pattern=pattern)
    began = time.process_time()
    with pytest.raises(ValueError, match="must match"):
        one.read("a" * 200)
    assert time.process_time() - began < 20, "seconds of processor time"


@given(st.text(max_size=250), st.sampled_from(["string", "integer", "number", "boolean"]))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    try:
        value = declared(type=kind).read(text)
    except ValueError as error:
        said = str(error)
    else:
        types = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}
        assert type(value) in types[kind]
        return
    assert said.startswith("must ")
