"""Webhook to first status: from when GitHub begins to send `opened` until the first status arrives.

Caches are warm (the first two pull requests are left out) and nothing else happens. The baseline is
what can't be saved: the time that a webhook which is stored and then ignored takes to be answered, and one
bare `POST .../statuses/SHA` to the same GitHub over a kept connection.
"""

from __future__ import annotations

import http.client
import json
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.bench import webhook
from tests.bench.figures import Figure, NotMeasured, median, percentile
from tests.bench.github_requests import endpoint
from tests.bench.system import DEVELOPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.pull_requests import Life
    from tests.bench.system import Bot, System
    from tests.github_standin.records import LoggedRequest

_P50_GOAL, _P99_GOAL = 150.0, 1000.0
_MS = 1000.0
_SECONDS = 10.0


def figures(system: System, bot: Bot, warm: Sequence[Life]) -> list[Figure]:
    """p50 and p99, in milliseconds."""
    took = [(life.first_status_at - life.sent_at) * _MS for life in warm]
    answered = _webhooks_answered(bot, len(warm))
    posted = _statuses_posted(system, bot, len(warm))
    name = "webhook to first status sent"
    return [
        Figure(
            f"{name}, {title}",
            percentile(took, share),
            "ms",
            goal,
            {
                "the webhook answered": percentile(answered, share),
                "a bare status": percentile(posted, share),
            },
            details={"pull_requests": len(warm), **more},
        )
        for title, share, goal, more in (
            ("p50", 0.5, _P50_GOAL, {"timeline_ms": timeline(warm)}),
            ("p99", 0.99, _P99_GOAL, {}),
        )
    ]


def timeline(warm: Sequence[Life]) -> list[tuple[str, float]]:
    """What happened after how many milliseconds (medians), until the first status was answered."""
    by_path = [_requests_until_status(life) for life in warm]
    usual = median([len(requests) for requests in by_path])
    chosen = [
        (life, requests)
        for life, requests in zip(warm, by_path, strict=True)
        if len(requests) == usual and requests[-1].path.split("/")[-2] == "statuses"
    ]
    moments = [("webhook answered", median([(life.answered_at - life.sent_at) * _MS for life, _ in chosen]))]
    for index in range(int(usual)):
        label = endpoint(chosen[0][1][index])
        for what in ("received", "answered"):
            after = [(getattr(all_[index], f"{what}_at") - life.sent_at) * _MS for life, all_ in chosen]
            moments.append((f"{label} {what}", median(after)))
    return [(what, round(after, 1)) for what, after in sorted(moments, key=lambda moment: moment[1])]


def _requests_until_status(life: Life) -> list[LoggedRequest]:
    return [request for request in life.requests if request.received_at <= life.first_status_at + 0.001]


def _webhooks_answered(bot: Bot, count: int) -> list[float]:
    """Milliseconds until a webhook that starts nothing was answered, each over a new connection."""
    content = webhook.body()
    address = urlsplit(bot.webhook)
    took = []
    for _ in range(count):
        headers = webhook.headers(str(uuid.uuid4()), content) | {"Connection": "close"}
        began = time.perf_counter()
        connection = http.client.HTTPConnection(address.netloc, timeout=_SECONDS)
        _post(connection, address.path, content, headers, expected=202)
        took.append((time.perf_counter() - began) * _MS)
        connection.close()
        time.sleep(0.05)  # the worker looks at it and lets it be
    return took


def _statuses_posted(system: System, bot: Bot, count: int) -> list[float]:
    """Milliseconds that a status takes, without a bot."""
    sha = bot.repository.tip()
    api = urlsplit(system.github.api_url)
    content = json.dumps({"state": "pending", "context": "bench", "description": "a baseline"}).encode()
    headers = {
        "Authorization": f"Bearer {system.github.user(DEVELOPER).token}",
        "Content-Type": "application/json",
        "User-Agent": "bench",
    }
    connection = http.client.HTTPConnection(api.netloc, timeout=_SECONDS)
    took = []
    for _ in range(count):
        began = time.perf_counter()
        path = f"{api.path}/repos/{bot.repository.full_name}/statuses/{sha}"
        _post(connection, path, content, headers, expected=201)
        took.append((time.perf_counter() - began) * _MS)
    connection.close()
    return took


def _post(
    connection: http.client.HTTPConnection,
    path: str,
    content: bytes,
    headers: dict[str, str],
    *,
    expected: int,
) -> None:
    try:
        connection.request("POST", path, content, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise NotMeasured(f"POST {path} failed: {error!r}") from error
    if response.status != expected:
        raise NotMeasured(f"POST {path} was answered with {response.status}: {text[:200]}")
