from __future__ import annotations

import json
from typing import Any

import pytest

from bot.simulate import read_facts, simulate
from tests.examples import HEAD, comment_payload, pull, pull_payload, repository_payload, sha, user_payload
from tests.simulate.simulating import CONFIG, commented, did, facts_about, pipelines, pushed, simulated

KEYS = [
    "event",
    "action",
    "repository",
    "pull_request",
    "commands",
    "errors",
    "decision",
    "reason",
    "actions",
]


def group_payload(action: str = "checks_requested") -> dict[str, Any]:
    return {
        "action": action,
        "merge_group": {
            "head_sha": sha(5),
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-12",
            "base_sha": sha(4),
            "base_ref": "refs/heads/main",
        },
        "repository": repository_payload(),
        "sender": user_payload("alice"),
    }


def push_payload(ref: str = "refs/heads/main") -> dict[str, Any]:
    return {
        "ref": ref,
        "before": sha(3),
        "after": sha(4),
        "deleted": False,
        "forced": False,
        "commits": [],
        "repository": repository_payload(),
        "sender": user_payload("alice"),
    }


class TestWhatIsShown:
    def test_of_a_command(self) -> None:
        simulation = commented("/test unit")

        assert simulation.missing == ""
        assert simulation.shown == {
            "event": "issue_comment",
            "action": "created",
            "repository": "acme/widgets",
            "pull_request": 12,
            "commands": [{"name": "test", "pipelines": ["unit"], "dryrun": False, "inputs": {}, "line": 1}],
            "errors": [],
            "decision": "run",
            "reason": "alice asked for unit",
            "actions": [
                {"do": "react", "content": "eyes"},
                {"do": "trigger", "pipeline": "unit", "resume": False, "dryrun": False, "inputs": {}},
            ],
        }

    def test_of_a_push(self) -> None:
        simulation = pushed("opened")

        assert simulation.shown["decision"] == "run"
        assert pipelines(simulation, "trigger") == ["unit", "e2e"]
        assert pipelines(simulation, "status") == ["docs"]
        assert simulation.shown["commands"] == []

    @pytest.mark.parametrize(
        ("event", "payload", "where"),
        [
            ("ping", {"zen": "x"}, (None, None, None)),
            (
                "star",
                {"action": "created", "repository": repository_payload()},
                ("created", "acme/widgets", None),
            ),
            ("merge_group", group_payload(), ("checks_requested", "acme/widgets", None)),
            ("push", push_payload(), (None, "acme/widgets", None)),
            (
                "issue_comment",
                comment_payload("/test", action="edited"),
                ("edited", "acme/widgets", 12),
            ),
            (
                "issue_comment",
                comment_payload("/test") | {"issue": {"number": 3, "state": "open"}},
                ("created", "acme/widgets", None),
            ),
        ],
    )
    def test_is_where_it_happened(
        self, event: str, payload: dict[str, Any], where: tuple[object, ...]
    ) -> None:
        shown = simulated(event, payload).shown

        assert list(shown) == KEYS
        assert (shown["action"], shown["repository"], shown["pull_request"]) == where


class TestTheFactsThatCount:
    """What FACTS say reaches the decision."""

    def test_logins_have_no_letter_case(self) -> None:
        assert commented("/test e2e gpu=1", author="Alice").shown["decision"] == "run"

    def test_members(self) -> None:
        config = f"trust: [acme/ci]\n{CONFIG}"
        facts = facts_about(permissions={"alice": "read"}, members={"Acme/CI": ["Alice"]})

        assert simulated("pull_request", pull_payload("opened"), config, facts).shown["decision"] == "run"

    def test_the_pusher(self) -> None:
        fork: Any = pull_payload("opened", of=pull(head_repository="alice/widgets"))

        assert pushed(pull_request=fork["pull_request"], pusher="mallory").shown["decision"] == "wait"
        assert pushed(pull_request=fork["pull_request"]).shown["decision"] == "run"

    def test_approvals(self) -> None:
        theirs: Any = pull_payload("opened", of=pull(author="mallory", head_repository="mallory/widgets"))
        shown = pushed(pull_request=theirs["pull_request"], pusher="mallory", approved_shas=[HEAD]).shown

        assert shown["decision"] == "run"

    def test_the_pull_request_as_it_is_now(self) -> None:
        facts = facts_about(pull_request={"state": "closed"})

        assert simulated("pull_request", pull_payload("opened"), facts=facts).shown["decision"] == "ignore"

    def test_a_failed_run_goes_on(self) -> None:
        simulation = commented("/retest", statuses={"unit": "failure", "e2e": "success"})

        assert did(simulation, "trigger") == [
            {"do": "trigger", "pipeline": "unit", "resume": True, "dryrun": False, "inputs": {}}
        ]

    def test_a_failed_run_with_inputs_goes_on(self) -> None:
        simulation = commented("/retest e2e", statuses={"e2e (gpu=2)": "failure"})

        assert [(each["resume"], each["inputs"]) for each in did(simulation, "trigger")] == [
            (True, {"gpu": 2})
        ]

    def test_a_push_takes_the_place_of_what_runs(self) -> None:
        simulation = pushed(runs={"unit": "running"})

        assert pipelines(simulation, "cancel") == ["unit"]
        assert pipelines(simulation, "trigger") == ["unit", "e2e"]

    def test_dags_that_are_listed_are_all(self) -> None:
        simulation = pushed(dags={"others": {}})

        assert simulation.shown["decision"] == "error"
        assert "checks" in str(simulation.shown["reason"])

    def test_params_that_a_dag_does_not_know(self) -> None:
        simulation = pushed(dags={"checks": {"steps": {"type": "object"}}})

        assert simulation.shown["decision"] == "error"
        assert "gpu" in str(simulation.shown["reason"])

    def test_the_bot_s_own_login(self) -> None:
        assert commented("/test", bot_login="ALICE").shown["decision"] == "ignore"

    def test_a_configuration_that_the_pull_request_proposes(self) -> None:
        simulation = pushed(proposed_config="pipelines: 3")

        assert "config (proposed)" in pipelines(simulation, "status")

    @pytest.mark.parametrize(("most", "event"), [(3000, "pull_request"), (300, "merge_group")])
    def test_many_files_may_not_be_all(self, most: int, event: str) -> None:
        config = 'pipelines: {docs: {dag: checks, paths: ["docs/**"]}}'
        payload = pull_payload("opened") if event == "pull_request" else group_payload()
        for count, started in ((most - 1, []), (most, ["docs"])):
            facts = facts_about(changed_files=[f"src/{number}.py" for number in range(count)])
            assert pipelines(simulated(event, payload, config, facts), "trigger") == started


class TestMissingFacts:
    CASES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("who opened it", "/test", {"permissions": {}}, "permissions: alice"),
        ("whether a group trusts", "/test", {"permissions": {"alice": "none"}}, "members: acme"),
        ("the files", "/test", {"changed_files": None}, "changed_files"),
        ("the pull request", "/test", {"pull_request": None}, "pull_request."),
        ("the head", "/test", {"pull_request": {"base": {"ref": "main"}, "head": {}}}, "pull_request.head."),
    )

    @pytest.mark.parametrize(
        ("body", "facts", "said"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
    )
    def test_are_named(self, body: str, facts: dict[str, Any], said: str) -> None:
        payload = comment_payload(body)
        simulation = simulated("issue_comment", payload, f"trust: [acme]\n{CONFIG}", facts_about(**facts))

        assert simulation.missing.startswith(said)
        assert simulation.shown["decision"] == "error"
        assert simulation.missing in str(simulation.shown["reason"])
        assert simulation.shown["actions"] == []
        assert list(simulation.shown) == KEYS
        assert simulation.shown["commands"], "what was read is shown all the same"

    def test_do_not_matter_where_they_change_nothing(self) -> None:
        config = f"trust: [others, acme]\n{CONFIG}"
        facts = facts_about(permissions={}, members={"acme": ["alice"]})

        assert simulated("pull_request", pull_payload("opened"), config, facts).shown["decision"] == "run"

    @pytest.mark.parametrize(
        ("event", "payload"),
        [
            ("ping", {"zen": "x"}),
            ("issue_comment", comment_payload("Nice work!")),
            ("issue_comment", comment_payload("/test", action="deleted")),
            ("pull_request", pull_payload("closed", of=pull(is_open=False))),
            ("pull_request", pull_payload("assigned")),
        ],
    )
    def test_are_none_where_nothing_is_decided(self, event: str, payload: dict[str, Any]) -> None:
        simulation = simulated(event, payload, facts={})

        assert (simulation.missing, simulation.shown["decision"]) == ("", "ignore")


class TestTheConfiguration:
    @pytest.mark.parametrize(
        ("event", "payload"),
        [("issue_comment", comment_payload("/test")), ("pull_request", pull_payload("opened"))],
    )
    def test_without_one_the_bot_is_silent(self, event: str, payload: dict[str, Any]) -> None:
        shown = simulated(event, payload, None).shown

        assert (shown["decision"], shown["actions"]) == ("ignore", [])
        assert "--config" in str(shown["reason"])

    def test_one_that_is_broken_is_an_error_with_its_line(self) -> None:
        simulation = simulated("pull_request", pull_payload("opened"), "pipelines:\n  unit: {dga: checks}")

        assert simulation.missing == ""
        assert simulation.shown["decision"] == "error"
        assert "preflight.yaml:2: " in str(simulation.shown["reason"])


class TestPayloads:
    @pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[]", b"3", b"null", b'"x"', b"[" * 100_000])
    @pytest.mark.parametrize(
        ("event", "decision"), [("pull_request", "error"), ("issue_comment", "error"), ("star", "ignore")]
    )
    def test_that_are_no_object(self, event: str, decision: str, body: bytes) -> None:
        simulation = simulate(event, body, read_facts(b"{}"))

        assert (simulation.missing, simulation.shown["decision"]) == ("", decision)
        assert simulation.shown["repository"] is None

    def test_of_an_event_that_github_never_sends(self) -> None:
        assert simulated("recheck", pull_payload("opened")).shown["decision"] == "ignore"

    def test_can_always_be_written_down(self) -> None:
        assert json.dumps(commented("/test \ud800 unit\n/override unit \ud800").shown)

    @pytest.mark.parametrize(
        ("event", "payload"),
        [
            (
                "merge_group",
                group_payload() | {"merge_group": group_payload()["merge_group"] | {"head_ref": "\ud800"}},
            ),
            ("push", push_payload("refs/heads/\ud800")),
        ],
    )
    def test_with_names_that_are_no_text(self, event: str, payload: dict[str, Any]) -> None:
        assert simulated(event, payload).shown["decision"] in {"run", "ignore"}
