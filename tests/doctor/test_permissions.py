from __future__ import annotations

import pytest

from bot import events
from bot.doctor.permissions import EVENTS, judge_events, judge_permissions
from bot.models.doctor import SeenApp, SeenInstallation
from tests.doctor.findings import said, verdicts

GRANTED = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "issues": "write",
    "statuses": "write",
    "checks": "write",
    "merge_queues": "read",
    "members": "read",
}
WANTED = [event for event in events.parsers() if not events.is_ours(event)]
SUBSCRIBED = frozenset(EVENTS)


def app(permissions: dict[str, str]) -> SeenApp:
    return SeenApp(
        slug="preflight", owner="acme", permissions=permissions, events=SUBSCRIBED, page="https://g/apps/p"
    )


def changed(**levels: str | None) -> dict[str, str]:
    return {key: level for key, level in (GRANTED | levels).items() if level is not None}


@pytest.mark.parametrize(
    ("lacking", "verdict", "name", "lost"),
    [
        pytest.param({"statuses": None}, "broken", "Commit statuses: write", "no result", id="statuses"),
        pytest.param({"statuses": "read"}, "broken", "Commit statuses: write", "no result", id="level"),
        pytest.param({"contents": None}, "broken", "Contents: read", "preflight.yaml", id="contents"),
        pytest.param({"issues": "read"}, "broken", "Issues: write", "/test", id="issues"),
        pytest.param({"pull_requests": "read"}, "broken", "Pull requests: write", "commented", id="pulls"),
        pytest.param({"metadata": None}, "broken", "Metadata: read", "nothing works", id="metadata"),
        pytest.param({"checks": "read"}, "warning", "Checks: write", "check runs", id="checks"),
        pytest.param({"merge_queues": None}, "warning", "Merge queues: read", "queues", id="queues"),
        pytest.param({"members": None}, "broken", "Members (of the organisation)", "member", id="members"),
        pytest.param({"statuses": "strange"}, "broken", "Commit statuses", "no result", id="unknown level"),
    ],
)
def test_a_permission_that_the_app_lacks(
    lacking: dict[str, str | None], verdict: str, name: str, lost: str
) -> None:
    seen = changed(**lacking)
    installation = SeenInstallation(account="acme", permissions=seen)

    found = judge_permissions(app(seen), [installation], groups=True)

    assert verdicts(found) == [verdict]  # said once, not again for each installation
    assert name in said(found)
    assert lost in said(found)
    assert "https://g/apps/p" in said(found)


def test_more_than_what_is_needed_is_fine() -> None:
    found = judge_permissions(app(changed(contents="write", administration="admin")), [], groups=True)

    assert verdicts(found) == ["ok"]


def test_members_are_nobodys_business_where_no_group_is_trusted() -> None:
    assert verdicts(judge_permissions(app(changed(members=None)), [], groups=False)) == ["ok"]


def test_an_account_that_has_not_accepted_new_permissions() -> None:
    installations = [
        SeenInstallation(account="acme", permissions=GRANTED),
        SeenInstallation(account="beta", permissions=changed(statuses="read"), page="https://g/settings/7"),
    ]

    found = judge_permissions(app(GRANTED), installations, groups=True)

    assert verdicts(found) == ["broken"]
    assert "beta has not yet granted Commit statuses: write" in said(found)
    assert "https://g/settings/7" in said(found)


@pytest.mark.parametrize(
    ("subscribed", "writes_checks", "expected", "name"),
    [
        pytest.param(SUBSCRIBED, False, ["ok"], "", id="all"),
        pytest.param({"*"}, False, ["ok"], "", id="everything"),
        pytest.param(SUBSCRIBED - {"issue_comment"}, True, ["broken"], "'Issue comment'", id="comments"),
        pytest.param(SUBSCRIBED - {"pull_request"}, True, ["broken"], "'Pull request'", id="pulls"),
        pytest.param(SUBSCRIBED - {"push"}, True, ["broken"], "'Push'", id="pushes"),
        pytest.param(SUBSCRIBED - {"merge_group"}, True, ["warning"], "'Merge group'", id="queues"),
        pytest.param(SUBSCRIBED - {"check_run"}, True, ["ok"], "", id="an App with checks gets them"),
        pytest.param(SUBSCRIBED - {"check_run"}, False, ["warning"], "'Check run'", id="without it does not"),
    ],
)
def test_the_events_that_a_webhook_brings(
    *, subscribed: set[str], writes_checks: bool, expected: list[str], name: str
) -> None:
    found = judge_events(subscribed, WANTED, "the hook", "tick it", writes_checks=writes_checks)

    assert verdicts(found) == expected
    assert name in said(found)


def test_every_event_that_means_something_to_us_has_githubs_name_or_comes_by_itself() -> None:
    assert set(WANTED) == set(EVENTS) | {"ping", "installation", "installation_repositories"}
