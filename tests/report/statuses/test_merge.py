from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Status, StatusState
from bot.report.statuses.merge import WORST_FIRST, merge

ERROR, FAILURE, PENDING, SUCCESS = WORST_FIRST


def status(state: StatusState, description: str, page: str = "") -> Status:
    return Status("preflight/unit", state, description, page)


GREEN = status(SUCCESS, "3 steps passed in 1m20s", "/green")
RUNNING = status(PENDING, "1/3 steps passed, test running", "/running")
RED = status(FAILURE, "test failed: exit 1 after 42s", "/red")
OVERRIDDEN = status(SUCCESS, "overridden by @hubot: the runner is down")
BROKEN = status(ERROR, "cancelled: by octocat", "/broken")


@pytest.mark.parametrize(
    ("statuses", "merged"),
    [
        pytest.param({12: GREEN}, GREEN, id="one is itself"),
        pytest.param(
            {12: GREEN, 15: RUNNING},
            status(PENDING, "#12: 3 steps passed in 1m20s; #15: 1/3 steps passed, test running", "/running"),
            id="pending hides green",
        ),
        pytest.param(
            {15: RUNNING, 12: RED},
            status(
                FAILURE, "#12: test failed: exit 1 after 42s; #15: 1/3 steps passed, test running", "/red"
            ),
            id="red hides pending",
        ),
        pytest.param(
            {12: RED, 15: BROKEN},
            status(ERROR, "#12: test failed: exit 1 after 42s; #15: cancelled: by octocat", "/broken"),
            id="an error hides red",
        ),
        pytest.param(
            {15: GREEN, 12: GREEN},
            status(SUCCESS, "#12, #15: 3 steps passed in 1m20s", "/green"),
            id="the same twice",
        ),
    ],
)
def test_pending_or_worse_wins_and_both_are_named(statuses: dict[int, Status], merged: Status) -> None:
    assert merge(statuses) == merged


def test_an_override_is_about_one_pull_request_only() -> None:
    merged = merge({12: OVERRIDDEN, 15: RED})
    assert merged.state is FAILURE
    assert (
        merged.description
        == "#12: overridden by @hubot: the runner is down; #15: test failed: exit 1 after 42s"
    )
    assert merge({12: OVERRIDDEN, 15: GREEN}).state is SUCCESS


def test_a_branch_is_called_so() -> None:
    assert merge({12: RED, -8123456789012345: GREEN}).description == (
        "branch: 3 steps passed in 1m20s; #12: test failed: exit 1 after 42s"
    )


def login(number: int) -> str:
    return f"{number:039}"


@given(
    st.dictionaries(
        st.one_of(st.integers(1, 10**7), st.integers(-(2**56), -1)),
        st.tuples(st.integers(0, 9), st.text(alphabet="ab ", max_size=140)),
        min_size=1,
        max_size=8,
    )
)
def test_who_overrode_is_named_whole_or_not_at_all(overrides: dict[int, tuple[int, str]]) -> None:
    merged = merge(
        {
            number: status(SUCCESS, f"overridden by @{login(who)}: {reason}"[:140])
            for number, (who, reason) in overrides.items()
        }
    )
    named = re.findall(r"@([^\s:;…]*)", merged.description)
    assert named
    assert set(named) <= {login(who) for who, _ in overrides.values()}
    assert len(merged.description) <= 140


def test_long_descriptions_share_the_room() -> None:
    long = status(PENDING, "waiting for " + "one thing after another " * 20)
    merged = merge({12: GREEN, 15: long})
    assert len(merged.description) <= 140
    assert merged.description.startswith("#12: 3 steps passed in 1m20s; #15: waiting for one thing")


def test_of_many_pull_requests_the_worst_are_named() -> None:
    merged = merge({**dict.fromkeys(range(1, 21), GREEN), 30: RED})
    assert merged.state is FAILURE
    assert merged.description == "; ".join(
        (
            "#1: 3 steps passed in 1m20s",
            "#2: 3 steps passed in 1m20s",
            f"#30: {RED.description}",
            "and 18 more",
        )
    )


def test_nothing_to_merge_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no status"):
        merge({})


@given(
    st.dictionaries(
        st.integers(1, 10**7),
        st.builds(status, st.sampled_from(WORST_FIRST), st.text(alphabet="ab ", max_size=140)),
        min_size=1,
        max_size=8,
    )
)
def test_a_merged_status_is_the_worst_and_fits(statuses: dict[int, Status]) -> None:
    merged = merge(statuses)
    assert WORST_FIRST.index(merged.state) == min(WORST_FIRST.index(one.state) for one in statuses.values())
    assert len(merged.description) <= 140
    if len(statuses) == 2:
        assert all(f"#{number}" in merged.description for number in statuses)
