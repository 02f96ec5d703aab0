from __future__ import annotations

import pytest

from tests.bench import webhook
from tests.bench.receivers import application

CONTENT = webhook.body(7)


@pytest.mark.parametrize(("changed", "status"), [(b"", 202), (b" ", 401)])
def test_what_the_bot_is_compared_with_verifies_and_then_keeps(changed: bytes, status: int) -> None:
    kept: list[tuple[str, str, bytes]] = []
    app = application(lambda *delivery: kept.append(delivery))
    answer = app.test_client().post(
        "/webhook", data=CONTENT + changed, headers=webhook.headers("an id", CONTENT)
    )
    assert answer.status_code == status
    assert kept == ([("an id", "pull_request", CONTENT)] if status == 202 else [])
