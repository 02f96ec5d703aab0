"""Each key of `preflight.yaml`: what it takes, what is refused, and what the refusal says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.policy.configuration import (
    SHARED_PATH,
    Configuration,
    ConfigurationError,
    Pipeline,
    Problem,
    parse,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def pipeline(**keys: object) -> Pipeline:
    """The only pipeline of a file that gives it these keys."""
    return parse(written({"unit": {"dag": "checks", **keys}})).pipelines["unit"]


def repository(**keys: object) -> Configuration:
    """A file with these keys at its top."""
    return parse(written({"unit": {"dag": "checks"}}, **keys))


def written(pipelines: Mapping[str, object], **keys: object) -> bytes:
    """A file; JSON is YAML, too."""
    return json.dumps({"pipelines": pipelines, **keys}).encode()


def complaint(content: bytes) -> str:
    """The text of the only problem."""
    (problem,) = validate(content)
    return problem.text


def wrong(**keys: object) -> str:
    """What is wrong with a pipeline that has these keys."""
    return complaint(written({"unit": {"dag": "checks", **keys}}))


class TestDefaults:
    def test_of_a_pipeline(self) -> None:
        assert pipeline() == Pipeline(
            dag="checks",
            on=("pull_request", "merge_group"),
            branches=None,
            branches_ignore=None,
            paths=None,
            paths_ignore=None,
            manual=False,
            optional=False,
            drafts=False,
            labels=None,
            params={},
            inputs={},
            timeout=None,
            max_concurrency=None,
            supersede=True,
            needs=[],
        )

    def test_of_a_repository(self) -> None:
        file = repository()
        assert (file.trust, file.approve, file.notify) == ([], "head", [])
        assert (file.max_concurrency, file.report.comment) == (None, "always")


class TestOn:
    @pytest.mark.parametrize("written", ["on: [push]", "on: push", "'on': push", "on: [push, push]"])
    def test_yaml_does_not_take_it_for_true(self, written: str) -> None:
        file = parse(f"pipelines: {{unit: {{dag: checks, {written}}}}}".encode())
        assert set(file.pipelines["unit"].on) == {"push"}

    def test_on_and_quoted_on_are_one_key(self) -> None:
        assert "twice" in complaint(b"pipelines: {a: {dag: x, on: push, 'on': push}}")

    @pytest.mark.parametrize("event", ["pull_request", "merge_group", "push"])
    def test_events(self, event: str) -> None:
        assert pipeline(on=[event]).on == (event,)

    @pytest.mark.parametrize(
        ("on", "says"),
        [
            ("pull-request", "did you mean 'pull_request'"),
            (["pushh"], "did you mean 'push'"),
            (["release"], "merge_group, pull_request, push"),
            ([], "is empty"),
            (3, "list"),
            ([True], "not known"),
            ({"push": {}}, "list"),
        ],
    )
    def test_others(self, on: object, says: str) -> None:
        assert says in wrong(on=on)


class TestBranches:
    @pytest.mark.parametrize("key", ["branches", "branches_ignore"])
    @pytest.mark.parametrize(
        "pattern", ["main", "release/*", "release/**", "**/x", "v[0-9]*", "a?", "dependabot/**"]
    )
    def test_patterns(self, key: str, pattern: str) -> None:
        assert getattr(pipeline(**{key: [pattern]}), key) == [pattern]

    @pytest.mark.parametrize(
        ("pattern", "says"),
        [
            ("refs/heads/main", "write 'main'"),
            ("!main", "patterns before it"),
            ("ma in", "no branch"),
            ("a..b", "no branch"),
            ("a\\b", "no branch"),
            ("/main", "slashes"),
            ("main/", "slashes"),
            ("a//b", "slashes"),
            ("", "empty"),
            ("[", "closed"),
            ("ma\u202ein", "can't be seen"),
            ("v[9-0]", "wrong way round"),
            ("a.lock", "no branch"),
        ],
    )
    def test_that_no_branch_could_match(self, pattern: str, says: str) -> None:
        assert says in wrong(branches=[pattern])

    def test_none_at_all(self) -> None:
        assert "is empty" in wrong(branches=[])


class TestPaths:
    @pytest.mark.parametrize(
        ("pattern", "says"),
        [
            ("../x", "out of the repository"),
            ("src/../../x", "out of the repository"),
            ("/../x", "out of the repository"),
            ("..", "out of the repository"),
            ("./src", "leave the ./ out"),
            ("src//x", "slashes"),
            ("src/./x", "slashes"),
            ("!src", "patterns before it"),
            ("!../src", "out of the repository"),
            ("!", "write **"),
            ("#src", "\\#src"),
            ("/", "write **"),
            ("//", "write **"),
            ("  ", "write **"),
            ("src\\", "backslash"),
            ("src/[a", "closed"),
            ("[b-a]", "wrong way round"),
            ("[[:nope:]]", "no class"),
            ("a\nb", "can't be seen"),
            ("a\0b", "can't be seen"),
            ("a\u200bb", "can't be seen"),
            ("a" * 1001, "at most 1000"),
        ],
    )
    @pytest.mark.parametrize("key", ["paths", "paths_ignore"])
    def test_that_no_file_could_match(self, key: str, pattern: str, says: str) -> None:
        assert says in wrong(**{key: [pattern]})

    @pytest.mark.parametrize(
        "pattern", ["/src", "src/**", "*.py", "a b", "\\#x", "\\!x", "ü/**", "it's", '"']
    )
    def test_that_can(self, pattern: str) -> None:
        assert pipeline(paths=[pattern]).paths == [pattern]

    def test_none_at_all(self) -> None:
        assert "is empty" in wrong(paths=[])


class TestTimeout:
    @pytest.mark.parametrize(
        ("given", "seconds"),
        [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1d", 86400), ("7d", 604800), (1, 1), (3600, 3600)],
    )
    def test_is_read_as_seconds(self, given: object, seconds: float) -> None:
        assert pipeline(timeout=given).timeout == seconds

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "30",
            "m",
            "30 m",
            "30M",
            "1m1h",
            "1.5h",
            "-1s",
            "\u0661\u0660s",
            "30m\n",
            1.5,
            True,
            [30],
            "999999999999s",
        ],
    )
    def test_is_a_time(self, given: object) -> None:
        assert "90s, 30m or 1h30m" in wrong(timeout=given)

    @pytest.mark.parametrize("given", [0, -1, "0s", "8d", 604801, 2**63])
    def test_lies_between_a_second_and_a_week(self, given: object) -> None:
        assert "from 1s to 7d" in wrong(timeout=given)

    def test_none_is_none(self) -> None:
        assert parse(b"pipelines: {a: {dag: x, timeout: }}").pipelines["a"].timeout is None


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        pytest.param({"max_concurrency": 0}, "greater than or equal to 1", id="concurrency-none"),
        pytest.param({"max_concurrency": 1001}, "less than or equal to 1000", id="concurrency-too-much"),
        pytest.param({"max_concurrency": "3"}, "whole number", id="concurrency-text"),
        pytest.param({"max_concurrency": True}, "whole number", id="concurrency-bool"),
        pytest.param({"manual": "yes"}, "true or false", id="manual-text"),
        pytest.param({"manual": 1}, "true or false", id="manual-number"),
        pytest.param({"drafts": None}, "true or false", id="drafts-nothing"),
        pytest.param({"labels": []}, "is empty", id="labels-empty"),
        pytest.param({"labels": [""]}, "is empty", id="label-empty"),
        pytest.param({"labels": ["x" * 51]}, "50 characters", id="label-long"),
        pytest.param({"labels": ["a\nb"]}, "can't be seen", id="label-of-two-lines"),
        pytest.param({"labels": [False]}, "must be text, not 'false': put it in quotes", id="label-no"),
        pytest.param({"params": {"a b": 1}}, "letters", id="param-with-blank"),
        pytest.param({"params": {"": 1}}, "letters", id="param-empty"),
        pytest.param({"params": {"\u0445": 1}}, "letters", id="param-look-alike"),
        pytest.param({"params": {"x\ny": 1}}, "letters", id="param-with-newline"),
        pytest.param({"inputs": {"a-b": {}}}, "letters", id="input-that-no-command-can-name"),
        pytest.param({"inputs": {"1a": {}}}, "letters", id="input-with-digit-first"),
        pytest.param({"inputs": {"PULL_REFS": {}}}, "Preflight sets it", id="input-of-ours"),
        pytest.param({"inputs": {"a": None}}, "keys and values", id="input-empty"),
        pytest.param({"dag": "chécks"}, "letters", id="dag-look-alike"),
        pytest.param({"dag": "a'b"}, "letters", id="dag-quote"),
        pytest.param({"report": {}}, "belongs to the whole file", id="key-of-the-file"),
        pytest.param({"max-concurrency": 3}, "did you mean 'max_concurrency'", id="key-with-dash"),
        pytest.param({"timeouts": 3}, "did you mean 'timeout'", id="key-misspelt"),
    ],
)
def test_a_pipeline_is_read_strictly(keys: dict[str, object], says: str) -> None:
    assert says in wrong(**keys)


class TestTheRepository:
    @pytest.mark.parametrize("group", ["acme", "acme/ci", "acme-2/ci.team", "renovate[bot]", "a"])
    def test_trusts_organisations_teams_and_apps(self, group: str) -> None:
        assert repository(trust=[group]).trust == [group]

    @pytest.mark.parametrize(
        "group", ["@acme", "acme/", "a b", "", "acme/ci/x", "[bot]", "x[bot]y", "\u0430cme", "*"]
    )
    def test_and_nothing_else(self, group: str) -> None:
        assert "an organisation (acme), a team (acme/ci) or an App" in complaint(
            written({"a": {"dag": "x"}}, trust=[group])
        )

    @pytest.mark.parametrize("name", ["@acme/maintainers", "alice", "@alice", "codeowners"])
    def test_notifies(self, name: str) -> None:
        assert repository(notify=[name]).notify == [name]

    @pytest.mark.parametrize(
        ("keys", "says"),
        [
            ({"notify": ["@a b"]}, "a user (alice)"),
            ({"notify": "alice"}, "list"),
            ({"approve": "heads"}, "did you mean 'head'"),
            ({"approve": True}, "not known"),
            ({"report": {"comment": "never"}}, "always, failures, off"),
            ({"report": {"comments": "off"}}, "did you mean 'comment'"),
            ({"report": "off"}, "keys and values"),
            ({"report": {"comment": True}}, "not known"),
            ({"max_concurrency": 0}, "greater than or equal to 1"),
            ({"timeout": 30}, "belongs to a pipeline"),
            ({"trusted": []}, "did you mean 'trust'"),
        ],
    )
    def test_is_read_strictly(self, keys: dict[str, object], says: str) -> None:
        assert says in complaint(written({"a": {"dag": "x"}}, **keys))

    def test_has_not_hundreds_of_pipelines(self) -> None:
        assert "100" in complaint(written({f"p{number}": {"dag": "x"} for number in range(101)}))


class TestNeeds:
    def file(self, **needs: object) -> bytes:
        return written({name: {"dag": "x", "needs": need} for name, need in needs.items()})

    def test_name_other_pipelines_in_any_order(self) -> None:
        file = parse(self.file(deploy=["unit", "lint"], unit=["lint"], lint=[]))
        assert file.pipelines["deploy"].needs == ["unit", "lint"]

    @pytest.mark.parametrize(
        ("needs", "says"),
        [
            pytest.param({"a": ["a"]}, "'a' can't need itself", id="itself"),
            pytest.param({"unit": [], "b": ["unti"]}, "did you mean 'unit'", id="misspelt"),
            pytest.param({"unit": [], "b": ["zzzzzz"]}, "there are unit", id="unknown"),
            pytest.param({"a": ["b"], "b": ["a"]}, "a needs b needs a", id="two"),
            pytest.param(
                {"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, "a needs b needs c needs a", id="three"
            ),
            pytest.param({"a": ["a b"]}, "letters", id="no-name"),
            pytest.param({"a": "b", "b": []}, "list", id="text"),
        ],
    )
    def test_must_be_able_to_come_true(self, needs: dict[str, object], says: str) -> None:
        assert says in complaint(self.file(**needs))

    def test_a_long_way_round_is_found_soon(self) -> None:
        names = [f"p{number}" for number in range(100)]
        circle = {name: [other] for name, other in zip(names, [*names[1:], names[0]], strict=True)}
        assert "wait for each other" in complaint(self.file(**circle))

    def test_many_ways_to_one_end_are_no_circle(self) -> None:
        layers = {f"p{layer}x{at}": layer for layer in range(10) for at in range(10)}
        parse(
            self.file(
                **{
                    name: [other for other, above in layers.items() if above == layer + 1]
                    for name, layer in layers.items()
                }
            )
        )

    def test_where_the_need_never_runs_it_would_wait_forever(self) -> None:
        file = {"unit": {"dag": "x", "on": ["pull_request"]}, "e2e": {"dag": "x", "needs": ["unit"]}}
        assert "'e2e' runs on merge_group, but 'unit'" in complaint(written(file))

    def test_the_line_is_that_of_the_need(self) -> None:
        (problem,) = validate(
            b"pipelines:\n  a:\n    dag: x\n    needs:\n      - b\n      - c\n  b: {dag: x}\n"
        )
        assert problem.line == 6


class TestProblems:
    def test_name_the_file_that_they_are_in(self) -> None:
        (problem,) = validate(b"{}", f"acme/.github:{SHARED_PATH}")
        assert str(problem) == "acme/.github:preflight.yaml:1: 'pipelines' is missing"

    def test_come_in_the_files_order(self) -> None:
        found = validate(b"pipelines:\n  a: {dag: x, timeout: x}\n  b: {dga: x}\napprove: x\n")
        assert [problem.line for problem in found] == sorted(problem.line for problem in found)

    def test_are_short_whatever_they_quote(self) -> None:
        for content in (
            written({"x" * 200_000: {"dag": "x"}}),
            written({"a": {"dag": "x", "y" * 200_000: 1}}),
            written({"a": {"dag": "x" * 200_000}}),
            written({"a": {"dag": "x", "on": ["x" * 200_000]}}),
            written({"a": {"dag": "x", "needs": ["x" * 60]}}, trust=["x" * 200_000]),
        ):
            assert all(len(problem.text) <= 400 for problem in validate(content))

    def test_hold_no_terminal_codes(self) -> None:
        for problem in validate(written({"a": {"dag": "\x1b[31mx\x07", "\u202ey": 1}})):
            assert problem.text.isprintable()

    def test_can_be_told_apart(self) -> None:
        assert Problem(1, "x") != Problem(2, "x")

    def test_a_fine_file_has_none(self) -> None:
        assert validate(b"pipelines: {unit: {dag: checks}}") == []

    def test_lines_of_keys_can_be_asked_for_later(self) -> None:
        file = parse(b"pipelines:\n  unit:\n    dag: checks\n    params:\n      x: 1\n")
        assert file.line("pipelines", "unit", "params", "x") == 5
        assert file.line("pipelines", "unit", "params", "y") == 4, "the nearest that is there"
        assert Configuration(pipelines={}).line("pipelines") == 1, "it was never in a file"

    def test_where_it_was_written_is_no_part_of_what_a_pipeline_says(self) -> None:
        file = parse(b"\n\npipelines: {a: {dag: x}}")
        assert file.pipelines == parse(b"pipelines: {a: {dag: x}}").pipelines


@pytest.mark.parametrize(
    "name", ["a b", "a\nb", "a'b", 'a"b', "a`b", "\u0440aypal", "a\u200b", "\uff20acme", "../x", "a/b", ""]
)
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(written({name: {"dag": "x"}}))
    assert all(problem.text.isprintable() for problem in caught.value.problems)
