from __future__ import annotations

from dataclasses import replace

import pytest

from bot.doctor.permissions import WITH_CHECKS
from bot.doctor.token import judge_hooks, judge_token, judge_writing
from bot.models import Quota, Repository
from bot.models.doctor import SeenHook, SeenRepository, SeenToken
from tests.doctor.findings import said, verdicts
from tests.doctor.test_permissions import SUBSCRIBED, WANTED
from tests.doctor.test_webhook import log

URL = "https://bot.example.com"
SEEN = SeenRepository(repository=Repository(7, "acme/app"), default_branch="main")
HOOK = SeenHook(
    url=f"{URL}/webhook",
    content_type="json",
    has_secret=True,
    events=SUBSCRIBED - WITH_CHECKS,
    deliveries=log(202),
)
OTHERS = replace(HOOK, url="https://ci.example.com/hook", events=frozenset({"push"}))
NEEDED = [event for event in WANTED if event not in WITH_CHECKS]


@pytest.mark.parametrize(
    ("scopes", "expected", "words"),
    [
        pytest.param({"repo", "read:org"}, ["ok"], "we are preflight-bot", id="classic"),
        pytest.param(None, ["ok"], "preflight-bot", id="fine-grained: nobody tells"),
        pytest.param({"public_repo"}, ["ok", "warning"], "private repositories", id="public ones only"),
        pytest.param({"repo:status"}, ["ok", "broken"], "the scope repo", id="too little"),
        pytest.param(set(), ["ok", "broken"], "scopes are none", id="nothing"),
    ],
)
def test_whose_token_it_is_and_what_it_may(scopes: set[str] | None, expected: list[str], words: str) -> None:
    token = SeenToken(login="preflight-bot", scopes=None if scopes is None else frozenset(scopes))

    found = list(judge_token(token))

    assert verdicts(found) == expected
    assert words in said(found)


def test_what_is_left_of_the_hour_is_told() -> None:
    token = SeenToken(login="bot", scopes=None, quota=Quota(5000, 10, 1200.0))

    assert verdicts(judge_token(token)) == ["ok", "warning"]


@pytest.mark.parametrize(
    ("may_push", "told", "verdict"),
    [
        pytest.param(True, True, "ok", id="may"),
        pytest.param(None, True, "ok", id="may, as GitHub's answer shows"),
        pytest.param(True, False, "broken", id="its user may, the token may not"),
        pytest.param(False, True, "broken", id="its user may not"),
        pytest.param(True, None, "skipped", id="nobody knows"),
    ],
)
def test_whether_it_may_write(*, may_push: bool | None, told: bool | None, verdict: str) -> None:
    found = judge_writing("acme/app", may_push=may_push, told=told)

    assert verdicts(found) == [verdict]
    assert "acme/app" in said(found)


@pytest.mark.parametrize(
    ("seen", "hooks", "expected", "words"),
    [
        pytest.param(SEEN, [HOOK], ["ok", "ok", "ok"], "leads to", id="right"),
        pytest.param(SEEN, [OTHERS, HOOK], ["ok", "ok", "ok"], "leads to", id="beside another program's"),
        pytest.param(SEEN, None, ["warning"], "Recent Deliveries", id="hidden"),
        pytest.param(SEEN, [], ["warning"], "unless its organisation has one", id="none"),
        pytest.param(SEEN, [OTHERS], ["warning"], "no webhook", id="only another program's"),
        pytest.param(
            replace(SEEN, owner_is_user=True),
            [],
            ["broken"],
            f"{URL}/webhook, content type",
            id="none, a person's",
        ),
        pytest.param(
            SEEN,
            [replace(HOOK, url="https://old.example.com/webhook", deliveries=log(0))],
            ["broken", "ok", "broken"],
            "old.example.com",
            id="it leads elsewhere",
        ),
        pytest.param(
            SEEN,
            [replace(HOOK, events=HOOK.events - {"issue_comment"} if HOOK.events else None)],
            ["ok", "broken", "ok"],
            "'Issue comment'",
            id="an event is missing",
        ),
        pytest.param(
            SEEN,
            [replace(HOOK, deliveries=log(401))],
            ["ok", "ok", "broken"],
            "secrets differ",
            id="another secret",
        ),
        pytest.param(
            SEEN,
            [replace(HOOK, url=f"{URL}/hooks")],
            ["warning", "ok", "ok"],
            "somebody there takes",
            id="another path, which somebody takes",
        ),
    ],
)
def test_the_webhook_of_a_repository(
    seen: SeenRepository, hooks: list[SeenHook] | None, expected: list[str], words: str
) -> None:
    found = judge_hooks(seen, hooks, URL, NEEDED)

    assert verdicts(found) == expected
    assert words in said(found)
