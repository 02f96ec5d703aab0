"""`/test NAME... KEY=VALUE...`: inputs that a pipeline declares, from trusted users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.simulator import STRANGERS, TRUSTED, Outcome, bot, commented, stranger_pull

if TYPE_CHECKING:
    from tests.acceptance.payloads import Json

CONFIGURATION = """\
pipelines:
  unit:
    dag: checks
  e2e:
    dag: e2e
    inputs:
      name: {}
      zone: {type: string, default: a, choices: [a, b, c]}
      count: {type: integer, default: 1}
      share: {type: number}
      keep: {type: boolean, default: false}
      version: {pattern: "v[0-9]+|latest"}
      size: {type: integer, choices: [1, 2, 4]}
"""


def e2e(given: str, by: str = "alice", of: Json | None = None, **facts: object) -> Outcome:
    """What `/test e2e` with these inputs leads to."""
    arguments: Json = facts
    return commented(f"/test e2e {given}", by=by, of=of, configuration=CONFIGURATION, **arguments)


def test_the_configuration_is_valid(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("inputs") / "preflight.yaml"
    path.write_text(CONFIGURATION)

    assert bot("validate", str(path)).code == 0


GOOD = {
    "a string": ("name=x", {"name": "x"}),
    "a string with all that is allowed": ("name=_A.b:c/d@e+f-9", {"name": "_A.b:c/d@e+f-9"}),
    "a string of 200 characters": (f"name={'x' * 200}", {"name": "x" * 200}),
    "a string that looks like a number": ("name=007", {"name": "007"}),
    "a choice": ("zone=b", {"zone": "b"}),
    "an integer": ("count=12", {"count": 12}),
    "an integer below zero": ("count=-3", {"count": -3}),
    "a number": ("share=0.5", {"share": 0.5}),
    "a number that is whole": ("share=2", {"share": 2}),
    "true": ("keep=true", {"keep": True}),
    "false": ("keep=false", {"keep": False}),
    "a pattern": ("version=v12", {"version": "v12"}),
    "a pattern's other half": ("version=latest", {"version": "latest"}),
    "a choice of numbers": ("size=4", {"size": 4}),
    "several": ("zone=c count=2", {"zone": "c", "count": 2}),
}

BAD = {
    "an empty string": "name=",
    "201 characters": f"name={'x' * 201}",
    "a dash first": "name=-rf",
    "a dot first": "name=.x",
    "a semicolon": "name=a;ls",
    "a quote": "name='a'",
    "a dollar": "name=a$b",
    "a look-alike": "name=\u0430",
    "digits of another script": "name=\u0663",
    "no such choice": "zone=d",
    "a choice in another case": "zone=A",
    "no integer": "count=two",
    "no whole number": "count=1.5",
    "an empty integer": "count=",
    "digits of another script for an integer": "count=\u0663",
    "an integer with underscores": "count=1_000",
    "no number": "share=half",
    "no finite number": "share=nan",
    "infinity": "share=inf",
    "no boolean": "keep=maybe",
    "a pattern that matches the beginning only": "version=v12;ls",
    "a pattern that matches the end only": "version=xv12",
    "an alternative that is not anchored": "version=latest-and-more",
    "no such choice of numbers": "size=3",
}


class TestInputs:
    @pytest.mark.parametrize(("given", "inputs"), GOOD.values(), ids=GOOD)
    def test_reach_the_run(self, given: str, inputs: dict[str, object]) -> None:
        outcome = e2e(given)

        assert outcome.decision == "run"
        (trigger,) = outcome.of("trigger")
        assert trigger["pipeline"] == "e2e"
        assert {key: trigger["inputs"][key] for key in inputs} == inputs
        assert [type(trigger["inputs"][key]) for key in inputs] == [
            type(value) for value in inputs.values()
        ] or ("share" in inputs)

    @pytest.mark.parametrize("given", BAD.values(), ids=BAD)
    def test_that_are_not_allowed_run_nothing_and_are_answered(self, given: str) -> None:
        outcome = e2e(given)

        assert not outcome.of("trigger")
        assert given.partition("=")[0] in outcome.reply
        assert outcome.decision != "run"

    def test_tell_the_choices(self) -> None:
        reply = e2e("zone=d").reply

        assert all(choice in reply for choice in ("a", "b", "c"))
        assert "zone" in reply

    @pytest.mark.parametrize(("said", "meant"), [("nmae=x", "name"), ("zones=a", "zone"), ("x=1", "count")])
    def test_that_are_unknown_are_answered_with_those_that_there_are(self, said: str, meant: str) -> None:
        outcome = e2e(said)

        assert not outcome.of("trigger")
        assert f"`{meant}`" in outcome.reply

    def test_are_only_for_pipelines_that_declare_them(self) -> None:
        outcome = commented("/test unit name=x", configuration=CONFIGURATION)

        assert not outcome.of("trigger")
        assert "name" in outcome.reply

    def test_need_the_name_of_a_pipeline(self) -> None:
        outcome = commented("/test name=x", configuration=CONFIGURATION)

        assert outcome.runs == set()
        assert outcome.reply

    @pytest.mark.parametrize("by", TRUSTED)
    def test_are_for_trusted_users(self, by: str) -> None:
        (trigger,) = e2e("zone=b", by).of("trigger")

        assert trigger["inputs"]["zone"] == "b"

    @pytest.mark.parametrize("by", STRANGERS)
    def test_are_refused_to_others_who_hear_who_could(self, by: str) -> None:
        outcome = e2e("zone=b", by)

        assert outcome.decision == "deny"
        assert not outcome.of("trigger")
        assert "write" in outcome.reply

    def test_do_not_make_an_untrusted_head_run(self) -> None:
        outcome = e2e("zone=b", "ada", of=stranger_pull())

        assert not outcome.of("trigger")

    def test_never_write_the_status_of_the_pipeline_itself(self) -> None:
        outcome = e2e("zone=b", statuses={"e2e": "failure"}, runs={"e2e": "failed"})

        assert all(context == "e2e (zone=b)" for context in outcome.statuses)
        (trigger,) = outcome.of("trigger")
        assert trigger["resume"] is False
        assert trigger.get("context", "preflight/e2e (zone=b)") == "preflight/e2e (zone=b)"

    def test_of_two_kinds_make_two_runs(self) -> None:
        outcome = commented(
            "/test e2e zone=a\n/test e2e zone=b\n/test e2e\n/test e2e zone=a", configuration=CONFIGURATION
        )

        found = [trigger["inputs"] for trigger in outcome.of("trigger")]
        assert sorted(found, key=str) == sorted([{"zone": "a"}, {"zone": "b"}, {}], key=str)

    def test_that_are_given_twice_run_nothing(self) -> None:
        outcome = e2e("zone=a zone=b")

        assert not outcome.of("trigger")
        assert "zone" in outcome.reply

    def test_that_failed_are_tested_again_as_they_were(self) -> None:
        outcome = commented(
            "/retest",
            configuration=CONFIGURATION,
            statuses={"unit": "success", "e2e": "success", "e2e (zone=a)": "failure"},
            runs={"e2e (zone=a)": "failed"},
        )

        assert [(one["pipeline"], one["inputs"], one["resume"]) for one in outcome.of("trigger")] == [
            ("e2e", {"zone": "a"}, True)
        ]

    def test_that_say_the_default_report_apart_too(self) -> None:
        (trigger,) = e2e("zone=a").of("trigger")

        assert trigger["inputs"] == {"zone": "a"}

    def test_do_not_cancel_the_run_without(self) -> None:
        outcome = e2e("zone=b", statuses={"e2e": "pending"}, runs={"e2e": "running"})

        assert outcome.cancelled == set()

    def test_are_read_in_a_dry_run_too(self) -> None:
        outcome = e2e("zone=b --dryrun")

        (trigger,) = outcome.of("trigger")
        assert trigger["dryrun"] is True
        assert trigger["inputs"]["zone"] == "b"

    def test_stand_in_the_command(self) -> None:
        (command,) = e2e("zone=b").output["commands"]

        assert command["pipelines"] == ["e2e"]
        assert command["inputs"] == {"zone": "b"}

    def test_of_a_run_without_are_empty(self) -> None:
        (trigger,) = commented("/test e2e", configuration=CONFIGURATION).of("trigger")

        assert trigger["inputs"] == {}
