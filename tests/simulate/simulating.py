"""Simulations with alice, who may write, on an ordinary pull request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.simulate import Config, Simulation, read_facts, simulate
from tests.examples import comment_payload, pull_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = """
pipelines:
  unit: {dag: checks}
  e2e: {dag: checks, inputs: {gpu: {type: integer}}}
  docs: {dag: checks, paths: ["docs/**"]}
"""


def facts_about(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    """All that is needed to decide about the ordinary pull request, unless said otherwise."""
    payload: Any = pull_payload("opened")
    return {
        "permissions": {"alice": "write", "mallory": "read"},
        "changed_files": ["src/app.py"],
        "pull_request": payload["pull_request"],
        "now": "2026-03-04T12:00:00Z",
    } | more


def simulated(
    event: str,
    payload: Mapping[str, object],
    config: str | None = CONFIG,
    facts: Mapping[str, object] | None = None,
) -> Simulation:
    """What the bot would do."""
    given = read_facts(json.dumps(facts_about() if facts is None else facts).encode())
    file = None if config is None else Config(config.encode(), "preflight.yaml")
    return simulate(event, json.dumps(payload).encode(), given, file)


def commented(body: str, *, author: str = "alice", **facts: Any) -> Simulation:  # noqa: ANN401 - likewise
    """What a comment leads to."""
    return simulated("issue_comment", comment_payload(body, author=author), facts=facts_about(**facts))


def pushed(action: str = "synchronize", **facts: Any) -> Simulation:  # noqa: ANN401 - likewise
    """What a push to the pull request leads to."""
    payload = pull_payload(action) | {"before": "b" * 40}
    return simulated("pull_request", payload, facts=facts_about(**facts))


def did(simulation: Simulation, kind: str) -> list[Any]:
    """The actions of a kind."""
    actions: Any = simulation.shown["actions"]
    return [action for action in actions if action["do"] == kind]


def pipelines(simulation: Simulation, kind: str) -> list[str]:
    """The pipelines that actions of a kind are about."""
    return [action["pipeline"] for action in did(simulation, kind)]
