"""What could never end: needs that nobody can start."""

from __future__ import annotations

import pytest

from bot.policy.configuration import ConfigurationError, parse


@pytest.mark.parametrize("event", ["merge_group", "push"])
def test_what_nobody_can_be_asked_to_start_is_no_need(event: str) -> None:
    """A manual pipeline is started by a comment, and nobody comments on a merge group or a branch."""
    yaml = f"""
        pipelines:
          deploy: {{dag: deploy, manual: true, on: [pull_request, {event}]}}
          smoke: {{dag: smoke, on: {event}, needs: [deploy]}}
    """
    with pytest.raises(ConfigurationError, match="deploy"):
        parse(yaml.encode())


def test_on_pull_requests_a_manual_pipeline_may_be_needed() -> None:
    yaml = """
        pipelines:
          deploy: {dag: deploy, manual: true, on: pull_request}
          smoke: {dag: smoke, on: pull_request, needs: [deploy]}
    """
    assert list(parse(yaml.encode()).pipelines) == ["deploy", "smoke"]
