"""Specs filled in: values never become structure."""

import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from steps.errors import StepFailed
from steps.test_runner.template import fill

VALUES = {"image": "registry.example/app@sha256:abc", "n": "3", "gpu": "true", "tag": "1.10", "name": "e2e-1"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: ${image}", {"a": VALUES["image"]}, id="a whole value"),
        pytest.param("a: x-${name}-y", {"a": "x-e2e-1-y"}, id="a part of one"),
        pytest.param(
            'a: ["--image=${image}", "${n}"]', {"a": [f"--image={VALUES['image']}", "3"]}, id="a list"
        ),
        pytest.param("a: ${n}", {"a": 3}, id="a number, unquoted"),
        pytest.param("a: '${n}'", {"a": "3"}, id="a number, quoted"),
        pytest.param("a: ${gpu}", {"a": True}, id="a truth value"),
        pytest.param("a: ${tag}", {"a": "1.10"}, id="what looks like a fraction stays text"),
        pytest.param("a: |\n  echo ${name}\n  exit\n", {"a": "echo e2e-1\nexit\n"}, id="a block"),
        pytest.param("${name}: 1", {"e2e-1": 1}, id="a key"),
        pytest.param("a: $${name} $${x}", {"a": "${name} ${x}"}, id="kept"),
        pytest.param(
            "a: $name $$ $(name) ${1} $$(x)", {"a": "$name $$ $(name) ${1} $$(x)"}, id="none of ours"
        ),
        pytest.param("a: 2001-01-01", {"a": "2001-01-01"}, id="dates are texts"),
        pytest.param("a: &x {b: '${n}'}\nc: *x", {"a": {"b": "3"}, "c": {"b": "3"}}, id="an alias"),
        pytest.param(
            "a: {b: 0644, c: null, d: 1.5, e: yes}", {"a": {"b": 420, "c": None, "d": 1.5, "e": True}}
        ),
    ],
)
def test_a_spec_is_filled_in(text: str, value: dict[str, Any]) -> None:
    assert fill(text, VALUES) == value


@pytest.mark.parametrize("key", ["<<", "!!merge x"])
def test_merge_keys_are_refused_before_they_grow(key: str) -> None:
    text = f"x0: &x0 {{a: {'b' * 100}}}\n"
    for number in range(1, 30):  # nine times as much each: more than all memory
        merged = ", ".join([f"*x{number - 1}"] * 9)
        text += f"x{number}: &x{number} {{{key}: [{merged}]}}\n"
    with pytest.raises(StepFailed, match="has the key <<"):
        fill(text, VALUES)


HOSTILE = [
    "x\nkind: ClusterRole",
    "{a: b}",
    "[1, 2]",
    "x # comment",
    "'",
    '"',
    "- x",
    "*x",
    "&x",
    "!!python/object:os.system",
    "${image}",
    "a: b",
    "null",
    "1e3",
    "0o17",
    "~",
    "\\n",
    "{{ x }}",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", ["a: ${v}", "a: '${v}'", 'a: "${v}"', "a: |-\n  ${v}"])
def test_a_value_stays_a_text_whatever_is_in_it(place: str, value: str) -> None:
    assert fill(place, {"v": value}) == {"a": value}


@given(value=st.text(), before=st.sampled_from(["", "x", "--o="]))
def test_any_value_stays_a_text(value: str, before: str) -> None:
    filled = fill(f"a: '{before}${{v}}'\nb: 1", {"v": value})
    assert filled == {"a": before + value, "b": 1}
    assert json.loads(json.dumps(filled)) == filled


@given(st.text(max_size=200))
def test_any_text_is_an_object_or_refused(text: str) -> None:
    with contextlib.suppress(StepFailed):
        assert isinstance(fill(text, {}), dict)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "a: ${HOME}", r"uses \${HOME}, which is not declared: give --set=HOME=VALUE", id="undeclared"
        ),
        pytest.param("a: b: c", "no YAML of one document: mapping values are not allowed", id="no YAML"),
        pytest.param(
            "a: 1\n---\nb: 1", "no YAML of one document: expected a single document", id="two documents"
        ),
        pytest.param("", "no Kubernetes object", id="empty"),
        pytest.param("- a", "no Kubernetes object", id="a list"),
        pytest.param(
            "a: !!python/object/apply:os.system [id]", "could not determine a constructor", id="objects"
        ),
        pytest.param("a: !!binary aGk=", "holds b'hi', which Kubernetes can't have", id="bytes"),
        pytest.param("a: !!set {x}", "which Kubernetes can't have", id="a set"),
        pytest.param("a: .inf", "holds inf", id="infinity"),
        pytest.param("a: !!int 'x'", "can't be read", id="a false number"),
        pytest.param("? [a]\n: b", "found unhashable key", id="a list as a key"),
        pytest.param("1: b", "the key 1, which is no text", id="a number as a key"),
        pytest.param("a: &x [*x]", "nested too deep", id="in itself"),
        pytest.param("a: " + "[" * 100 + "]" * 100, "nested too deep", id="deep"),
        pytest.param("a: " + "[" * 100_000, "can't be read|no YAML", id="very deep"),
    ],
)
def test_what_is_no_spec_is_refused(text: str, words: str) -> None:
    with pytest.raises(StepFailed, match=words):
        fill(text, VALUES)


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(StepFailed, match="more than 100000 parts"):
        fill("\n".join(lines), {})


def test_values_that_are_not_used_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    fill("a: ${image}", {"image": "x", "imgae": "y", "name": "z"})
    assert capsys.readouterr().out == "# The spec does not use ${imgae}.\n"


def test_what_yaml_says_without_placeholders_is_what_it_is() -> None:
    text = "a: {b: [1, 'x', null, true]}\nc: >\n  folded\n  text\nd: '1'\n"
    assert fill(text, {}) == yaml.safe_load(text)
