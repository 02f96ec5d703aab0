from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.commands import parse
from bot.models import CancelKind, StatusState
from bot.policy.configuration import Pipeline
from bot.policy.decision import (
    Answer,
    Approve,
    CancelRuns,
    Decision,
    DecisionKind,
    Forget,
    Notify,
    Recheck,
    Rename,
    ResumeRun,
    ShowStatus,
    StartRun,
)
from bot.simulate.show import show_actions, show_comment
from tests.examples import REPOSITORY, run

if TYPE_CHECKING:
    from bot.policy.decision import Action

UNIT = Pipeline(dag="checks")
START = StartRun("unit", UNIT, "push")
TRIGGER = {"do": "trigger", "pipeline": "unit", "resume": False, "dryrun": False, "inputs": {}}

ACTIONS: tuple[tuple[str, Action, list[dict[str, object]]], ...] = (
    ("a start", START, [TRIGGER]),
    (
        "a start with inputs",
        StartRun("unit", UNIT, "command", {"gpu": 1}),
        [TRIGGER | {"inputs": {"gpu": 1}}],
    ),
    ("a dry run", StartRun("unit", UNIT, "command", dryrun=True, comment_id=7), [TRIGGER | {"dryrun": True}]),
    ("a resumption", ResumeRun(run("unit")), [TRIGGER | {"resume": True}]),
    (
        "two cancellations",
        CancelRuns((run("unit"), run("e2e")), CancelKind.COMMAND, "by alice"),
        [
            {"do": "cancel", "pipeline": "unit", "reason": "by alice"},
            {"do": "cancel", "pipeline": "e2e", "reason": "by alice"},
        ],
    ),
    (
        "a status",
        ShowStatus("preflight/docs", "docs", StatusState.SUCCESS, "skipped: x"),
        [{"do": "status", "pipeline": "docs", "state": "success", "description": "skipped: x"}],
    ),
    (
        "an override",
        ShowStatus("preflight/docs", "docs", StatusState.SUCCESS, "x", override=True),
        [{"do": "status", "pipeline": "docs", "state": "success", "description": "x", "override": True}],
    ),
    (
        "a status that is no pipeline's",
        ShowStatus("preflight/config", "", StatusState.FAILURE, "x"),
        [{"do": "status", "pipeline": "config", "state": "failure", "description": "x"}],
    ),
    ("a reaction", Answer(7), [{"do": "react", "content": "eyes"}]),
    ("an answer", Answer(7, "No."), [{"do": "react", "content": "eyes"}, {"do": "reply", "text": "No."}]),
    ("a notice", Notify("Look."), [{"do": "comment", "text": "Look."}]),
    ("no notice", Notify(""), []),
    ("an approval", Approve("1a2b"), [{"do": "approve", "sha": "1a2b"}]),
    (
        "a new look",
        Recheck(REPOSITORY, 3),
        [{"do": "recheck", "repository": "acme/widgets", "pull_request": 3}],
    ),
    ("a new name", Rename(REPOSITORY), [{"do": "rename", "repository": "acme/widgets"}]),
    ("a new access", Forget(REPOSITORY), [{"do": "forget", "repository": "acme/widgets"}]),
)


def decided(*actions: Action) -> Decision:
    return Decision(DecisionKind.RUN, "because", actions)


@pytest.mark.parametrize(
    ("action", "shown"), [case[1:] for case in ACTIONS], ids=[case[0] for case in ACTIONS]
)
def test_an_action_is_shown(action: Action, shown: list[dict[str, object]]) -> None:
    assert show_actions(decided(action)) == shown


def test_a_description_is_cut_as_github_wants_it() -> None:
    (shown,) = show_actions(decided(ShowStatus("preflight/docs", "docs", StatusState.SUCCESS, "x\n" * 500)))

    assert 100 < len(str(shown["description"])) <= 140
    assert "\n" not in str(shown["description"])


def test_actions_stand_in_one_order() -> None:
    actions = [action for _, action, _ in ACTIONS]
    shown = [each["do"] for each in show_actions(decided(*actions))]

    assert list(dict.fromkeys(shown)) == [
        "react", "approve", "cancel", "trigger", "status", "comment", "rename", "forget", "recheck", "reply"
    ]  # fmt: skip
    assert shown == [each["do"] for each in show_actions(decided(*reversed(actions)))]


def test_commands_are_shown_as_they_were_read() -> None:
    commands, errors = show_comment(parse("/test unit gpu=1 --dryrun\n\n/tset"))

    assert commands == [
        {"name": "test", "pipelines": ["unit"], "dryrun": True, "inputs": {"gpu": "1"}, "line": 1}
    ]
    assert errors == [{"line": 3, "text": "/tset", "suggestion": "/test"}]
