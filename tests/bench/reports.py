"""GitHub calls for one green run of a pipeline with eight steps, counted by the stand-in, by kind.

From before its pull request is opened until a little after its last word. With statuses and with check runs,
each at first (the cold cache: of a bot that has just been started) and once more, for a run of a minute or
so; and for one that is so long that more is said while it runs. Airflow is the quick one.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.bench.eight_steps import configuration
from tests.bench.figures import Figure, NotMeasured
from tests.bench.github_requests import endpoint
from tests.bench.system import DEVELOPER, PIPELINE, running_bot
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.system import Bot, System
    from tests.github_standin import Pull, Repository
    from tests.github_standin.records import LoggedRequest

CONTEXT = f"preflight/{PIPELINE}"
PASSED = f"`{PIPELINE}` passed"
STATUSES, CHECKS, LONG = "statuses", "check runs", "a long run"
_GOAL = 10
_PATIENCE_SECONDS = 120.0
_REST_SECONDS = 3.0


def figures(system: System, *, short: float, long: float) -> list[Figure]:
    """How many calls; `short` and `long` are how many seconds the runs take.

    Raises:
        NotMeasured: a run did not turn green.
    """
    started = configuration(short)
    with running_bot(system, "reports", nudged=True, configuration=started) as bot:
        places = {
            STATUSES: bot.repository,
            CHECKS: _repository(system, "reports/checks", configuration(short, shown_as="checks")),
            LONG: _repository(system, "reports/long", configuration(long)),
        }
        at_first = system.github.mark()
        first = {name: _open(place, "first") for name, place in places.items()}
        at_last = system.github.mark()
        second = _open(places[LONG], "second")  # beside the first one, which takes as long
        for name in (STATUSES, CHECKS):
            _wait(first[name], bot, short)
        cold = _asked(system, at_first, places)
        again = system.github.mark()
        for name in (STATUSES, CHECKS):
            _wait(_open(places[name], "second"), bot, short)
        warm = _asked(system, again, places)
        for pull in (first[LONG], second):
            _wait(pull, bot, long)
        warm[LONG] = _without(_asked(system, at_last, places)[LONG], first[LONG], bot)
    name = "GitHub calls, one green run, 8 steps"
    figures = []
    for way in (STATUSES, CHECKS):
        figures += [
            _figure(f"{name}, {way}", warm[way], {"with a cold cache": len(cold[way])}),
            _figure(f"{name}, {way}, cold cache", cold[way], {"all known": len(warm[way])}),
        ]
    shorter = {f"of {short:g} s": len(warm[STATUSES])}
    return [*figures, _figure(f"{name}, {STATUSES}, of {long:g} s", warm[LONG], shorter)]


def is_green(pull: Pull, bot: Bot) -> bool:
    """Whether the last word is shown: a status or a check run, and the comment.

    Raises:
        NotMeasured: it is red.
    """
    word = pull.state_of(CONTEXT) or pull.conclusion_of(CONTEXT)
    if word in ("failure", "error", "cancelled", "timed_out"):
        raise NotMeasured(f"#{pull.number} turned red: {pull.combined()} {pull.check_runs()}")
    return word == "success" and any(PASSED in comment.body for comment in pull.comments(by=bot.login))


def _figure(name: str, requests: Sequence[LoggedRequest], baseline: Mapping[str, float]) -> Figure:
    details = {"by_endpoint": dict(Counter(map(endpoint, requests))), "airflow": "quick"}
    return Figure(name, len(requests), "calls", _GOAL, baseline, details=details)


def _repository(system: System, full_name: str, preflight_yaml: str) -> Repository:
    return system.github.repository(
        full_name, files={".github/preflight.yaml": preflight_yaml}, permissions={DEVELOPER: "write"}
    )


def _open(repository: Repository, branch: str) -> Pull:
    pull = repository.open_pull(DEVELOPER, branch=branch, files={f"{branch}.py": "print('changed')\n"})
    begun: Callable[[], object] = lambda: pull.combined() or pull.check_runs()  # noqa: E731 - for the type
    wait_for(begun, _PATIENCE_SECONDS, 0.25)
    return pull


def _wait(pull: Pull, bot: Bot, seconds: float) -> None:
    try:
        wait_for(lambda: is_green(pull, bot), seconds + _PATIENCE_SECONDS, 1.0)
    except TimeoutError as error:
        raise NotMeasured(f"{pull.repository.full_name}#{pull.number} did not turn green") from error
    time.sleep(_REST_SECONDS)  # whatever the bot still asks belongs to it


def _without(requests: Sequence[LoggedRequest], other: Pull, bot: Bot) -> list[LoggedRequest]:
    """Those that are not about another pull request of the same repository."""
    about = {f"/statuses/{other.head_sha}", f"/pulls/{other.number}", f"/issues/{other.number}"}
    about |= {f"/issues/comments/{comment.id}" for comment in other.comments(by=bot.login)}
    return [each for each in requests if about.isdisjoint(beginnings(each.path))]


def beginnings(path: str) -> set[str]:
    """`/a/1`, `/a/1/b` and so on, of what comes after the repository's name."""
    parts = path.removeprefix("/").split("/")[3:]
    return {"/" + "/".join(parts[:count]) for count in range(2, len(parts) + 1)}


def _asked(system: System, since: int, places: Mapping[str, Repository]) -> dict[str, list[LoggedRequest]]:
    """By the place's name: what was asked about its repository, and about none."""
    of_place: dict[str, list[LoggedRequest]] = {}
    requests = system.github.requests(since)
    for name, repository in places.items():
        path = f"/repos/{repository.full_name}/"
        of_place[name] = [
            each for each in requests if each.path.startswith(path) or not each.path.startswith("/repos/")
        ]
    return of_place
