"""`POST /pubsub`, on the public listener: Google Cloud Pub/Sub pushes Airflow's run events.

Pub/Sub sends again whatever is not answered with 2xx, for as long as the subscription keeps it. So what can
never be read or obeyed is answered 200 and dropped; 503 is for what another try may do. Whoever is not our
push account gets 401, whatever the body is.
"""

from __future__ import annotations

import base64
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot import events
from bot.errors import CertificatesUnavailable, MalformedPayload, StoreUnavailable, TokenRefused
from bot.events.payload import take
from bot.intake import hints
from bot.metrics import NUDGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.ports import Clock, IdentityTokens, RunStore

MAX_BYTES = 64 * 1024
"""Of a request: a hint has some hundred."""
MAX_TOKEN = 8 * 1024
# As Pub/Sub writes it. Two headers arrive as one with a comma, which no token has.
BEARER = re.compile(r"Bearer ([A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+)")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose pushes are taken: the service account, for the audience that its subscription names."""

    account: str
    audience: str


def blueprint(runs: RunStore, tokens: IdentityTokens, sender: Sender, secret: str, clock: Clock) -> Blueprint:
    """The endpoint of a push subscription. A hint is never believed, only followed by a look."""
    pages = Blueprint("push", __name__)

    @pages.post("/pubsub")
    def pushed() -> Response:
        status, text, result = _authenticated(tokens, sender) or receive(runs, secret, clock)
        NUDGES.labels(result).inc()
        return Response(text + "\n", status, mimetype="text/plain")

    return pages


def _authenticated(tokens: IdentityTokens, sender: Sender) -> tuple[int, str, str] | None:
    """Why the request is not our subscription's: status, text, and the result's name in the metrics."""
    try:
        check(tokens.claims(_bearer(request.headers.get("Authorization", "")), sender.audience), sender)
    except TokenRefused as error:
        log.info("a push was refused: %.200r", str(error))
        return 401, "only Pub/Sub may push here, as PREFLIGHT_PUBSUB_PUSH_ACCOUNT", "refused"
    except CertificatesUnavailable as error:
        log.error("a push could not be checked: %s", error)  # noqa: TRY400 - expected, and said
        return 503, "the token can't be checked now: send it again", "unchecked"
    return None


def _bearer(header: str) -> str:
    """The token in an Authorization header; TokenRefused if there is none."""
    found = BEARER.fullmatch(header) if len(header) <= MAX_TOKEN else None
    if found is None:
        raise TokenRefused("there is no bearer token")
    return found[1]


def check(claims: Mapping[str, object], sender: Sender) -> None:
    """Whether a token of Google's is our push account's; TokenRefused says why not."""
    if claims.get("email") != sender.account:
        raise TokenRefused("the token is another account's")
    if claims.get("email_verified") is not True:
        raise TokenRefused("Google has not verified the token's account")


def receive(runs: RunStore, secret: str, clock: Clock) -> tuple[int, str, str]:
    """Take one push: HTTP status, text, and the result's name in the metrics."""
    try:
        data, attributes = _unwrap()
    except MalformedPayload as error:
        return 200, f"dropped: {error}", "malformed"
    found = hints.read(data, attributes, secret, clock())
    if isinstance(found, hints.Dropped):
        return 200, f"dropped: {found.reason}", found.result
    try:
        known = runs.nudge(found.dag_run_id, began=found.began)
    except StoreUnavailable:
        return 503, "the database does not answer: send it again", "unstored"
    return 202, "looking" if known else "not ours, or over", "known" if known else "unknown"


def _unwrap() -> tuple[bytes, dict[str, str]]:
    """The message's data and attributes: https://cloud.google.com/pubsub/docs/push#receive_push ."""
    request.max_content_length = MAX_BYTES
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise MalformedPayload(f"more than {MAX_BYTES} bytes are no hint") from None
    payload = events.load(body)
    attributes = take(payload, "message", dict).get("attributes")
    if not isinstance(attributes, dict):
        attributes = {}
    try:
        data = base64.b64decode(take(payload, "message.data", str), validate=True)
    except ValueError as error:
        raise MalformedPayload("the message's data is not base64") from error
    return data, {name: value for name, value in attributes.items() if isinstance(value, str)}
