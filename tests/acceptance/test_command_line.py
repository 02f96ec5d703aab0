"""`python -m bot simulate`: the contract of its files, its output and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.payloads import Json, issue_comment, pull, pull_request, push
from tests.acceptance.simulator import (
    CONFIGURATION,
    arguments_for,
    bot,
    facts_about,
    simulate,
    stranger_pull,
)

ROOT = Path(__file__).parents[2]
TRUSTING = f"trust: [acme]\n{CONFIGURATION}"
FILTERED = 'pipelines: {docs: {dag: checks, paths: ["docs/**"]}}\n'
CAROLS = pull(author="carol")
UNFILTERED = "pipelines: {unit: {dag: checks}}\n"


def without(*names: str, of: Json | None = None) -> Json:
    """The facts of an ordinary day but these."""
    return {name: fact for name, fact in facts_about(of).items() if name not in names}


MISSING: dict[str, tuple[str, Json, str, Json, str]] = {
    "pull_request": (
        "issue_comment",
        issue_comment("/test"),
        CONFIGURATION,
        without("pull_request"),
        "pull_request",
    ),
    "permissions": (
        "pull_request",
        pull_request("opened"),
        CONFIGURATION,
        without("permissions"),
        "permission",
    ),
    "one user's permission": (
        "pull_request",
        pull_request("opened", CAROLS),
        CONFIGURATION,
        facts_about(CAROLS),
        "carol",
    ),
    "the commenter's permission": (
        "issue_comment",
        issue_comment("/test deploy", by="carol"),
        CONFIGURATION,
        facts_about(),
        "carol",
    ),
    "changed_files": (
        "pull_request",
        pull_request("opened"),
        FILTERED,
        without("changed_files"),
        "changed_files",
    ),
    "members": (
        "pull_request",
        pull_request("opened", stranger_pull()),
        TRUSTING,
        without("members", of=stranger_pull()),
        "member",
    ),
    "the members of a listed organisation": (
        "pull_request",
        pull_request("opened", stranger_pull()),
        TRUSTING,
        facts_about(stranger_pull()),
        "member",
    ),
}

NOT_NEEDED: dict[str, tuple[str, Json, str | None, Json | None]] = {
    "changed files without paths": (
        "pull_request",
        pull_request("opened"),
        UNFILTERED,
        without("changed_files"),
    ),
    "a comment without a command": ("issue_comment", issue_comment("LGTM"), CONFIGURATION, {}),
    "a comment for another bot": ("issue_comment", issue_comment("/lgtm"), CONFIGURATION, None),
    "an edited comment": ("issue_comment", issue_comment("/test", action="edited"), CONFIGURATION, None),
    "a comment on an issue": ("issue_comment", issue_comment("/test", on_issue=True), CONFIGURATION, None),
    "an event of no meaning": ("pull_request", pull_request("assigned"), CONFIGURATION, None),
    "a tag": ("push", push("refs/tags/v1"), CONFIGURATION, None),
    "an unknown event": ("star", {"action": "created"}, None, None),
    "the permission of whoever tests a trusted head": (
        "issue_comment",
        issue_comment("/test unit", by="carol"),
        UNFILTERED,
        without("changed_files"),
    ),
    "facts that have a default": (
        "pull_request",
        pull_request("opened"),
        UNFILTERED,
        without("pusher", "dags", "members"),
    ),
}


class TestAMissingFact:
    @pytest.mark.parametrize(
        ("event", "payload", "configuration", "facts", "word"), MISSING.values(), ids=MISSING
    )
    def test_is_named(self, event: str, payload: object, configuration: str, facts: Json, word: str) -> None:
        outcome = simulate(event, payload, configuration, facts)

        assert outcome.code == 2
        assert outcome.decision == "error"
        assert word in outcome.reason
        assert not outcome.of("trigger")

    @pytest.mark.parametrize(
        ("event", "payload", "configuration", "facts"), NOT_NEEDED.values(), ids=NOT_NEEDED
    )
    def test_that_is_not_needed_is_not_missed(
        self, event: str, payload: object, configuration: str | None, facts: Json | None
    ) -> None:
        outcome = simulate(event, payload, configuration, facts)

        assert outcome.code == 0
        assert outcome.decision != "error"

    def test_pull_request_is_in_a_payload_that_holds_it(self) -> None:
        outcome = simulate("pull_request", pull_request("opened"), UNFILTERED, without("pull_request"))

        assert outcome.code == 0
        assert outcome.runs == {"unit"}

    def test_is_not_missed_for_what_the_issue_s_example_leaves_out(self) -> None:
        """A closer look at a pull request by alice, with permissions alone."""
        facts = {"permissions": {"alice": "write"}, "pull_request": pull()}
        outcome = simulate("issue_comment", issue_comment("/test unit"), UNFILTERED, facts)

        assert outcome.code == 0
        assert outcome.runs == {"unit"}


class TestBadFiles:
    @pytest.mark.parametrize("name", ["payload", "config", "facts"])
    def test_that_are_not_there(self, tmp_path: Path, name: str) -> None:
        arguments = arguments_for(
            tmp_path, "pull_request", pull_request("opened"), CONFIGURATION, facts_about()
        )
        (tmp_path / name).unlink()

        printed = bot(*arguments)

        assert printed.code not in {0, 1}
        assert "Traceback" not in printed.all
        assert name in printed.all

    @pytest.mark.parametrize("name", ["payload", "facts"])
    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"\xff\xfe", b"nonsense", b'{"a": ' * 50_000, b"[" * 100_000, b'{"a": NaN}'],
        ids=["empty", "cut", "no UTF-8", "no JSON", "deep objects", "deep lists", "NaN"],
    )
    def test_that_are_no_json(self, tmp_path: Path, name: str, content: bytes) -> None:
        arguments = arguments_for(
            tmp_path, "pull_request", pull_request("opened"), CONFIGURATION, facts_about()
        )
        (tmp_path / name).write_bytes(content)

        printed = bot(*arguments)

        assert "Traceback" not in printed.all
        assert printed.all.strip()
        if content != b'{"a": NaN}':
            assert printed.code != 0 or json.loads(printed.out)["decision"] in {"error", "ignore"}

    @pytest.mark.parametrize(
        "payload",
        [
            None,
            [],
            "",
            1,
            {},
            {"action": "opened"},
            {"action": 1},
            {"action": None},
            {"repository": None},
            {"repository": {}},
        ],
        ids=repr,
    )
    @pytest.mark.parametrize(
        "event",
        [
            "pull_request",
            "issue_comment",
            "merge_group",
            "push",
            "installation",
            "installation_repositories",
            "repository",
            "ping",
            "unknown",
            "",
        ],
    )
    def test_that_are_other_json_are_taken(self, event: str, payload: object) -> None:
        outcome = simulate(event, payload, CONFIGURATION, facts_about())

        assert not outcome.of("trigger")

    @pytest.mark.parametrize(
        ("event", "payload"),
        [
            ("pull_request", pull_request("opened")),
            ("issue_comment", issue_comment("/test")),
            ("push", push()),
        ],
        ids=["pull_request", "issue_comment", "push"],
    )
    @pytest.mark.parametrize("value", [None, [], "x", 7, {}, True], ids=repr)
    def test_whose_parts_are_of_other_types_are_taken(self, event: str, payload: Json, value: object) -> None:
        for key, inner in payload.items():
            simulate(event, payload | {key: value}, CONFIGURATION, facts_about())
            if isinstance(inner, dict) and key in {"pull_request", "comment", "issue"}:
                for name in ("number", "state", "user", "head", "base", "body", "id", "labels", "draft"):
                    simulate(event, payload | {key: {**inner, name: value}}, CONFIGURATION, facts_about())

    @pytest.mark.parametrize("name", [*sorted(facts_about()), "pusher", "dags"])
    @pytest.mark.parametrize("value", [None, [1], "x", 7, {"x": 1}, True], ids=repr)
    def test_facts_of_other_types_are_taken_or_refused(
        self, tmp_path: Path, name: str, value: object
    ) -> None:
        facts = facts_about() | {name: value}
        printed = bot(
            *arguments_for(tmp_path, "issue_comment", issue_comment("/test\n/retest"), CONFIGURATION, facts)
        )

        assert printed.code in {0, 2}
        assert "Traceback" not in printed.all
        assert printed.all.strip()


class TestAProcessOfItsOwn:
    """The same, as people call it."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """No network, no database, no settings: an environment that holds nothing."""
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=ROOT,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_simulates(self, tmp_path: Path) -> None:
        arguments = arguments_for(
            tmp_path, "issue_comment", issue_comment("/test unit\n\n/tset"), CONFIGURATION, facts_about()
        )
        done = self.run(*arguments)

        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        output = json.loads(done.stdout)
        assert output["decision"] == "run"
        assert output == json.loads(bot(*arguments).out)

    def test_misses_a_fact_with_exit_2(self, tmp_path: Path) -> None:
        done = self.run(*arguments_for(tmp_path, "issue_comment", issue_comment("/test"), CONFIGURATION, {}))

        assert done.returncode == 2
        assert json.loads(done.stdout)["decision"] == "error"

    def test_validates(self, tmp_path: Path) -> None:
        path = tmp_path / "preflight.yaml"
        path.write_text("pipelines:\n  unit:\n    dog: checks\n")
        done = self.run("validate", str(path))

        assert done.returncode == 1
        assert "3" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["simulate"], ["simulate", "--event", "push"], ["validate"], ["simulate", "--evnt", "x"]],
    ids=" ".join,
)
def test_a_wrong_call_is_explained(arguments: list[str]) -> None:
    printed = bot(*arguments)

    assert printed.code == 2
    assert "usage" in printed.err
