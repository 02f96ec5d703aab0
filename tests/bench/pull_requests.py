"""The life of a pull request, again and again: opened, tested by one pipeline of three steps, green.

One after another, each on a system that has nothing else to do. Times are seconds since 1970 by one clock:
those of GitHub are taken by the stand-in when a delivery is sent and when a request arrives, the end of a
run is Airflow's own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.adapters.airflow import AirflowClient
from bot.models import RunRef
from tests.bench.figures import NotMeasured
from tests.bench.system import DAG, DEVELOPER, PIPELINE
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.system import Bot, System
    from tests.github_standin import Pull
    from tests.github_standin.records import Comment, Delivery, LoggedRequest, Status

_PATIENCE_SECONDS = 90.0
_POLL_SECONDS = 0.25  # a question takes the stand-in 2 ms, in which it answers nobody else
_REST_SECONDS = 1.0
_CONTEXT = f"preflight/{PIPELINE}"
_PASSED = f"`{PIPELINE}` passed"


@dataclass(frozen=True)
class Life:
    """What happened to one pull request."""

    number: int
    sent_at: float
    """When GitHub began to send the delivery."""
    answered_at: float
    first_status_at: float
    run_ended_at: float
    """When the DAG run ended, as Airflow has it."""
    final_status_at: float
    final_comment_at: float
    requests: tuple[LoggedRequest, ...]
    """All that the bot asked of GitHub, in the order in which it was answered."""

    def __str__(self) -> str:
        first = (self.first_status_at - self.sent_at) * 1000
        status, comment = (at - self.run_ended_at for at in (self.final_status_at, self.final_comment_at))
        return (
            f"#{self.number}: first status after {first:.0f} ms, "
            f"final status {status:.2f} s and comment {comment:.2f} s after the run's end, "
            f"{len(self.requests)} requests to GitHub"
        )


def lives(system: System, bot: Bot, count: int) -> Iterator[Life]:
    """Live through that many pull requests.

    Raises:
        NotMeasured: one of them did not turn green.
    """
    airflow = AirflowClient(system.airflow.url, system.airflow.username, system.airflow.password)
    for number in range(count):
        mark = system.github.mark()
        pull = bot.repository.open_pull(
            DEVELOPER, branch=f"change-{number}", files={f"src/change_{number}.py": "print('changed')\n"}
        )
        statuses, comment = _turn_green(pull, bot)
        run = RunRef(DAG, _dag_run_id(bot, pull.number, statuses[0].sha))
        dag_run = airflow.look([run])[run]
        if dag_run is None or dag_run.ended_at is None:
            raise NotMeasured(f"Airflow does not say when {run.dag_run_id} ended")
        time.sleep(_REST_SECONDS)  # whatever the bot still asks belongs to this pull request
        delivery = announced(system, pull.number, bot)
        yield Life(
            number=pull.number,
            sent_at=_given(delivery.sent_at),
            answered_at=_given(delivery.answered_at),
            first_status_at=statuses[0].received_at,
            run_ended_at=dag_run.ended_at.timestamp(),
            final_status_at=statuses[-1].received_at,
            final_comment_at=comment.updated_at,
            requests=tuple(system.github.requests(mark)),
        )


def _turn_green(pull: Pull, bot: Bot) -> tuple[list[Status], Comment]:
    """Wait for the last word; all statuses until then, and the comment."""

    def found() -> tuple[list[Status], Comment] | None:
        statuses = pull.statuses(_CONTEXT)
        if statuses and statuses[-1].state in ("failure", "error"):
            raise NotMeasured(f"#{pull.number} turned red: {statuses[-1].description}")
        if not statuses or statuses[-1].state != "success":
            return None
        said = [comment for comment in pull.comments(by=bot.login) if _PASSED in comment.body]
        return (statuses, said[0]) if said else None

    try:
        answer = wait_for(found, _PATIENCE_SECONDS, _POLL_SECONDS)
    except TimeoutError as error:
        said = [status.description for status in pull.statuses(_CONTEXT)]
        raise NotMeasured(f"#{pull.number} did not turn green; its statuses: {said}") from error
    assert answer is not None  # wait_for returns nothing else
    return answer


def _dag_run_id(bot: Bot, number: int, sha: str) -> str:
    owner, _, name = bot.repository.full_name.partition("/")
    return f"preflight~{bot.name}~{owner}~{name}~{number}~{PIPELINE}~{sha[:12]}~1"


def announced(system: System, number: int, bot: Bot) -> Delivery:
    """The delivery that announced the pull request."""
    repository = bot.repository.id
    for delivery in reversed(system.github.deliveries(event="pull_request")):
        payload = delivery.payload
        if payload["number"] == number and payload["repository"]["id"] == repository:
            return delivery
    raise NotMeasured(f"GitHub has no delivery that announced #{number}")


def _given(moment: float | None) -> float:
    if moment is None:
        raise NotMeasured("GitHub has not sent a delivery although it was handled")
    return moment
