"""`.github/preflight.yaml`: strict, and every error says where and what instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.payloads import issue_comment, pull_request
from tests.acceptance.simulator import Outcome, bot, facts_about, happened, simulate

if TYPE_CHECKING:
    from pathlib import Path

FULL = """\
trust: [acme, acme/ci, "renovate[bot]"]
approve: pull_request
notify: ["@acme/maintainers", alice]
max_concurrency: 4
report:
  comment: failures
pipelines:
  unit:
    dag: checks
    on: [pull_request, merge_group, push]
    branches: [main, "release/*"]
    branches_ignore: ["release/old"]
    paths: ["src/**", "!src/**/*.md"]
    params:
      steps: {test: pytest -q}
    timeout: 30m
    max_concurrency: 2
    supersede: false
  e2e:
    dag: e2e
    paths_ignore: ["docs/**"]
    drafts: true
    optional: true
    labels: [e2e]
    needs: [unit]
    inputs:
      zone: {type: string, default: a, choices: [a, b], description: Where to run}
      count: {type: integer, default: 1}
      version: {pattern: "v[0-9]+"}
  deploy:
    dag: deploy
    manual: true
"""

GOOD = {
    "everything": FULL,
    "the least": "pipelines:\n  unit:\n    dag: checks\n",
    "in one line": "pipelines: {unit: {dag: checks}}",
    "with CRLF": "pipelines:\r\n  unit:\r\n    dag: checks\r\n",
    "with a byte order mark": "\ufeffpipelines:\n  unit:\n    dag: checks\n",
    "with comments": "# ours\npipelines: # these\n  unit: {dag: checks} # this\n",
    "no comment, in YAML's word for false": "pipelines: {unit: {dag: checks}}\nreport: {comment: off}\n",
    "names with dashes and digits": "pipelines: {unit-3.11_b: {dag: checks}}",
}

PIPELINE = "pipelines:\n  unit:\n    dag: checks\n"

BAD: dict[str, tuple[str, int | None, str]] = {
    "no YAML": ("pipelines: [\n  unit\n", None, ""),
    "no YAML: a tab": ("pipelines:\n\tunit: {}\n", 2, ""),
    "a list": ("- unit\n", 1, ""),
    "a word": ("unit\n", 1, ""),
    "two documents": (f"{PIPELINE}---\n{PIPELINE}", None, ""),
    "no pipelines": ("trust: [acme]\n", None, "pipelines"),
    "pipelines as a list": ("pipelines:\n  - dag: checks\n", None, "pipelines"),
    "a pipeline as a word": ("pipelines:\n  unit: checks\n", 2, "unit"),
    "a pipeline of nothing": ("pipelines:\n  unit:\n", 2, "unit"),
    "an unknown key above": (f"{PIPELINE}pipelins: {{}}\n", 4, "pipelines"),
    "an unknown key of a pipeline": (f"{PIPELINE}    parms: {{}}\n", 4, "params"),
    "an unknown key of a report": (f"{PIPELINE}report:\n  coment: off\n", 5, "comment"),
    "an unknown key of an input": (f"{PIPELINE}    inputs:\n      x:\n        choises: [a]\n", 6, "choices"),
    "a key from another tool": (f"{PIPELINE}    runs-on: linux\n", 4, "runs-on"),
    "no dag": ("pipelines:\n  unit:\n    manual: true\n", 2, "dag"),
    "a dag that is a number": ("pipelines:\n  unit:\n    dag: 7\n", 3, "dag"),
    "a dag that is empty": ('pipelines:\n  unit:\n    dag: ""\n', 3, "dag"),
    "a wrong type: manual": (f"{PIPELINE}    manual: maybe\n", 4, "manual"),
    "a wrong type: a word for true": (f'{PIPELINE}    manual: "true"\n', 4, "manual"),
    "a wrong type: paths": (f"{PIPELINE}    paths: docs\n", 4, "paths"),
    "a wrong type: a path": (f"{PIPELINE}    paths: [1]\n", 4, "paths"),
    "a wrong type: labels": (f"{PIPELINE}    labels: {{e2e: true}}\n", 4, "labels"),
    "a wrong type: params": (f"{PIPELINE}    params: [a]\n", 4, "params"),
    "a wrong type: max_concurrency": (f"{PIPELINE}    max_concurrency: many\n", 4, "max_concurrency"),
    "a wrong type: a boolean for a number": (f"{PIPELINE}    max_concurrency: true\n", 4, "max_concurrency"),
    "max_concurrency 0": (f"{PIPELINE}    max_concurrency: 0\n", 4, "max_concurrency"),
    "max_concurrency below 0": (f"max_concurrency: -1\n{PIPELINE}", 1, "max_concurrency"),
    "a wrong type: timeout": (f"{PIPELINE}    timeout: soon\n", 4, "timeout"),
    "a timeout of nothing": (f"{PIPELINE}    timeout: 0m\n", 4, "timeout"),
    "a timeout below nothing": (f"{PIPELINE}    timeout: -5m\n", 4, "timeout"),
    "a wrong type: trust": (f"trust: acme\n{PIPELINE}", 1, "trust"),
    "a wrong word: approve": (f"approve: heads\n{PIPELINE}", 1, "head"),
    "a wrong word: report": (f"{PIPELINE}report: {{comment: never}}\n", 4, "off"),
    "a wrong word: on": (f"{PIPELINE}    on: [pull_requests]\n", 4, "pull_request"),
    "on nothing": (f"{PIPELINE}    on: []\n", 4, "on"),
    "two pipelines of a name": (f"{PIPELINE}  unit:\n    dag: other\n", 4, "unit"),
    "two keys of a name": (f"{PIPELINE}    dag: other\n", 4, "dag"),
    "a name with a space": ('pipelines:\n  "unit test":\n    dag: checks\n', 2, "unit test"),
    "a name with a quote": ("pipelines:\n  \"unit'\":\n    dag: checks\n", 2, ""),
    "a name with a newline": ('pipelines:\n  "a\\nb":\n    dag: checks\n', 2, ""),
    "a name with a slash": ("pipelines:\n  a/b:\n    dag: checks\n", 2, "a/b"),
    "a name with an equals sign": ("pipelines:\n  a=b:\n    dag: checks\n", 2, "a=b"),
    "a name with a parenthesis": ('pipelines:\n  "unit(x=1)":\n    dag: checks\n', 2, "unit(x=1)"),
    "a look-alike name": ("pipelines:\n  un\u0456t:\n    dag: checks\n", 2, ""),
    "an empty name": ('pipelines:\n  "":\n    dag: checks\n', 2, ""),
    "a name like an option": ("pipelines:\n  --dryrun:\n    dag: checks\n", 2, "--dryrun"),
    "a name that is all": ("pipelines:\n  all:\n    dag: checks\n", 2, "all"),
    "a name that is ?": ('pipelines:\n  "?":\n    dag: checks\n', 2, ""),
    "a name that is config": ("pipelines:\n  config:\n    dag: checks\n", 2, "config"),
    "a name that is a number": ("pipelines:\n  ? [1, 2]\n  : {dag: checks}\n", 2, ""),
    "a name that is far too long": (f"pipelines:\n  {'x' * 300}:\n    dag: checks\n", 2, ""),
    "a pattern that climbs out": (f'{PIPELINE}    paths: ["../src/**"]\n', 4, "../src/**"),
    "a pattern that climbs out later": (f'{PIPELINE}    paths_ignore: ["src/../../x"]\n', 4, "src/../../x"),
    "a pattern that is empty": (f'{PIPELINE}    paths: [""]\n', 4, "paths"),
    "a pattern that is a comment": (f'{PIPELINE}    paths: ["# docs"]\n', 4, "# docs"),
    "a pattern that begins with ./": (f'{PIPELINE}    paths: ["./src/**"]\n', 4, "./src/**"),
    "patterns that only take away": (f'{PIPELINE}    paths: ["!docs/**"]\n', 4, "!docs/**"),
    "no pattern at all": (f"{PIPELINE}    paths: []\n", 4, "paths"),
    "a branch pattern with refs/heads": (f"{PIPELINE}    branches: [refs/heads/x]\n", 4, "refs/heads/x"),
    "a branch pattern that is empty": (f'{PIPELINE}    branches: [""]\n', 4, "branches"),
    "needs an unknown pipeline": (f"{PIPELINE}    needs: [unti]\n", 4, "unti"),
    "needs itself": (f"{PIPELINE}    needs: [unit]\n", 4, "unit"),
    "needs in a circle": ("pipelines: {a: {dag: x, needs: [b]}, b: {dag: x, needs: [a]}}\n", 1, "needs"),
    "an input's unknown type": (f"{PIPELINE}    inputs: {{x: {{type: str}}}}\n", 4, "string"),
    "an input's default of another type": (
        f"{PIPELINE}    inputs: {{x: {{type: integer, default: a}}}}\n", 4, "default",
    ),
    "an input's default that is no choice": (
        f"{PIPELINE}    inputs: {{x: {{default: c, choices: [a, b]}}}}\n", 4, "default",
    ),
    "an input's default that its pattern refuses": (
        f'{PIPELINE}    inputs: {{x: {{default: "1", pattern: "[a-z]+"}}}}\n', 4, "default",
    ),
    "an input's pattern that is none": (f'{PIPELINE}    inputs: {{x: {{pattern: "["}}}}\n', 4, "pattern"),
    "an input's choices that are none": (f"{PIPELINE}    inputs: {{x: {{choices: []}}}}\n", 4, "choices"),
    "an input's name with a space": (f'{PIPELINE}    inputs: {{"a b": {{}}}}\n', 4, "a b"),
    "an input's name with an equals sign": (f'{PIPELINE}    inputs: {{"a=b": {{}}}}\n', 4, "a=b"),
    "not a number": (f"{PIPELINE}    params: {{a: .nan}}\n", 4, ""),
    "a Python object": (f"{PIPELINE}    params: !!python/object/apply:os.system [id]\n", 4, ""),
    "a trusted login that is none": (f'{PIPELINE}trust: ["a b"]\n', 4, "a b"),
}  # fmt: skip


def validate(folder: Path, text: str) -> tuple[int, str]:
    """The exit code and all that was said of a file."""
    path = folder / "preflight.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    printed = bot("validate", str(path))
    assert "Traceback" not in printed.all
    return printed.code, printed.all


class TestValidate:
    @pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
    def test_accepts(self, tmp_path: Path, text: str) -> None:
        code, said = validate(tmp_path, text)

        assert code == 0, said

    @pytest.mark.parametrize(("text", "line", "word"), BAD.values(), ids=BAD)
    def test_refuses_with_line_and_reason(
        self, tmp_path: Path, text: str, line: int | None, word: str
    ) -> None:
        code, said = validate(tmp_path, text)

        assert code == 1
        assert word in said
        lines = [int(number) for number in re.findall(r"(?:line |:)(\d+)\b", said)]
        assert lines, f"a line is named: {said}"
        assert line is None or line in lines, said

    def test_tells_all_problems_at_once(self, tmp_path: Path) -> None:
        code, said = validate(
            tmp_path, "pipelines:\n  unit: {dag: checks, parms: {}}\n  lint: {dog: checks}\n"
        )

        assert code == 1
        assert "parms" in said
        assert "dog" in said

    @pytest.mark.parametrize(
        ("said", "meant"), [("manaul", "manual"), ("path", "paths"), ("brances", "branches"), ("Dag", "dag")]
    )
    def test_suggests(self, tmp_path: Path, said: str, meant: str) -> None:
        _, text = validate(tmp_path, f"{PIPELINE}    {said}: x\n")

        assert re.search(rf"did you mean ['`\"]?{meant}", text)

    def test_names_the_file(self, tmp_path: Path) -> None:
        assert "preflight.yaml" in validate(tmp_path, "pipelines: 1\n")[1]

    @pytest.mark.parametrize("name", ["nothing.yaml", "."])
    def test_of_what_can_not_be_read_says_so(self, tmp_path: Path, name: str) -> None:
        printed = bot("validate", str(tmp_path / name))

        assert printed.code != 0
        assert "Traceback" not in printed.all
        assert printed.all.strip()

    def test_of_no_text_says_so(self, tmp_path: Path) -> None:
        path = tmp_path / "preflight.yaml"
        path.write_bytes(b"pipelines: \xff\xfe\x00")

        printed = bot("validate", str(path))

        assert printed.code == 1
        assert "Traceback" not in printed.all


def config_status(outcome: Outcome) -> tuple[str, str]:
    """What preflight/config shows."""
    found = [
        one
        for one in outcome.of("status")
        if one.get("context") == "preflight/config" or one["pipeline"] == "config"
    ]
    assert len(found) == 1, outcome.actions
    return found[0]["state"], found[0]["description"]


class TestABrokenConfiguration:
    BROKEN = "pipelines:\n  unit:\n    dag: checks\n    parms: {}\n"

    @pytest.mark.parametrize("action", ["opened", "synchronize", "reopened"])
    def test_stops_the_runs_and_says_so(self, action: str) -> None:
        outcome = happened(pull_request(action), configuration=self.BROKEN)

        assert outcome.code == 0
        assert outcome.decision == "error"
        assert not outcome.of("trigger")
        assert config_status(outcome)[0] in {"failure", "error"}
        assert "preflight.yaml" in outcome.texts
        assert "4" in outcome.texts
        assert "params" in outcome.texts

    def test_is_told_to_whoever_gives_a_command(self) -> None:
        outcome = simulate("issue_comment", issue_comment("/test unit"), self.BROKEN, facts_about())

        assert outcome.decision == "error"
        assert not outcome.of("trigger")
        assert outcome.reacted
        assert outcome.texts

    def test_keeps_no_comment_from_being_ignored(self) -> None:
        assert simulate("issue_comment", issue_comment("LGTM"), self.BROKEN, facts_about()).nothing

    @pytest.mark.parametrize("kind", BAD)
    def test_of_any_kind_runs_nothing(self, kind: str) -> None:
        outcome = happened(pull_request("opened"), configuration=BAD[kind][0])

        assert outcome.decision == "error"
        assert not outcome.of("trigger")
        assert config_status(outcome)[0] in {"failure", "error"}

    def test_that_was_mended_turns_green_again(self) -> None:
        outcome = happened(pull_request("synchronize"), statuses={"config": "failure"})

        assert outcome.runs == {"unit", "lint"}
        assert config_status(outcome)[0] == "success"

    def test_that_never_was_is_not_called_mended(self) -> None:
        assert "config" not in happened(pull_request("synchronize")).statuses


DAGS: dict[str, dict[str, Any]] = {
    "checks": {"steps": {"type": "object"}, "workers": {"type": "integer", "minimum": 1}},
    "deploy": {},
}


class TestTheDagsThatAreKnown:
    def test_are_enough(self) -> None:
        configuration = (
            "pipelines: {unit: {dag: checks, params: {steps: {a: b}, workers: 2}}, d: {dag: deploy}}\n"
        )

        assert happened(pull_request("opened"), configuration=configuration, dags=DAGS).runs == {"unit", "d"}

    @pytest.mark.parametrize(
        ("pipeline", "word"),
        [
            pytest.param("{dag: chekcs}", "chekcs", id="a DAG that is not allowed"),
            pytest.param(
                "{dag: checks, params: {stesp: {}}}", "steps", id="a param that the DAG does not know"
            ),
            pytest.param("{dag: deploy, params: {x: 1}}", "x", id="a param of a DAG without"),
            pytest.param("{dag: checks, params: {workers: many}}", "workers", id="a param of a wrong type"),
        ],
    )
    def test_refuse_everything_else(self, pipeline: str, word: str) -> None:
        configuration = f"pipelines:\n  fine: {{dag: checks}}\n  unit: {pipeline}\n"
        outcome = happened(pull_request("opened"), configuration=configuration, dags=DAGS)

        assert outcome.decision == "error"
        assert not outcome.of("trigger")
        assert word in outcome.texts
        assert "3" in outcome.texts
        assert config_status(outcome)[0] in {"failure", "error"}

    def test_are_all_allowed_where_none_are_given(self) -> None:
        configuration = "pipelines: {unit: {dag: whatever, params: {anything: 1}}}\n"

        assert happened(pull_request("opened"), configuration=configuration).runs == {"unit"}

    def test_know_an_input_s_param(self) -> None:
        configuration = "pipelines: {unit: {dag: checks, inputs: {workers: {type: integer}}}}\n"
        outcome = happened(pull_request("opened"), configuration=configuration, dags=DAGS)

        assert outcome.runs == {"unit"}

    def test_refuse_an_input_that_is_no_param(self) -> None:
        configuration = "pipelines: {unit: {dag: checks, inputs: {wokers: {type: integer}}}}\n"
        outcome = happened(pull_request("opened"), configuration=configuration, dags=DAGS)

        assert outcome.decision == "error"


class TestNoConfiguration:
    @pytest.mark.parametrize(
        ("event", "payload"),
        [("pull_request", pull_request("opened")), ("issue_comment", issue_comment("/test unit"))],
    )
    def test_leaves_the_bot_silent(self, event: str, payload: dict[str, object]) -> None:
        assert simulate(event, payload, None, facts_about()).nothing


def test_the_full_configuration_decides() -> None:
    outcome = happened(
        pull_request("opened"),
        configuration=FULL,
        members={"acme": [], "acme/ci": []},
        changed_files=["src/a.py"],
    )

    assert outcome.runs == {"unit"}
