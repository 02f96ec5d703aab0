"""What people say on a pull request, what is done about it, and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, STRANGER, checks
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from tests.stories.conftest import MakeRepository

SOME = {
    "unit": checks(test="true"),
    "docs": checks(test="true") | {"paths": ["docs/**"], "optional": True},
    "deploy": checks(test="true") | {"manual": True},
    "soak": checks(test="sleep 1")
    | {
        "manual": True,
        "needs": ["unit"],
        "inputs": {"timeout": {"type": "integer", "choices": [60, 90], "description": "seconds"}},
    },
    "queue": checks(test="true") | {"on": "merge_group"},
}


def test_help_lists_pipelines_and_commands(repository_with: MakeRepository) -> None:
    pull = repository_with(SOME).opened()
    pull.expect_status("preflight/unit", "success")

    asked = pull.says("/test ?", by=STRANGER)
    likewise = pull.says("/help")

    reply = pull.expect_reply(asked)
    assert_reads("help.md", reply)
    assert pull.expect_reply(likewise) == reply
    pull.expect_dag_runs("success")


def test_what_it_does_not_know_is_answered_or_left_to_others(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(test="true"), "docs": checks(test="true")}).opened(draft=True)
    pull.expect_status("preflight/docs", "pending", "waits until ready for review")

    unknown = pull.says("/test nosuch")
    near = pull.says("/test dosc")
    misspelt = pull.says("/tset unit")
    for_others = [
        pull.says("/lgtm"),
        pull.says("/assign @developer"),
        pull.says("> /test unit\n\n```\n/test unit\n```\n\n`/test unit`\n\n    /test unit\n"),
        pull.comment("renovate", "/test unit", bot=True),
        pull.comment("ci[bot]", "/help"),
    ]
    edited = pull.says("Let me think.")
    pull.edit_comment(DEVELOPER, edited.id, "/test unit")

    assert pull.expect_reply(unknown) == "There is no pipeline `nosuch`. There are: `unit`, `docs`."
    assert pull.expect_reply(near) == "There is no pipeline `dosc`. Did you mean `docs`?"
    assert pull.expect_reply(misspelt) == "Line 1: `/tset` is no command. Did you mean `/test`?"
    for comment in (*for_others, edited):
        pull.expect_silence(comment)
    pull.expect_dag_runs()


def test_many_lines_get_one_reply(repository_with: MakeRepository) -> None:
    pull = repository_with(SOME).opened()
    pull.expect_status("preflight/unit", "success")
    pull.expect_status("preflight/docs", "success", "skipped: no matching files")

    asked = pull.says(
        "Thank you!\r\n\r\n/test docs nosuch   \r\n/TEST docs\r\n/retset\r\n/cancel deploy\r\n/test queue\r\n"
    )

    assert_reads("many.md", pull.expect_reply(asked))
    pull.expect_status("preflight/docs", "success", "2 steps passed")
    unit, docs = pull.expect_dag_runs("success", "success")
    assert (unit.conf["JOB_NAME"], docs.conf["JOB_NAME"]) == ("unit", "docs")
    pull.expect_comment("✅ [`docs`]", "2 steps passed")


def test_ten_thousand_lines_are_answered_once(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(test="true")}).opened()
    pull.expect_status("preflight/unit", "success")

    asked = pull.says("/test x\n" * 8_000)
    slashes = pull.says("/" * 65_536)

    assert pull.expect_reply(asked) == "There is no pipeline `x`. There are: `unit`."
    pull.expect_silence(slashes)
    pull.expect_dag_runs("success")


def test_a_manual_pipeline_runs_when_somebody_trusted_says_so(repository_with: MakeRepository) -> None:
    pull = repository_with(SOME).opened()
    pull.expect_status("preflight/unit", "success")
    assert sorted(pull.combined()) == ["preflight/docs", "preflight/unit"]

    refused = pull.says("/test deploy", by=STRANGER)
    pull.expect_reply(refused, "can't run the manual pipeline deploy: anybody with write access can.")
    pull.expect_dag_runs("success")

    pull.says("/test deploy")
    pull.expect_status("preflight/deploy", "success")
    pull.says("/test all")
    _unit, deploy, again = pull.expect_dag_runs("success", "success", "success")
    assert (deploy.conf["JOB_NAME"], again.conf["JOB_NAME"]) == ("deploy", "unit")


def test_inputs_have_a_context_of_their_own(repository_with: MakeRepository) -> None:
    pull = repository_with(SOME).opened()
    pull.expect_status("preflight/unit", "success")

    wrong = {
        "/test soak timeout=61": "`soak` was not run: `timeout` must be one of 60, 90.",
        "/test soak timeout=soon": "`soak` was not run: `timeout` must be a whole number.",
        "/test soak timeuot=60": "`soak` was not run: `timeuot` is not one of its inputs: `timeout`.",
        "/test unit timeout=60": "`unit` was not run: `timeout` is not one of its inputs: it takes none.",
        "/test timeout=60": "Line 1: `/test`: say which pipeline the inputs are for.",
    }
    said = {line: pull.says(line) for line in wrong}
    for line, comment in said.items():
        assert pull.expect_reply(comment) == wrong[line]
    pull.expect_dag_runs("success")

    asked = pull.says("/test soak timeout=90")
    pull.expect_status("preflight/soak (timeout=90)", "success")
    pull.expect_no_reply(asked)
    assert "preflight/soak" not in pull.combined()
    _, soak = pull.expect_dag_runs("success", "success")
    assert (soak.conf["timeout"], soak.conf["JOB_NAME"]) == (90, "soak")
    pull.expect_comment("`soak (timeout=90)`")

    stranger = pull.says("/test soak timeout=60", by=STRANGER)
    reply = pull.expect_reply(stranger)
    assert reply.startswith(f"Sorry, `{STRANGER}` can't ")
    pull.expect_dag_runs("success", "success")
