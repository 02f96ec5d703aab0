"""`/help`: the pipelines of this pull request, and the commands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import commands
from bot.models import Outcome, Phase
from bot.policy.decision import Answer, DecisionKind
from tests.examples import run
from tests.policy.deciding import Known, answer, comment, kinds

YAML = """
pipelines:
  unit: {dag: checks, paths: ["src/**"]}
  deploy:
    dag: deploy
    manual: true
    needs: [unit]
    inputs:
      zone: {choices: [eu, us], default: eu, description: Where it goes}
  nightly: {dag: nightly, on: push}
"""
PASSED = replace(run(), phase=Phase.FINISHED, outcome=Outcome.SUCCESS)


@pytest.mark.parametrize("body", ["/help", "/test ?", "/HELP me"])
@pytest.mark.parametrize("who", ["alice", "mallory"])
def test_is_for_anyone(body: str, who: str) -> None:
    decision = Known(yaml=YAML, runs=(PASSED,)).decide(comment(body, who))
    assert kinds(decision) == [Answer]
    assert decision.kind is DecisionKind.RUN
    reply = str(answer(decision))
    assert "| `unit` | pull request, merge group, changing " in reply
    assert "| passed |" in reply
    assert "| `deploy` | by command only, after unit | not run yet |" in reply
    assert "- `/test deploy zone=...` one of eu, us, by default eu: Where it goes" in reply
    assert "nightly" not in reply


@pytest.mark.parametrize("name", commands.modules())
def test_lists_every_command_with_its_own_help(name: str) -> None:
    module = commands.modules()[name]
    reply = str(answer(Known().decide(comment("/help"))))
    assert f"| `{module.USAGE}` | {module.WHO} | {module.HELP} |" in reply


def test_of_a_broken_configuration_shows_what_is_wrong() -> None:
    reply = str(answer(Known(yaml="pipelines: 3").decide(comment("/help"))))
    assert "preflight.yaml:1:" in reply
    assert "/retest" in reply
