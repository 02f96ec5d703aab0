"""100 pull requests whose runs of eight steps end within the same minute, below GitHub's limits.

They are opened within most of a minute, too, and each runs for two, so that what their beginnings and their
progress cost is still being counted when they end. The stand-in refuses what exceeds GitHub's limits: 900
points a minute, 80 comments a minute and 500 an hour, 100 requests at once. The baseline is the same burst
on a bot whose own limits are so high that it never holds back. Airflow is the quick one: see there.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.eight_steps import configuration
from tests.bench.figures import Figure, NotMeasured, median
from tests.bench.github_requests import endpoint
from tests.bench.memory import resident_megabytes
from tests.bench.quick_airflow import QuickAirflow
from tests.bench.reports import CONTEXT, PASSED, is_green
from tests.bench.system import DEVELOPER, running_bot
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.local.console import Console
    from tests.bench.system import Bot, System
    from tests.github_standin import Pull
    from tests.github_standin.records import LoggedRequest

STATUS_GOAL, COMMENT_GOAL = 120.0, 240.0
FLAT = 1.1
"""What the worker's memory may be at the end, in terms of what it was when the first runs ended."""
WITHOUT_LIMITS = {
    "PREFLIGHT_GITHUB_POINTS_PER_MINUTE": "1000000",
    "PREFLIGHT_GITHUB_CONTENT_PER_MINUTE": "1000000",
    "PREFLIGHT_GITHUB_CONTENT_PER_HOUR": "1000000",
}
_PATIENCE_SECONDS = 600.0
_REST_SECONDS = 5.0


@dataclass(frozen=True)
class Size:
    """How many pull requests, opened within how many seconds, and how many seconds each run takes."""

    count: int = 100
    opening: float = 45.0
    running: float = 120.0


@dataclass(frozen=True)
class Burst:
    """What became of one. Seconds are from the end of each pull request's own run."""

    statuses: Sequence[float]
    comments: Sequence[float]
    spread: float
    """Seconds between the end of the first run and that of the last."""
    requests: Sequence[LoggedRequest]
    megabytes: tuple[float, float, float]
    """The worker's memory before, when the first runs ended, and afterwards."""

    @property
    def refused(self) -> list[LoggedRequest]:
        """What was over a limit."""
        return [each for each in self.requests if each.limit]

    def __str__(self) -> str:
        return (
            f"{len(self.statuses)} runs ended within {self.spread:.0f} s; last status after "
            f"{max(self.statuses):.0f} s, last comment after {max(self.comments):.0f} s; "
            f"{len(self.requests)} requests, {len(self.refused)} refused; "
            f"worker {' -> '.join(f'{each:.0f}' for each in self.megabytes)} MB"
        )


def figures(system: System, console: Console, size: Size) -> list[Figure]:
    """Refusals, how late the last words were, and the worker's memory.

    Raises:
        NotMeasured: not all runs turned green.
    """
    ours = _named_burst(system, console, "burst", size, {})
    bare = _named_burst(system, console, "unlimited", size, WITHOUT_LIMITS)
    name = f"{size.count} runs of 8 steps end within a minute"
    without = "without holding back"
    details = _details(ours)
    return [
        Figure(
            f"{name}: refused by GitHub",
            len(ours.refused),
            "requests",
            0,
            {without: len(bare.refused)},
            details=details | {"airflow": "quick", without: _details(bare)},
        ),
        Figure(
            f"{name}: last final status",
            max(ours.statuses),
            "s",
            STATUS_GOAL,
            {"the median": median(ours.statuses), without: max(bare.statuses)},
        ),
        Figure(
            f"{name}: last final comment",
            max(ours.comments),
            "s",
            COMMENT_GOAL,
            {"the median": median(ours.comments), without: max(bare.comments)},
        ),
        Figure(
            f"{name}: worker's memory at the end",
            ours.megabytes[2],
            "MB",
            FLAT * ours.megabytes[1],
            {"at the start": ours.megabytes[0], "in the middle": ours.megabytes[1]},
        ),
    ]


def _named_burst(
    system: System, console: Console, name: str, size: Size, settings: Mapping[str, str]
) -> Burst:
    started = configuration(size.running)
    with (
        console.phase(f"{size.count} pull requests at once, {name}"),
        running_bot(system, name, nudged=True, configuration=started, settings=settings) as bot,
    ):
        found = _burst(system, bot, size)
    console.say(str(found))
    return found


def _burst(system: System, bot: Bot, size: Size) -> Burst:
    mark = system.github.mark()
    before = resident_megabytes(bot.parts.ports.worker_url)
    pulls = _opened(bot, size)
    ends = _ends(system, bot, size.count)
    time.sleep(max(0.0, min(ends.values()) - time.time()))
    middle = resident_megabytes(bot.parts.ports.worker_url)
    for pull in pulls:
        try:
            wait_for(lambda pull=pull: is_green(pull, bot), _PATIENCE_SECONDS, 3.0)  # type: ignore[misc] # mypy knows no default
        except TimeoutError as error:
            raise NotMeasured(f"#{pull.number} did not turn green: {pull.combined()}") from error
    time.sleep(_REST_SECONDS)
    words = [_last_words(pull, bot) for pull in pulls]
    return Burst(
        statuses=[status - ends[pull.number] for pull, (status, _) in zip(pulls, words, strict=True)],
        comments=[comment - ends[pull.number] for pull, (_, comment) in zip(pulls, words, strict=True)],
        spread=max(ends.values()) - min(ends.values()),
        requests=system.github.requests(mark),
        megabytes=(before, middle, resident_megabytes(bot.parts.ports.worker_url)),
    )


def _opened(bot: Bot, size: Size) -> list[Pull]:
    """Pull requests, opened at an even pace, or as fast as the stand-in can."""
    pulls = []
    began = time.monotonic()
    for number in range(size.count):
        files = {f"src/change_{number}.py": "print('changed')\n"}
        pulls.append(bot.repository.open_pull(DEVELOPER, branch=f"change-{number}", files=files))
        time.sleep(max(0.0, began + (number + 1) * size.opening / size.count - time.monotonic()))
    return pulls


def _ends(system: System, bot: Bot, count: int) -> dict[int, float]:
    """When each pull request's run will have ended, once all were started."""
    assert isinstance(system.airflow, QuickAirflow)
    runs = system.airflow.runs
    ours = f"preflight~{bot.name}~"
    wait_for(lambda: sum(name.startswith(ours) for name in list(runs)) >= count, _PATIENCE_SECONDS, 1.0)
    found = [run for name, run in list(runs.items()) if name.startswith(ours)]
    return {int(run.dag_run_id.split("~")[4]): run.ended_at for run in found}


def _last_words(pull: Pull, bot: Bot) -> tuple[float, float]:
    """When the final status and the final comment arrived."""
    status = next(each for each in pull.statuses(CONTEXT) if each.state == "success")
    comment = next(each for each in pull.comments(by=bot.login) if PASSED in each.body)
    return status.received_at, comment.updated_at


def _details(burst: Burst) -> dict[str, object]:
    return {
        "spread_seconds": burst.spread,
        "by_endpoint": dict(Counter(map(endpoint, burst.requests)).most_common()),
        "refused_for": dict(Counter(each.limit for each in burst.refused)),
        "most_points_in_a_minute": most_points(burst.requests),
    }


def most_points(requests: Sequence[LoggedRequest]) -> int:
    """The most points within any minute, of what was not refused: 1 a read, 5 a write."""
    costs = [(each.received_at, 1 if each.method == "GET" else 5) for each in requests if not each.limit]
    return max((sum(cost for at, cost in costs if end - 60 < at <= end) for end, _ in costs), default=0)
