"""Whatever the payload and FACTS hold: an answer in the one shape, and never an exception."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.simulate import Config, read_facts, simulate
from bot.simulate.given import FactsUnreadable
from tests.examples import comment_payload, pull_payload
from tests.simulate.simulating import CONFIG, facts_about
from tests.simulate.test_simulate import KEYS, group_payload, push_payload

DECISIONS = {"run", "ignore", "deny", "wait", "error"}
EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("pull_request", pull_payload("opened")),
    ("pull_request", pull_payload("synchronize") | {"before": "b" * 40}),
    ("pull_request", pull_payload("edited") | {"changes": {"base": {"ref": {"from": "dev"}}}}),
    ("issue_comment", comment_payload("/test\n/retest\n/cancel\n/help\n/override unit x\n/ok-to-test")),
    ("merge_group", group_payload()),
    ("push", push_payload()),
)
FACTS = facts_about(
    members={"acme": ["bob"]},
    statuses={"unit": "failure", "e2e (gpu=1)": "success", "config": "failure"},
    runs={"unit": "failure", "docs": "running"},
    dags={"checks": {"gpu": {"type": "integer"}}},
    approved_shas=["1a2b3c4d5e6f"],
    pusher="mallory",
    proposed_config="pipelines: {}",
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "", "a/b", "0"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """The object with some of its values, however deep, taken away or replaced."""
    broken = copy.deepcopy(whole)
    for _ in range(draw(st.integers(0, 3))):
        at: Any = broken
        while True:
            keys = sorted(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and draw(st.booleans()):
                at = at[key]
                continue
            if draw(st.booleans()):
                at[key] = draw(JSON)
            else:
                del at[key]
            break
    return broken


@pytest.mark.parametrize(
    ("event", "payload"), EVENTS, ids=[f"{event}-{n}" for n, (event, _) in enumerate(EVENTS)]
)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_payloads_and_facts(event: str, payload: dict[str, Any], data: st.DataObject) -> None:
    body = json.dumps(data.draw(damaged(payload))).encode()
    try:
        facts = read_facts(json.dumps(data.draw(damaged(FACTS))).encode())
    except FactsUnreadable:
        facts = read_facts(b"{}")

    check(event, body, facts)


@given(event=st.sampled_from([event for event, _ in EVENTS]) | st.text(), payload=JSON)
def test_any_json(event: str, payload: object) -> None:
    check(event, json.dumps(payload).encode(), read_facts(b"{}"))


@given(body=st.text(alphabet="/ \n\r`>tesrycancl?=-\ud800é{}", max_size=200))
def test_any_comment(body: str) -> None:
    check("issue_comment", json.dumps(comment_payload(body)).encode(), read_facts(json.dumps(FACTS).encode()))


def check(event: str, body: bytes, facts: Any) -> None:  # noqa: ANN401 - Given is no business of this test
    simulation = simulate(event, body, facts, Config(CONFIG.encode(), "preflight.yaml"))

    assert list(simulation.shown) == KEYS
    assert simulation.shown["decision"] in DECISIONS
    assert simulation.shown["reason"]
    assert not simulation.missing or simulation.shown["decision"] == "error"
    assert json.loads(json.dumps(simulation.shown))
