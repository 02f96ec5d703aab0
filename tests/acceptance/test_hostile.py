"""What somebody sends who means no good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.payloads import pull, pull_request
from tests.acceptance.simulator import CONFIGURATION, bot, commented, happened, stranger_pull

if TYPE_CHECKING:
    from pathlib import Path

MOST = 65_536

FLOODS = {
    "slashes": "/" * MOST,
    "lines of a slash": "/\n" * (MOST // 2),
    "lines of /test x": "/test x\n" * 10_000,
    "lines of /test unit": "/test unit\n" * 10_000,
    "one line of names": "/test " + "unit " * 13_000,
    "one line of unknown names": "/test " + "".join(f"n{number} " for number in range(9_000)),
    "one long name": "/test " + "x" * (MOST - 6),
    "one long command": "/" + "test" * 16_000,
    "misspelled": "/tset\n" * 10_000,
    "ticks": "`" * MOST,
    "ticks of growing length": "\n".join("`" * number for number in range(360)),
    "open brackets": "[" * MOST,
    "open images": "![" * (MOST // 2),
    "emphasis": "*a " * (MOST // 3),
    "underscores": "_" * MOST,
    "underscores in words": "_a" * (MOST // 2),
    "quotes": ">" * MOST,
    "nested quotes": "\n".join(">" * number + " /test unit" for number in range(1, 350)),
    "nested lists": "\n".join("  " * number + "- /test unit" for number in range(250)),
    "dashes": "- " * (MOST // 2 - 3) + "/test",
    "angles": "<" * (MOST - 11) + "\n/test unit",
    "open comments": "<!--\n" * (MOST // 5),
    "open comments on one line": "<!--" * (MOST // 4 - 2) + "\n/test",
    "open tags": "<a " * (MOST // 3),
    "entities": "&amp;" * (MOST // 5),
    "links": "[a](b" * (MOST // 5),
    "definitions": "[a]: b\n" * (MOST // 7),
    "tables": "|a|b|\n|-|-|\n" + "|c|d|\n" * 10_000,
    "NULs": "\0" * MOST,
    "lone surrogates": "\ud800" * 10_000,
    "blanks": " " * MOST,
    "empty lines": "\n" * MOST,
    "backslashes": "\\" * MOST,
    "inputs": "/test unit " + "".join(f"k{number}=v " for number in range(7_000)),
}

MAY_RUN = {"lines of /test unit", "one line of names", "angles"}


class TestACommentThatFloods:
    @pytest.mark.parametrize("name", FLOODS)
    def test_is_decided_with_one_short_answer_at_most(self, name: str) -> None:
        outcome = commented(FLOODS[name], by="mallory")

        assert outcome.runs == ({"unit"} if name in MAY_RUN else set())
        assert len(outcome.reply) < 10_000

    def test_of_slashes_gets_no_answer(self) -> None:
        assert commented("/" * MOST).nothing

    @pytest.mark.parametrize("name", ["one line of names", "nested quotes", "open comments", "inputs"])
    def test_runs_nothing_on_an_untrusted_head(self, name: str) -> None:
        assert not commented(FLOODS[name], by="mallory", of=stranger_pull()).of("trigger")


NAMES = {
    "quotes": '"unit"',
    "single quotes": "'unit'",
    "a look-alike": "un\u0456t",
    "full width": "\uff55\uff4e\uff49\uff54",
    "a zero-width space": "un\u200bit",
    "right to left": "\u202etinu",
    "a combining accent": "unit\u0301",
    "a NUL": "un\0it",
    "a path": "../../unit",
    "an option": "--unit",
    "a glob": "*",
    "a pattern": "u.it",
    "a template": "{{unit}}",
    "a shell's substitution": "$(unit)",
    "a semicolon": "unit;deploy",
    "a comma": "unit,deploy",
    "another case": "UNIT",
}


class TestAName:
    @pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
    def test_that_only_looks_like_one_runs_nothing(self, name: str) -> None:
        outcome = commented(f"/test {name}")

        assert not outcome.of("trigger")
        assert outcome.reply

    @pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c"])
    def test_is_not_ended_by_what_is_no_line_break(self, separator: str) -> None:
        outcome = commented(f"text{separator}/test deploy{separator}text")

        assert not outcome.of("trigger"), "a line ends with LF or CRLF"

    def test_of_a_branch_or_title_is_only_data(self) -> None:
        of = pull(head_ref="x\n/test deploy\n$(id)`", title="`\n/test deploy <!-- \u202e")
        outcome = happened(pull_request("opened", of))

        assert outcome.runs == {"unit", "lint"}

    def test_of_a_user_is_only_data(self) -> None:
        login = "x](https://evil.example)\n/test unit"
        outcome = commented("/test deploy", by=login, permissions={login: "none", "alice": "write"})

        assert outcome.decision == "deny"
        assert "\n/test unit" not in outcome.reply


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    + ["pipelines: {unit: {dag: checks, params: {x: *a11}}}\n"]
)

EXPLOSIONS = {
    "lists of lists": BOMB,
    "within params": "pipelines:\n  unit:\n    dag: checks\n    params:\n"
    + "".join(f"      {line}\n" for line in BOMB.splitlines()[:-1]),
    "mappings merged into each other": "\n".join(
        ["a0: &a0 {x: 1}"]
        + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
        + ["pipelines: {unit: {dag: checks, params: *a11}}\n"]
    ),
    "a list in itself": "pipelines: {unit: {dag: checks, params: {x: &a [*a]}}}\n",
    "a mapping in itself": "pipelines: &p {unit: {dag: checks, params: *p}}\n",
    "depth": "pipelines: {unit: {dag: checks, params: {x: " + "[" * 5_000 + "]" * 5_000 + "}}}\n",
    "depth that never closes": "[" * 50_000,
    "width": "pipelines:\n" + "".join(f"  p{n}: {{dag: checks}}\n" for n in range(20_000)),
    "a long line": "pipelines: {unit: {dag: " + "x" * 2_000_000 + "}}\n",
    "a large number": "pipelines: {unit: {dag: checks, max_concurrency: 1" + "0" * 5_000 + "}}\n",
    "a sexagesimal number": "pipelines: {unit: {dag: checks, timeout: " + "1:" * 5_000 + "1}}\n",
}


class TestAConfigurationThatExplodes:
    @pytest.mark.parametrize("name", EXPLOSIONS)
    def test_is_refused_in_few_words(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "preflight.yaml"
        path.write_text(EXPLOSIONS[name])

        printed = bot("validate", str(path))

        assert printed.code == 1
        assert "Traceback" not in printed.all
        assert len(printed.all) < 10_000

    @pytest.mark.parametrize("name", EXPLOSIONS)
    def test_runs_nothing(self, name: str) -> None:
        outcome = happened(pull_request("opened"), configuration=EXPLOSIONS[name])

        assert outcome.decision == "error"
        assert not outcome.of("trigger")

    def test_in_an_input_s_pattern_holds_up_nobody(self) -> None:
        """A pattern is the repository's own word; the value that takes for ever may be not."""
        configuration = "pipelines: {unit: {dag: checks, inputs: {x: {pattern: '(a+)+b'}}}}\n"
        outcome = commented(f"/test unit x={'a' * 25}", configuration=configuration)

        assert not outcome.of("trigger")


class TestManyChangedFiles:
    FILES = tuple(f"src/{'deep/' * 20}module_{number}.py" for number in range(3_000))

    def test_and_many_patterns_are_decided(self) -> None:
        pipelines = "".join(
            f'  p{n}: {{dag: checks, paths: ["x{n}/**/y*/**/z?.[a-m]", "*.md"]}}\n' for n in range(50)
        )
        files = list(self.FILES[:2_999])
        outcome = happened(
            pull_request("opened", pull(changed_files=len(files))),
            configuration=f"pipelines:\n{pipelines}",
            changed_files=files,
        )

        assert not outcome.of("trigger")
        assert {state for state, _ in outcome.statuses.values()} == {"success"}

    @pytest.mark.parametrize(
        "path",
        [
            "../../etc/passwd",
            "/etc/passwd",
            "docs/../src/a.py",
            "a\nb",
            'a"b',
            "a\\b",
            "-rf",
            "\u202e",
            ".",
            "..",
            "",
            "a" * 4096,
            "\ud800",
        ],
    )
    def test_may_have_any_name(self, path: str) -> None:
        outcome = happened(pull_request("opened"), changed_files=[path, "src/app.py"])

        assert outcome.runs >= {"unit", "lint"}

    @pytest.mark.parametrize("path", ["../docs/x", "/../docs/x", "src/docs/../x"])
    def test_that_climb_out_select_nothing_by_it(self, path: str) -> None:
        assert "docs" not in happened(pull_request("opened"), changed_files=[path]).runs


def test_a_pipeline_s_name_can_not_be_an_attribute_of_ours() -> None:
    outcome = commented("/test __class__ keys items", configuration=CONFIGURATION)

    assert not outcome.of("trigger")
