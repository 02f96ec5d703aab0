"""Requests to GitHub for one decision, counted by the stand-in: the real client, by the worker's own lookups.

Each kind of decision is made by a client that knows nothing, neither its own name nor its installation, then
once more by the same client, which now knows what can be known. A new head's files nobody can know, so that a
push is allowed a request for each 100 of them even where all else is known. With a token, and as an App.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.models import Delivery, History
from bot.policy.configuration import PATH
from bot.policy.decision import DecisionKind
from tests.bench import monorepo, webhook
from tests.bench.deciding import AUTHOR, OneLedger, decide, sources, written
from tests.bench.figures import Figure, NotMeasured
from tests.bench.github_requests import endpoint
from tests.github_standin import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.github_standin import Standin

CHANGED, IN_A_REQUEST = 250, 100
FILES = -(-CHANGED // IN_A_REQUEST)
"""Requests that a pull request's changed files take."""
COLD_GOAL, WARM_GOAL = 6, 2
BOT, STRANGER = "preflight-bot", "mallory"
_NOBODY = "http://127.0.0.1:9/nobody"


@dataclass(frozen=True)
class Asked:
    """What one decision asked of GitHub: the requests of each kind."""

    about: str
    by_endpoint: Mapping[str, int]

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.by_endpoint.values())


def figures() -> list[Figure]:
    """The most that a decision asks: knowing nothing, knowing all, and knowing all but a new head's files.

    Raises:
        NotMeasured: a decision was another one than it must be.
    """
    cold, warm, moved = [], [], []
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as github:
        github.limits(core=None, points=None, content_minute=None, content_hour=None)
        place = Place(github)
        for listener in place.listeners:
            for event in place.events:
                with fresh_bot(place, listener) as bot:
                    cold.append(bot.decide(event))
                    warm.append(bot.decide(event))
            with fresh_bot(place, listener) as bot:
                bot.decide(place.events[0])
                moved.append(bot.decide(place.push()))
    name = "GitHub requests for one decision"
    return [
        _most(f"{name}, nothing known, {CHANGED} changed files", cold, COLD_GOAL + FILES),
        _most(f"{name}, all known", warm, WARM_GOAL),
        _most(f"{name}, all known but {CHANGED} new files", moved, WARM_GOAL + FILES),
    ]


def _most(name: str, asked: Sequence[Asked], goal: int) -> Figure:
    most, least = (choose(asked, key=lambda each: each.count) for choose in (max, min))
    return Figure(
        name,
        most.count,
        "requests",
        goal,
        {f"the least, {least.about}": least.count},
        details={
            "most": most.about,
            "by_endpoint": dict(most.by_endpoint),
            "all": {each.about: dict(each.by_endpoint) for each in asked},
        },
    )


@dataclass(frozen=True)
class Listener:
    """Whom GitHub delivers to: who set up a webhook and gave us a token, or our App."""

    title: str
    credentials: PersonalToken | AppKey
    hook_id: int


@dataclass(frozen=True)
class Event:
    """What happened, as GitHub delivers it to each listener, and what must be decided."""

    what: str
    deliveries: Mapping[str, Delivery]
    expected: DecisionKind
    history: History


class Place:
    """A repository on the stand-in, and one event of each kind that decisions are made about there."""

    def __init__(self, github: Standin) -> None:
        self.github = github
        self.repository = github.repository(
            f"{monorepo.OWNER}/{monorepo.NAME}",
            files={PATH: monorepo.CONFIGURATION},
            permissions={AUTHOR: "write", BOT: "write"},
        )
        app = github.app(
            owner=monorepo.OWNER, webhook_url=_NOBODY, webhook_secret=webhook.SECRET, events=["*"]
        )
        assert app.hook_id is not None  # it has an address
        hook_id = self.repository.hook(_NOBODY, webhook.SECRET, ["*"])
        self.listeners = (
            Listener("with a token", PersonalToken(github.user(BOT).token), hook_id),
            Listener("as an App", AppKey(str(app.id), app.private_key), app.hook_id),
        )
        self._changes = self._heads = 0
        self.events = tuple(self._happen())

    def push(self) -> Event:
        """A new head of the first pull request, which changes the same files in another way."""
        self._heads += 1
        self.pull.push(AUTHOR, dict.fromkeys(monorepo.changed_files(CHANGED, 1), f"line {self._heads}\n"))
        return self._event("push to a pull request", "pull_request")

    def _happen(self) -> Iterator[Event]:
        self.pull = self.repository.open_pull(AUTHOR, branch="ours", files=self._files(), title="Ours")
        yield self._event("pull request opened", "pull_request")
        self.pull.comment(AUTHOR, "/test")
        yield self._event("`/test`", "issue_comment")
        theirs = self.repository.open_pull(
            STRANGER, branch="theirs", files=self._files(), title="Theirs", fork=True
        )
        yield self._event("a stranger's opened", "pull_request", DecisionKind.WAIT)
        theirs.comment(AUTHOR, f"/ok-to-test {theirs.head_sha}")
        yield self._event("`/ok-to-test`", "issue_comment")
        group = self.pull.enqueue(AUTHOR)
        yield self._event("merge group", "merge_group")
        group.dequeue(AUTHOR)
        self.repository.push(AUTHOR, self._files())
        yield self._event("push to a branch", "push")

    def _files(self) -> dict[str, str]:
        self._changes += 1
        return dict.fromkeys(monorepo.changed_files(CHANGED, self._changes), "a line\n")

    def _event(self, what: str, name: str, expected: DecisionKind = DecisionKind.RUN) -> Event:
        """The latest deliveries of that name; whoever sent a pull request's pushed its head."""
        payloads = {
            listener.title: self.github.deliveries(event=name, hook_id=listener.hook_id)[-1].payload
            for listener in self.listeners
        }
        deliveries = {
            title: Delivery(f"delivery of {what}", name, written(payload), "a lane")
            for title, payload in payloads.items()
        }
        payload = payloads[self.listeners[0].title]
        head = payload.get("pull_request", {}).get("head", {}).get("sha", "")
        return Event(what, deliveries, expected, History(pushers={head: payload["sender"]["login"]}))


class Bot:
    """The part of a bot that decides."""

    def __init__(self, place: Place, listener: Listener, client: GitHubClient) -> None:
        self.place = place
        self.title = listener.title
        self.ledger = OneLedger()
        self.sources = sources(client, self.ledger, lambda: client.identity().login)

    def decide(self, event: Event) -> Asked:
        """Decide on that event."""
        self.ledger.known = event.history
        mark = self.place.github.mark()
        decision = decide(event.deliveries[self.title], self.sources)
        if decision.kind is not event.expected:
            raise NotMeasured(f"{event.what}: the decision is {decision.kind.value}: {decision.reason}")
        requests = self.place.github.requests(mark)
        return Asked(f"{event.what}, {self.title}", Counter(map(endpoint, requests)))


@contextlib.contextmanager
def fresh_bot(place: Place, listener: Listener) -> Iterator[Bot]:
    """A bot that knows nothing yet but who it is."""
    client = GitHubClient(place.github.api_url, listener.credentials)
    try:
        client.identity()  # a worker asks for it when it starts
        yield Bot(place, listener, client)
    finally:
        client.close()
