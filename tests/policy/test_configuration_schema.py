"""The JSON Schema for editors: it says what `parse` says, as far as a schema can."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.policy.configuration import Configuration, Input, Pipeline, Report, json_schema, validate
from bot.policy.configuration.complaints import keys
from bot.policy.configuration.models import Matcher
from bot.policy.operator_file import DefaultsTable, OperatorFile, ServeTable

if TYPE_CHECKING:
    from pydantic import BaseModel

REFERENCE = (Path(__file__).parents[2] / "deploy" / "CONFIGURATION.md").read_text()
FINE = {
    "least": "{dag: checks}",
    "on-one": "{dag: checks, 'on': push}",
    "on-some": "{dag: checks, 'on': [push, merge_group]}",
    "branches": "{dag: checks, branches: [main, release/**], branches_ignore: ['x/*']}",
    "paths": "{dag: checks, paths: ['src/**', '*.py'], paths_ignore: [docs/]}",
    "bools": "{dag: checks, manual: true, optional: true, drafts: true, supersede: false}",
    "labels": "{dag: checks, labels: [e2e, 'needs tests']}",
    "params": "{dag: checks, params: {steps: {a: b}, x: [1, null, 2.5, {y: true}]}}",
    "inputs": "{dag: checks, inputs: {a: {}, b: {type: integer, choices: [1, 2], default: 1}}}",
    "patterns": "{dag: checks, inputs: {a: {pattern: 'v[0-9]+', default: v1, description: x}}}",
    "seconds": "{dag: checks, timeout: 90}",
    "timeout": "{dag: checks, timeout: 1h30m}",
    "concurrency": "{dag: checks, max_concurrency: 3}",
    "nothing": "{dag: checks, timeout: null, max_concurrency: null, paths: null}",
}
WRONG = {
    "no-dag": "{}",
    "dag": "{dag: a b}",
    "unknown": "{dag: checks, timeouts: 3}",
    "on": "{dag: checks, 'on': [pushh]}",
    "on-empty": "{dag: checks, 'on': []}",
    "paths-text": "{dag: checks, paths: src}",
    "paths-empty": "{dag: checks, paths: []}",
    "timeout": "{dag: checks, timeout: 3x}",
    "timeout-zero": "{dag: checks, timeout: 0}",
    "concurrency": "{dag: checks, max_concurrency: 0}",
    "manual": "{dag: checks, manual: 1}",
    "input": "{dag: checks, inputs: {a: {typ: string}}}",
    "type": "{dag: checks, inputs: {a: {type: text}}}",
}


def accepts(text: str) -> bool:
    """Whether an editor would be content with the file."""
    return Draft202012Validator(json_schema()).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("pipeline", FINE.values(), ids=FINE)
def test_it_accepts_what_parse_accepts(pipeline: str) -> None:
    text = f"pipelines: {{unit: {pipeline}}}"
    assert validate(text.encode()) == []
    assert accepts(text)


@pytest.mark.parametrize("pipeline", WRONG.values(), ids=WRONG)
def test_it_refuses_what_it_can(pipeline: str) -> None:
    text = f"pipelines: {{unit: {pipeline}}}"
    assert validate(text.encode()) != []
    assert not accepts(text)


def test_it_covers_the_whole_file() -> None:
    text = """
        pipelines: {a: {dag: x}, b: {dag: x, needs: [a]}}
        trust: [acme, acme/ci, "renovate[bot]"]
        approve: pull_request
        notify: ["@acme/maintainers", alice, codeowners]
        max_concurrency: 5
        report: {comment: failures}
    """
    assert validate(text.encode()) == []
    assert accepts(text)
    assert not accepts(text.replace("failures", "never"))
    assert not accepts("pipeline: {}")


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("model", [Configuration, Pipeline, Input, Report, Matcher])
def test_it_describes_every_key(model: type[BaseModel]) -> None:
    assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize(
    "key",
    [
        f"{model.__name__}.{key}"
        for model in (
            Configuration,
            Pipeline,
            Input,
            Report,
            Matcher,
            OperatorFile,
            ServeTable,
            DefaultsTable,
        )
        for key in keys(model)
    ],
)
def test_every_key_is_in_the_reference(key: str) -> None:
    assert f"| `{key.partition('.')[2]}` |" in REFERENCE


def examples(language: str) -> list[str]:
    """The reference's examples in that language."""
    return [block.partition("```")[0] for block in REFERENCE.split(f"```{language}\n")[1:]]


@pytest.mark.parametrize("example", examples("yaml"))
def test_the_references_examples_are_fine(example: str) -> None:
    assert validate(example.encode()) == []
    assert accepts(example.replace("\n    on:", "\n    'on':"))  # PyYAML's own loader takes on for true
