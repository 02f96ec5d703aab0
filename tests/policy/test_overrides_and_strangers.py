"""A command that runs nothing takes back nothing: whoever gives it, a maintainer's override stays."""

from __future__ import annotations

import pytest

from bot.models import Status, StatusState, Verdict
from tests.examples import pull
from tests.policy.deciding import Known, comment, shown, started

MALLORYS = pull(author="mallory", head_repository="mallory/widgets")


def overridden(pipeline: str) -> Verdict:
    """What a maintainer's `/override` left."""
    context = f"preflight/{pipeline}"
    said = Status(context, StatusState.SUCCESS, "overridden by @rita: flaky")
    return Verdict(context, pipeline, status=said, override=True)


@pytest.mark.parametrize("body", ["/test unit", "/test", "/dryrun unit"])
def test_on_an_untrusted_head(body: str) -> None:
    decision = Known(pull=MALLORYS, verdicts=(overridden("unit"),)).decide(comment(body, "mallory"))
    assert (shown(decision), started(decision)) == ({}, [])


def test_of_a_pipeline_that_does_not_apply() -> None:
    known = Known(yaml="pipelines: {docs: {dag: docs, paths: [docs/**]}}", verdicts=(overridden("docs"),))
    assert shown(known.decide(comment("/test", "mallory"))) == {}
