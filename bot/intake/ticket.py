"""`POST /ticket`, on the internal listener only: a step shows its run's ticket for a token to clone with.

The token reads one private repository, and nothing else, for an hour. Each try of a step gets one, while
Airflow says that this very try runs. Every answer is JSON: `token` and `expires_at`, or `error`, in words.
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot import events
from bot.errors import (
    AirflowRefused,
    AirflowUnavailable,
    GitHubNotFound,
    GitHubRefused,
    MalformedPayload,
    StoreUnavailable,
    Temporary,
)
from bot.events.payload import take
from bot.metrics import TICKETS
from bot.models import Phase, TicketUse
from bot.runs.conf import repository_in

if TYPE_CHECKING:
    from bot.models import RepositoryToken, Run, RunRef
    from bot.ports import StepWatcher, TicketStore, TokenMinter
    from bot.runs.ticket import Tickets

MAX_BYTES = 4096
MOST_TRIES = 1_000_000
FORMS = {
    "run_id": r"[0-9a-f]{32}",
    "dag_run_id": r"[A-Za-z0-9_.~:+-]{1,250}",
    "task_id": r"[\w.-]{1,250}",
    "repository": r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}",
}
UNAVAILABLE = 503
AGAIN = 5.0
"""Seconds after which to try again, if nobody says."""

NEEDS_APP = (
    "private repositories need a GitHub App: only its tokens can be narrowed to reading one repository. "
    "This bot has a personal token, which can do more, so no step gets it"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step says: its ticket, and which try of which task of which run it is."""

    ticket: str = field(repr=False)
    run_id: str
    dag_run_id: str
    task_id: str
    try_number: int
    repository: str

    def __str__(self) -> str:
        return f"run {self.run_id}, try {self.try_number} of {self.task_id}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Trades tickets for tokens. `tickets` is None where none are made: no nudge secret, or no App."""

    tickets: Tickets | None
    store: TicketStore
    airflow: StepWatcher
    github: TokenMinter

    def trade(self, asked: Asked) -> RepositoryToken:
        """A token for who asks; Refused if it gets none, Temporary or AirflowRefused if it should ask again.

        The ticket is used up only if there is a token: whatever goes wrong before takes that back.
        """
        if not self.github.can_mint():
            raise Refused(403, NEEDS_APP, "personal_token")
        if self.tickets is None or not self.tickets.knows(asked.ticket, asked.run_id, asked.repository):
            raise Refused(403, "that is no ticket for this run and repository", "forged")
        run, ref = _going(self.store.run(asked.run_id), asked)
        tried = f"try {asked.try_number} of {asked.task_id}"
        if not self.airflow.is_running(ref, asked.task_id, asked.try_number):
            raise Refused(403, f"Airflow is not running {tried} now", "not_running")
        with self.store.spend(TicketUse(run.id, asked.task_id, asked.try_number)) as fresh:
            if not fresh:
                raise Refused(403, f"{tried} used its ticket already", "used")
            return self.github.mint(run.repository)


class Refused(Exception):
    """What is answered instead of a token: HTTP status, text, and the result in the metrics."""

    def __init__(self, status: int, text: str, result: str, wait: float | None = None) -> None:
        super().__init__(text)
        self.status, self.text, self.result, self.wait = status, text, result, wait


def blueprint(exchange: Exchange) -> Blueprint:
    """The endpoint."""
    pages = Blueprint("ticket", __name__)

    @pages.post("/ticket")
    def ticket() -> Response:
        who = "somebody"
        try:
            asked = read()
            who = str(asked)
            token = _trade(exchange, asked)
        except Refused as refused:
            log.warning("a ticket of %s: %s: %s", who, refused.result, refused.text)
            answer = _answer(refused.status, refused.result, error=refused.text)
            if refused.status == UNAVAILABLE:
                answer.headers["Retry-After"] = str(math.ceil(refused.wait or AGAIN))
            return answer
        log.info("a ticket of %s: exchanged", who)
        expires_at = token.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return _answer(200, "exchanged", token=token.token, expires_at=expires_at)

    return pages


def read() -> Asked:
    """The request, as far as its form goes; Refused if it has another one."""
    request.max_content_length = MAX_BYTES
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Refused(413, f"the body is larger than {MAX_BYTES} bytes", "too_large") from None
    try:
        payload = events.load(body)
        texts = {name: take(payload, name, str) for name in ("ticket", *FORMS)}
        try_number = take(payload, "try_number", int)
    except MalformedPayload as error:
        raise Refused(400, str(error), "malformed") from None
    wrong = [name for name, form in FORMS.items() if not re.fullmatch(form, texts[name])]
    if wrong or not 0 < try_number <= MOST_TRIES or not texts["ticket"].isascii():
        raise Refused(400, f"not as it should be: {', '.join(wrong) or 'ticket or try_number'}", "malformed")
    return Asked(**texts, try_number=try_number)


def _going(run: Run | None, asked: Asked) -> tuple[Run, RunRef]:
    """The run and its name in Airflow, if it is the one that the step says and goes on there."""
    if run is None:
        raise Refused(403, "there is no such run", "unknown")
    if run.ref is None or run.dag_run_id != asked.dag_run_id or repository_in(run.conf) != asked.repository:
        raise Refused(403, "the run has another DAG run or repository", "unknown")
    if run.finished or run.cancel is not None:
        raise Refused(403, "the run is over, or was asked to stop", "over")
    if run.phase is not Phase.ACTIVE:  # Airflow was quicker than we were at noting that it has the run
        raise Refused(UNAVAILABLE, "the run is just being started: try again", "starting", 1)
    return run, run.ref


def _trade(exchange: Exchange, asked: Asked) -> RepositoryToken:
    """As the exchange does it, with everything that may be in its way said in words."""
    try:
        return exchange.trade(asked)
    except StoreUnavailable as error:
        log.error("a ticket could not be exchanged: %s", error)  # noqa: TRY400 - expected, and said
        raise Refused(UNAVAILABLE, "the database does not answer: try again", "unstored") from None
    except (AirflowUnavailable, AirflowRefused) as error:
        log.error("a ticket could not be exchanged: %s", error)  # noqa: TRY400 - expected, and said
        text = "Airflow does not tell the bot whether this step runs: try again"
        raise Refused(UNAVAILABLE, text, "airflow_unavailable") from None
    except Temporary as error:
        raise Refused(UNAVAILABLE, str(error), "github_unavailable", error.retry_after) from None
    except (GitHubRefused, GitHubNotFound) as error:
        raise Refused(403, str(error), "github_refused") from None


def _answer(status: int, result: str, **said: str) -> Response:
    TICKETS.labels(result).inc()
    answer = jsonify(said)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer
