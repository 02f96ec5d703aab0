"""`POST /nudge`, on the internal listener only: Airflow's plugin hints that a run is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from bot import events
from bot.errors import MalformedPayload, StoreUnavailable
from bot.events.payload import take
from bot.intake.signature import verify
from bot.metrics import NUDGES

if TYPE_CHECKING:
    from bot.ports import RunStore

SIGNATURE = "X-Preflight-Signature-256"
BEGAN = "running"
"""The `state` of a hint that a run or a step of it has begun."""


def blueprint(runs: RunStore, secret: str) -> Blueprint:
    """The nudge's endpoint. A nudge is never believed, only followed by a look."""
    pages = Blueprint("nudge", __name__)

    @pages.post("/nudge")
    def nudge() -> Response:
        status, text, result = receive(runs, secret)
        NUDGES.labels(result).inc()
        return Response(text + "\n", status, mimetype="text/plain")

    return pages


def receive(runs: RunStore, secret: str) -> tuple[int, str, str]:
    """Take one nudge: HTTP status, text, and the result's name in the metrics."""
    body = request.get_data(cache=False)
    if not verify(body, request.headers.get(SIGNATURE), (secret,)):
        return (
            401,
            "the signature is missing or wrong: do both sides have the same PREFLIGHT_NUDGE_SECRET?",
            "unsigned",
        )
    try:
        hint = events.load(body)
        dag_run_id = take(hint, "dag_run_id", str)
    except MalformedPayload as error:
        return 400, str(error), "malformed"
    try:
        known = runs.nudge(dag_run_id.replace("\0", ""), began=hint.get("state") == BEGAN)
    except StoreUnavailable:
        return 503, "the database does not answer: polling will do", "unstored"
    return 202, "looking" if known else "not ours, or over", "known" if known else "unknown"
