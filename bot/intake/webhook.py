"""`POST /webhook`: verify over the raw bytes, store, and only then answer 202."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot import events
from bot.claims import Receipt
from bot.errors import MalformedPayload, StoreUnavailable
from bot.events.lane import lane_of
from bot.intake.signature import verify
from bot.metrics import WEBHOOKS
from bot.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.ports import Entrance

MAX_BYTES = 25 * 1024 * 1024  # GitHub delivers nothing larger
HEADER = re.compile(r"[\x21-\x7e]{1,200}")

log = logging.getLogger(__name__)


def blueprint(inbox: Entrance, secrets: Sequence[str]) -> Blueprint:
    """The webhook's endpoint."""
    pages = Blueprint("webhook", __name__)

    @pages.post("/webhook")
    def webhook() -> Response:
        try:
            delivery = receive(secrets)
            receipt = inbox.put(delivery)
        except Refused as refused:
            return _answer(refused.status, refused.text, refused.result)
        except StoreUnavailable as error:
            log.error("a delivery was not taken: %s", error)  # noqa: TRY400 - expected, and said
            answer = _answer(503, "the delivery could not be stored: deliver it again later", "unstored")
            answer.headers["Retry-After"] = "10"
            return answer
        log.debug("delivery %s (%s): %s", delivery.id, delivery.event, receipt.value)
        known = receipt is Receipt.REPEATED
        return _answer(202, "known already" if known else "stored", receipt.value)

    return pages


class Refused(Exception):
    """What is answered instead of storing anything: HTTP status, text, and the result in the metrics."""

    def __init__(self, status: int, text: str, result: str) -> None:
        super().__init__(text)
        self.status, self.text, self.result = status, text, result


def receive(secrets: Sequence[str]) -> Delivery:
    """The request's delivery, verified over its raw bytes; Refused if it is not one."""
    if request.mimetype != "application/json":
        raise Refused(415, "set the webhook's content type to application/json", "wrong_type")
    too_large = Refused(413, f"the body is larger than {MAX_BYTES // 2**20} MB", "too_large")
    if (request.content_length or 0) > MAX_BYTES:
        raise too_large
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise too_large from None
    if len(body) > MAX_BYTES:  # a body in chunks says no length: it is cut off one byte later
        raise too_large
    signature = request.headers.get("X-Hub-Signature-256", "")
    if not verify(body, signature, secrets):
        raise Refused(401, "the signature is missing or wrong: is the secret one of ours?", "unsigned")
    event = request.headers.get("X-GitHub-Event", "")
    delivery_id = request.headers.get("X-GitHub-Delivery", "")
    if not HEADER.fullmatch(event) or not HEADER.fullmatch(delivery_id):
        raise Refused(400, "X-GitHub-Event and X-GitHub-Delivery are needed", "malformed")
    if events.is_ours(event):
        raise Refused(400, f"GitHub sends no event {event!r}", "malformed")
    try:
        payload = events.load(body)
    except MalformedPayload as error:
        raise Refused(400, str(error), "malformed") from None
    if event == "ping":
        raise Refused(200, "pong", "ping")
    return Delivery(delivery_id, event, body, lane_of(payload, delivery_id), signature)


def _answer(status: int, text: str, result: str) -> Response:
    WEBHOOKS.labels(result).inc()
    return Response(text + "\n", status, mimetype="text/plain")
