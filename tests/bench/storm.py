"""10,000 deliveries for 500 pull requests at once, 2 workers, and GitHub's limits.

Twenty for each pull request: it was opened, pushed to and labelled, and things happened to it that mean
nothing to the bot, in an order that mixes all of them; one of twenty comes twice, as GitHub's do at times.
Then it is waited until each was handled and each pull request has its first status; its run goes on, so
that nothing else is final. The stand-in refuses what exceeds GitHub's limits, and Airflow is the quick one.
What can't be undercut is the time that GitHub's points want for 500 statuses: 5 each, 900 a minute, of which
the first 900 are free at once.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from tests.bench.burst import FLAT, most_points
from tests.bench.eight_steps import configuration
from tests.bench.figures import Figure, NotMeasured, median
from tests.bench.github_requests import endpoint
from tests.bench.memory import resident_megabytes
from tests.bench.quick_airflow import QuickAirflow
from tests.bench.system import DEVELOPER, connected, running_bot
from tests.bench.webhook import SECRET
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

    from deploy.local.console import Console
    from tests.bench.system import Bot, System
    from tests.github_standin.records import LoggedRequest

PULLS, EACH, TWICE = 500, 20, 20
"""One delivery of `TWICE` comes twice."""

STATUS_GOAL = 240.0
SENDERS = 16
_NAME = "storm"
_RUNNING_SECONDS = 1800.0
_PATIENCE_SECONDS = 900.0
_LONG_AGO = 10 * 24 * 3600.0
# What a proposed configuration is worth is checked by and by, long after the storm.
_UNHANDLED = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'working') AND event <> 'proposal'"
_STORED = "SELECT id, state FROM deliveries"


@dataclass(frozen=True)
class Storm:
    """What became of one."""

    lost: int
    """Deliveries that nobody handled, and pull requests without a run."""
    doubled: int
    """Runs, and comments, beyond the first of a pull request."""
    first_statuses: Sequence[float]
    """Seconds since the storm began."""
    handled: float
    requests: Sequence[LoggedRequest]
    megabytes: tuple[float, float, float]
    """Of both workers: before, when half was handled, afterwards."""

    @property
    def refused(self) -> list[LoggedRequest]:
        """What was over a limit."""
        return [each for each in self.requests if each.limit]


def figures(system: System, console: Console, *, pulls: int) -> list[Figure]:
    """What was lost, doubled and refused, how long the last one waited, and the workers' memory.

    Raises:
        NotMeasured: a delivery was not accepted, or it does not end.
    """
    count = pulls * EACH
    with (
        console.phase(f"{count:,} deliveries for {pulls} pull requests"),
        running_bot(
            system, _NAME, nudged=True, configuration=configuration(_RUNNING_SECONDS), heard=False, workers=2
        ) as bot,
    ):
        storm = _storm(system, bot, pulls)
    name = f"{count:,} deliveries for {pulls} pull requests"
    points_alone = max(0.0, 60 * (pulls * 5 - 900) / 900)
    details = {
        "airflow": "quick",
        "by_endpoint": dict(Counter(map(endpoint, storm.requests)).most_common()),
        "most_points_in_a_minute": most_points(storm.requests),
        "refused_for": dict(Counter(each.limit for each in storm.refused)),
        "seconds_until_all_were_handled": storm.handled,
    }
    before, middle, after = storm.megabytes
    refused = len(storm.refused)
    return [
        Figure(f"{name}: lost", storm.lost, "deliveries", 0, {"sent": count}, details=details),
        Figure(f"{name}: doubled", storm.doubled, "runs", 0, {"runs": pulls}),
        Figure(f"{name}: refused by GitHub", refused, "requests", 0, {"sent": len(storm.requests)}),
        Figure(
            f"{name}: first status of the last",
            max(storm.first_statuses),
            "s",
            STATUS_GOAL,
            {"the median": median(storm.first_statuses), "GitHub's points alone": points_alone},
        ),
        Figure(
            f"{name}: memory of both workers",
            after,
            "MB",
            FLAT * middle,
            {"before": before, "in the middle": middle},
        ),
    ]


def _storm(system: System, bot: Bot, pulls: int) -> Storm:
    assert isinstance(system.airflow, QuickAirflow)
    opened = _opened(system, bot, pulls)
    system.github.age_deliveries(_LONG_AGO)  # nobody is to ask for them again
    sent = [str(uuid.uuid4()) for _ in range(pulls * EACH)]
    before = _megabytes(bot)
    mark, began = system.github.mark(), time.time()
    sender = threading.Thread(target=_send_all, args=(bot, list(zip(sent, mixed(opened), strict=True))))
    sender.start()
    with connected(system.postgres, f"bot_{_NAME}") as connection:
        try:
            wait_for(lambda: _handled(connection) > len(sent) / 2, _PATIENCE_SECONDS, 0.5)
            middle = _megabytes(bot)
            sender.join()
            wait_for(lambda: _count(connection, _UNHANDLED) == 0, _PATIENCE_SECONDS, 1.0)
            handled = time.time() - began
            wait_for(lambda: len(_first(system, mark)) >= pulls, _PATIENCE_SECONDS, 3.0)
        except TimeoutError as error:
            left = _count(connection, _UNHANDLED)
            raise NotMeasured(
                f"{left} deliveries are left, {len(_first(system, mark))} of {pulls} have a status"
            ) from error
        stored: dict[str, str] = dict(connection.execute(_STORED.encode()).fetchall())
    runs = Counter(name.split("~")[4] for name in list(system.airflow.runs) if f"~{_NAME}~" in name)
    comments = [len(pull.comments(by=bot.login)) for pull in bot.repository.pulls()]
    lost = sum(stored.get(each) not in ("done", "ignored") for each in sent)
    return Storm(
        lost=lost + max(0, pulls - len(runs)),
        doubled=sum(count - 1 for count in (*runs.values(), *comments) if count > 1),
        first_statuses=[at - began for at in _first(system, mark).values()],
        handled=handled,
        requests=system.github.requests(mark),
        megabytes=(before, middle, _megabytes(bot)),
    )


def _opened(system: System, bot: Bot, pulls: int) -> list[dict[str, Any]]:
    """So many pull requests, of which the bot has not heard; what GitHub would have told it."""
    for number in range(pulls):
        files = {f"src/change_{number}.py": "print('changed')\n"}
        bot.repository.open_pull(DEVELOPER, branch=f"change-{number}", files=files)
    mine = {
        each.payload["number"]: each.payload
        for each in system.github.deliveries(event="pull_request")
        if each.payload["repository"]["id"] == bot.repository.id
    }
    if len(mine) != pulls:
        raise NotMeasured(f"GitHub has announced {len(mine)} of {pulls} pull requests")
    return list(mine.values())


def mixed(opened: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """The bodies of all deliveries: the first of each pull request, then the second of each, and so on."""
    for turn in range(EACH):
        for payload in opened:
            yield json.dumps(payload | _turn(payload, turn)).encode()


def _turn(payload: Mapping[str, Any], turn: int) -> dict[str, object]:
    """What differs in a pull request's delivery of that turn: some are pushes, some labels, some nothing."""
    if turn == 0:
        return {}
    if turn % 4 == 0:
        sha = payload["pull_request"]["head"]["sha"]
        return {"action": "synchronize", "before": sha[::-1], "after": sha}
    if turn % 4 == 1:
        return {"action": "labeled", "label": {"name": f"label-{turn}"}}
    return {"action": "assigned" if turn % 4 == 2 else "review_requested"}


def _send_all(bot: Bot, deliveries: Sequence[tuple[str, bytes]]) -> None:
    """Send them in that order, on several connections; what fails is missed in the end."""
    waiting: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
    for index, each in enumerate(deliveries):
        waiting.put(each)
        if index % TWICE == 0:
            waiting.put(each)
    threads = [threading.Thread(target=_send, args=(bot, waiting)) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send(bot: Bot, waiting: SimpleQueue[tuple[str, bytes]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bot.parts.ports.public, timeout=30)
    while True:
        try:
            delivery, body = waiting.get_nowait()
        except Empty:
            connection.close()
            return
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Delivery": delivery,
            "X-GitHub-Event": "pull_request",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        connection.request("POST", "/webhook", body, headers)
        connection.getresponse().read()


def _first(system: System, mark: int) -> dict[str, float]:
    """When the first status of each head arrived, by its SHA."""
    found: dict[str, float] = {}
    for request in system.github.requests(mark, method="POST", path="/statuses/"):
        if not request.limit:
            found.setdefault(request.path.rpartition("/")[2], request.received_at)
    return found


def _handled(connection: psycopg.Connection) -> int:
    return _count(connection, "SELECT count(*) FROM deliveries WHERE finished_at IS NOT NULL")


def _count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _megabytes(bot: Bot) -> float:
    return sum(resident_megabytes(part.ports.worker_url) for part in (bot.parts, *bot.others))
