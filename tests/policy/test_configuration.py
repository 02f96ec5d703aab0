"""`.github/preflight.yaml`: strictly read, each error with its line and what to write instead."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.configuration import ConfigurationError, parse

EXAMPLE = b"""\
pipelines:
  unit:
    dag: checks            # any DAG the operator allows
    paths: ["src/**"]      # optional
    params:
      steps:
        lint: ruff check .
        test: pytest -q --junitxml=$ARTIFACTS/junit.xml
"""


def problems(content: str | bytes) -> list[tuple[int, str]]:
    """Each problem's line and text; fails if the file is fine."""
    with pytest.raises(ConfigurationError) as caught:
        parse(content if isinstance(content, bytes) else content.encode())
    found = [(problem.line, problem.text) for problem in caught.value.problems]
    assert found
    assert all(text and line >= 1 for line, text in found)
    for problem in caught.value.problems:
        assert str(problem).startswith(f".github/preflight.yaml:{problem.line}: ")
        assert "\n" not in str(problem).rstrip("\n")
        assert "errors.pydantic.dev" not in str(problem)
    return found


class TestFine:
    def test_the_issues_example(self) -> None:
        unit = parse(EXAMPLE).pipelines["unit"]
        assert unit.dag == "checks"
        assert unit.paths == ["src/**"]
        assert unit.params == {
            "steps": {"lint": "ruff check .", "test": "pytest -q --junitxml=$ARTIFACTS/junit.xml"}
        }

    def test_only_the_dag_is_needed(self) -> None:
        unit = parse(b"pipelines: {unit: {dag: checks}}").pipelines["unit"]
        assert (unit.paths, unit.params) == (None, {})

    def test_the_order_of_the_file_is_kept(self) -> None:
        assert list(parse(b"pipelines: {zoo: {dag: x}, ape: {dag: x}, bee: {dag: x}}").pipelines) == [
            "zoo",
            "ape",
            "bee",
        ]

    @pytest.mark.parametrize(
        ("yaml", "value"),
        [
            ("{on: 1, 2: x, null: y}", {"on": 1, "2": "x", "null": "y"}),
            ("3", 3),
            ("1.5", 1.5),
            ("true", True),
            ("null", None),
            ("'3'", "3"),
            ("[1, {a: b}]", [1, {"a": "b"}]),
            ("2026-03-04", "2026-03-04"),
            ("'{{ var.value.x }}'", "{{ var.value.x }}"),
            ("$(id)", "$(id)"),
            ("ä", "ä"),
        ],
    )
    def test_params_are_what_json_can_hold(self, yaml: str, value: object) -> None:
        configuration = parse(f"pipelines: {{unit: {{dag: checks, params: {{x: {yaml}}}}}}}".encode())
        assert configuration.pipelines["unit"].params == {"x": value}

    @pytest.mark.parametrize("name", ["a", "1", "on", "no", "A1", "unit-tests", "e2e_k8s", "v1.2", "x" * 63])
    def test_names(self, name: str) -> None:
        assert list(parse(f"pipelines: {{{name}: {{dag: checks}}}}".encode()).pipelines) == [name]

    def test_a_byte_order_mark_and_crlf(self) -> None:
        assert parse(b"\xef\xbb\xbf" + EXAMPLE.replace(b"\n", b"\r\n")) == parse(EXAMPLE)


class TestProblems:
    @pytest.mark.parametrize(
        ("yaml", "line", "says"),
        [
            pytest.param("", 1, "pipelines", id="empty"),
            pytest.param("# nothing\n", 1, "pipelines", id="only-a-comment"),
            pytest.param("[]", 1, "pipelines", id="list"),
            pytest.param("hello", 1, "pipelines", id="text"),
            pytest.param("{}", 1, "pipelines", id="no-pipelines"),
            pytest.param("pipelines:\n", 1, "pipelines", id="pipelines-empty"),
            pytest.param("pipelines: 3\n", 1, "pipelines", id="pipelines-a-number"),
            pytest.param("pipelines:\n  - unit\n", 1, "pipelines", id="pipelines-a-list"),
            pytest.param(
                "pipelines: {a: {dag: x}}\npipeline: {}\n", 2, "did you mean 'pipelines'", id="misspelt-top"
            ),
            pytest.param(
                "pipelines:\n  unit:\n    dga: checks\n", 3, "did you mean 'dag'", id="misspelt-key"
            ),
            pytest.param("pipelines:\n  unit:\n    dag: x\n    zzz: 3\n", 4, "unknown key", id="unknown-key"),
            pytest.param("pipelines:\n  unit:\n    paths: [a]\n", 2, "dag", id="no-dag"),
            pytest.param("pipelines:\n  unit:\n", 2, "unit", id="pipeline-empty"),
            pytest.param("pipelines:\n  unit:\n    dag: 3\n", 3, "dag", id="dag-a-number"),
            pytest.param("pipelines:\n  unit:\n    dag: ''\n", 3, "dag", id="dag-empty"),
            pytest.param("pipelines:\n  unit:\n    dag: a b\n", 3, "letters", id="dag-with-space"),
            pytest.param("pipelines:\n  unit:\n    dag: ../x\n", 3, "letters", id="dag-a-path"),
            pytest.param("pipelines:\n  a b:\n    dag: x\n", 2, "letters", id="name-with-space"),
            pytest.param("pipelines:\n  -q:\n    dag: x\n", 2, "letters", id="name-an-option"),
            pytest.param(f"pipelines:\n  {'x' * 64}:\n    dag: x\n", 2, "letters", id="name-too-long"),
            pytest.param("pipelines:\n  [a]:\n    dag: x\n", 2, "text", id="name-a-list"),
            pytest.param("pipelines:\n  ? {a: b}\n  : {dag: x}\n", 2, "text", id="name-a-mapping"),
            pytest.param("pipelines:\n  !!int 1:\n    dag: x\n", 2, "text", id="name-with-a-tag"),
            pytest.param("pipelines:\n  config:\n    dag: x\n", 2, "another name", id="name-of-our-own"),
            pytest.param("pipelines:\n  all:\n    dag: x\n", 2, "another name", id="name-a-command-means"),
            pytest.param("pipelines:\n  a:\n    dag: x\n  a:\n    dag: y\n", 4, "twice", id="duplicate-name"),
            pytest.param("pipelines:\n  a:\n    dag: x\n    dag: y\n", 4, "twice", id="duplicate-key"),
            pytest.param("pipelines:\n  a:\n    dag: x\n    paths: src\n", 4, "paths", id="paths-text"),
            pytest.param(
                "pipelines:\n  a:\n    dag: x\n    paths:\n      - a\n      - 3\n",
                6,
                "paths",
                id="path-a-number",
            ),
            pytest.param(
                "pipelines:\n  a:\n    dag: x\n    paths: ['!a']\n", 4, "before it", id="path-negated"
            ),
            pytest.param("pipelines:\n  a:\n    dag: x\n    paths: ['']\n", 4, "paths", id="path-empty"),
            pytest.param("pipelines:\n  a:\n    dag: x\n    paths: ['  ']\n", 4, "paths", id="path-blank"),
            pytest.param("pipelines:\n  a:\n    dag: x\n    params: 3\n", 4, "params", id="params-a-number"),
            pytest.param("pipelines: {a: &x {dag: x}, b: *x}\n", 1, "alias", id="alias"),
            pytest.param("pipelines:\n  a:\n    dag: x\n\tparams: 1\n", 4, "YAML", id="tab"),
            pytest.param("pipelines:\n  a: {dag: x\n", 3, "YAML", id="never-closed"),
            pytest.param(
                "pipelines:\n  a:\n    dag: !!python/object:os.system x\n", 3, "tag", id="python-object"
            ),
            pytest.param("pipelines: {}\n---\npipelines: {}\n", 2, "document", id="two-documents"),
        ],
    )
    def test_say_where_and_what(self, yaml: str, line: int, says: str) -> None:
        found = problems(yaml)
        assert [at for at, text in found if says in text][:1] == [line], found

    @pytest.mark.parametrize(
        "name",
        [
            "preflight", "dryrun", "REPO_OWNER", "REPO_NAME", "PULL_NUMBER", "PULL_PULL_SHA", "PULL_BASE_SHA",
            "PULL_BASE_REF", "PULL_REFS", "JOB_NAME", "JOB_TYPE", "BUILD_ID", "CLONE_URL", "ARTIFACTS_PATH",
        ],
    )  # fmt: skip
    def test_a_pipeline_may_not_redefine_our_names(self, name: str) -> None:
        ((line, text),) = problems(f"pipelines:\n  a:\n    dag: x\n    params:\n      {name}: x\n")
        assert line in {4, 5}
        assert name in text

    def test_several_are_told_at_once(self) -> None:
        found = problems("pipelines:\n  a:\n    dga: x\n  b:\n    dag: [1]\n")
        assert {line for line, _ in found} == {2, 3, 5}

    def test_but_not_hundreds(self) -> None:
        assert len(problems("pipelines:\n" + "".join(f"  p{i}: {{}}\n" for i in range(500)))) <= 10

    def test_not_utf8(self) -> None:
        assert problems(b"pipelines: \xff") == [(1, "the file is not UTF-8")]

    def test_too_large(self) -> None:
        assert "kB" in problems(b"#" * 10_000_000)[0][1]

    def test_what_they_quote_stays_on_one_line(self) -> None:
        problems('pipelines: {"a\\nb\\r\\n": {dag: x}, c: {dag: x, "d\\n@e": 1}}')


class TestBombs:
    """A file that strangers can propose must not cost us much."""

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(
                b"a: &a [x,x,x,x,x,x,x,x,x]\n"
                + b"".join(
                    b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 108)
                ),
                id="billion-laughs",
            ),
            pytest.param(b"[" * 100_000, id="deep-lists"),
            pytest.param(b"{a: " * 50_000, id="deep-maps"),
            pytest.param(b"pipelines: " + b"[" * 30 + b"]" * 30, id="deep-but-closed"),
            pytest.param(b"&a [*a]", id="itself"),
            pytest.param(b"- " * 50_000, id="dashes"),
            pytest.param(b"? " * 10_000, id="questions"),
            pytest.param(b"pipelines: {a: {dag: x, params: {x: " + b"1:" * 500 + b"1.0}}}", id="sexagesimal"),
            pytest.param(b"pipelines: {a: {dag: x, params: {x: " + b"9" * 100_000 + b"}}}", id="digits"),
            pytest.param(
                b"pipelines: {a: {dag: x, params: {x: 0x" + b"f" * 100_000 + b"}}}", id="hexadecimal"
            ),
        ],
    )
    def test_are_refused_soon(self, content: bytes) -> None:
        began = time.process_time()
        problems(content)
        assert time.process_time() - began < 20, "seconds of processor time"

    @pytest.mark.parametrize(
        "value",
        [
            "!!int ''",
            "!!float ''",
            "!!bool maybe",
            "!!timestamp x",
            "!!binary é",
            "!!null x",
            "!!set x",
            "=",
            "<<",
            "!x y",
            "2026-99-99",
            "!!seq x",
            "!!map x",
            "0b",
            "0x",
            "1e",
            ".nan",
            "-.inf",
            "1e999",
            "!!omap x",
            "! x",
            "!!set {a, b}",
            "!x [a]",
            "{<<: a}",
            "{=: a}",
            "{: a}",
        ],
    )
    def test_odd_values_are_refused_or_read_as_json_can_hold_them(self, value: str) -> None:
        read(f"pipelines: {{a: {{dag: x, params: {{x: {value}}}}}}}".encode())


PIECES = st.sampled_from(
    [
        "pipelines:",
        "\n",
        "  ",
        "unit:",
        "dag:",
        " checks",
        "paths:",
        "params:",
        "[",
        "]",
        "{",
        "}",
        ",",
        "- ",
        "? ",
        ": ",
        "&a ",
        "*a",
        "!!int ",
        "!!bool ",
        "!!float ",
        "!!timestamp ",
        "!x ",
        "<<: ",
        "'",
        '"',
        "\\",
        "|",
        ">",
        "#",
        "%",
        "---",
        "...",
        "\t",
        "1",
        "0x",
        "1:2",
        ".nan",
        "2026-03-04",
        "true",
        "null",
        "\u2028",
        "\ufeff",
        "é",
        "=",
        "~",
        "@",
        "`",
    ]
)


def read(content: bytes) -> None:
    """A configuration that JSON can hold, or a ConfigurationError with lines; nothing else."""
    try:
        configuration = parse(content)
    except ConfigurationError as error:
        lines = [problem.line for problem in error.problems]
    else:
        for pipeline in configuration.pipelines.values():
            json.dumps(pipeline.params, allow_nan=False)
        return
    assert lines
    assert all(1 <= line <= len(content) + 1 for line in lines)


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    read(content)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_yaml(content: str) -> None:
    read(content.encode())


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_params(content: str) -> None:
    read(f"pipelines:\n  unit:\n    dag: x\n    params:\n      x: {content}\n".encode())
