"""All faults have ended: what was lost comes back, and within a bounded time all is as it should be.

The workers are started anew, and look at their start for what GitHub could not deliver. They ask for few a
minute, to leave room for reports; so somebody clicks "Redeliver" on GitHub's page for what is left once
that brings nothing for a while.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

from tests.chaos.collecting import causes_of, history_of
from tests.chaos.fleet import WEBS
from tests.chaos.oracle import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.chaos.history import History
    from tests.chaos.living import Living
    from tests.chaos.player import Place
    from tests.chaos.world import World

PATIENCE_SECONDS = 150.0
"""What waits for plenty of room at GitHub does so for up to two minutes."""
BY_HAND_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_FIGURE = re.compile(r"^(preflight_\w+\{[^}]*\}|preflight_database_up) (\S+)$", re.MULTILINE)
_OLDEST_REPORT = 'preflight_oldest_seconds{queue="oldest_report"}'
_UNFINISHED = (
    'preflight_deliveries{state="queued"}',
    'preflight_deliveries{state="working"}',
    'preflight_runs{state="wanted"}',
    'preflight_runs{state="resuming"}',
    'preflight_runs{state="active"}',
    _OLDEST_REPORT,
)
_NEVER = ("nobody expected", "is parked", "Exception in worker process", "Exception on ")
PARKED = 'preflight_deliveries{state="parked"}'


class Patience:
    """Lasts while things are as they never were before: what goes to and fro is no news."""

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds, self._since = seconds, now
        self._seen: set[str] = set()

    def hear(self, state: str, now: float) -> bool:
        """Whether that is news."""
        if state in self._seen:
            return False
        self._seen.add(state)
        self._since = now
        return True

    def is_over(self, now: float) -> bool:
        """Whether there was no news for that long."""
        return now - self._since >= self._seconds


class Settling:
    """Waits, and looks again at those pull requests that are not as they should be."""

    def __init__(
        self,
        world: World,
        livings: Sequence[Living],
        say: Callable[[str], None],
        *,
        patience: float = PATIENCE_SECONDS,
        by_hand: float = BY_HAND_SECONDS,
        enough: str = "",
    ) -> None:
        self._patience = patience
        self._by_hand = by_hand
        self._enough = enough
        self.world = world
        self.livings = livings
        self._say = say
        self.histories: list[History] = []
        self.violations: dict[str, tuple[Sequence[str], History | None]] = {}
        """What is wrong, by the pull request; "" for what is wrong with all."""

    def wait(self) -> None:
        """Until nothing is wrong any more, enough is, or nothing new happens while patience lasts."""
        self.world.player.released = self._wanted()
        wrong = list(self.livings)
        self.world.fleet.restart_workers()
        asked = time.monotonic()
        patience = Patience(self._patience, asked)
        lost = 1
        while wrong and not patience.is_over(time.monotonic()) and not self._is_enough():
            before_that, lost = lost, lost and len(self._lost())
            if lost < before_that:
                asked = time.monotonic()
            if lost and time.monotonic() - asked > self._by_hand:
                asked = time.monotonic()
                self._redeliver()
            busy = self._busy()
            if not lost and not busy:
                causes = causes_of(self.world)
                wrong = [living for living in wrong if judge(history_of(living, causes))]
            now = f"{lost} deliveries lost, {', '.join(busy) or 'nothing waits'}, {len(wrong)} wrong"
            if patience.hear(now, time.monotonic()):
                self._say(f"settling: {now}")
            time.sleep(_LOOK_SECONDS)
        self._judge_all()

    def _is_enough(self) -> bool:
        """Whether what is wrong is what somebody looks for: it stays wrong, whatever comes."""
        if not self._enough:
            return False
        causes = causes_of(self.world)
        found = (judge(history_of(living, causes)) for living in self.livings)
        return any(self._enough in said for violations in found for said in violations)

    def _wanted(self) -> Callable[[Place, Mapping[str, object]], bool]:
        """Which runs somebody still waits for; all others should have been stopped."""
        ends = {living.life.number: (living.pull.show(), len(living.heads) - 1) for living in self.livings}

        def wanted(place: Place, conf: Mapping[str, object]) -> bool:
            pull, last = ends[place.life]
            return pull.state == "open" and place.head == last and conf["PULL_BASE_REF"] == pull.base_ref

        return wanted

    def _lost(self) -> dict[int, str]:
        """What GitHub could not deliver, of what the App's own hook sends: it sends all. By its latest id."""
        lost: dict[str, tuple[int, str]] = {}
        arrived = set()
        for each in self.world.github.deliveries(hook_id=self.world.hook):
            if each.status in ("OK", "pending") or each.created_at < self.world.since:
                arrived.add(each.guid)
            lost[each.guid] = each.id, f"{each.event} {each.action or ''} {each.guid}: {each.status}"
        return dict(each for guid, each in lost.items() if guid not in arrived)

    def _redeliver(self) -> None:
        lost = self._lost()
        self._say(f"{len(lost)} deliveries are delivered again by hand")
        for delivery in lost:
            self.world.github.redeliver(delivery)

    def _busy(self) -> list[str]:
        """What the bot still has to do, as it says itself."""
        self.world.fleet.tend()
        return unfinished(self._figures())

    def _figures(self) -> Mapping[str, float]:
        url = f"{self.world.fleet.url(WEBS[0], internal=True)}/metrics"
        try:
            with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
                return {name: float(value) for name, value in _FIGURE.findall(answer.read().decode())}
        except OSError:
            return {}

    def _judge_all(self) -> None:
        causes = causes_of(self.world)
        self.histories = [history_of(living, causes) for living in self.livings]
        for living, history in zip(self.livings, self.histories, strict=True):
            if found := judge(history):
                self.violations[living.where] = (found, history)
        if general := [*self._general()]:
            self.violations[""] = (general, None)

    def summary(self) -> str:
        """How much there was to be right."""
        runs, github = list(self.world.fake.runs), self.world.github
        stopped = sum(map(self.world.airflow.is_stopped, runs))
        comments = sum(len(history.comments) for history in self.histories)
        own = sum(one.author == history.bot for history in self.histories for one in history.comments)
        return (
            f"{len(runs)} DAG runs, of which {stopped} were stopped; {comments} comments, "
            f"of which {own} are the bot's; {len(github.requests())} requests to GitHub"
        )

    def _general(self) -> list[str]:
        """What is wrong, but not with one pull request."""
        github, figures = self.world.github, self._figures()
        refused = Counter(f"{each.limit} by {each.caller}" for each in github.refused())
        found = [f"GitHub refused {times} requests: its limit of {what}" for what, times in refused.items()]
        found += [f"against GitHub's description: {each}" for each in github.violations()]
        found += [f"not done in the end: {each}" for each in self._busy()]
        if figures.get(PARKED):
            found.append(f"{figures[PARKED]:g} deliveries are parked")
        found += [f"never arrived: {each}" for each in self._lost().values()]
        found += self.world.fleet.ended_by_itself
        return found + self._unexpected()

    def _unexpected(self) -> list[str]:
        """What the bot's logs tell that should never happen."""
        found: Counter[str] = Counter()
        for log in sorted(self.world.supervisor.logs.glob("w*.log")):
            for line in log.read_text(errors="replace").splitlines():
                if said := unexpected(line):
                    found[f"{log.name}: {said}"] += 1
        return [f"{said} ({times} times)" for said, times in found.items()]


def unfinished(figures: Mapping[str, float]) -> list[str]:
    """What the bot's metrics say is still to be done. Since when a report waits is no news."""
    if figures.get("preflight_database_up") != 1:
        return ["no figures"]
    return [
        "a report waits" if name == _OLDEST_REPORT else f"{name} {figures[name]:g}"
        for name in _UNFINISHED
        if figures.get(name)
    ]


def unexpected(line: str) -> str:
    """What a line of the bot's log says that should never happen; empty if it does not."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line if line.startswith("Traceback") else ""
    message = str(entry.get("event", ""))
    if not any(words in message for words in _NEVER):
        return ""
    raised = str(entry.get("exception", "")).strip().splitlines()
    places = [place.strip() for place in raised if "/bot/" in place]
    return " | ".join(filter(None, (message, *places[-3:], *raised[-1:])))
