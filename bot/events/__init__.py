"""Payload -> typed event: one module per GitHub event, named as GitHub names it, with a `parse`.

A new event is a new module here; nothing else lists them.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, cast

from bot.errors import MalformedPayload
from bot.events.types import Event, Ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.models import Delivery

NOT_EVENTS = frozenset({"types", "payload", "lane"})


@cache
def parsers() -> Mapping[str, Callable[[Mapping[str, object]], Event]]:
    """Every event that means something to us, with the function that reads its payload."""
    names = {module.name for module in pkgutil.iter_modules(__path__)} - NOT_EVENTS
    return {name: importlib.import_module(f"{__name__}.{name}").parse for name in sorted(names)}


def load(body: bytes) -> Mapping[str, object]:
    """The body as a JSON object; MalformedPayload if it is anything else."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedPayload(
            "the body is not JSON: set the webhook's content type to application/json"
        ) from error
    if not isinstance(payload, dict):
        raise MalformedPayload("the body is not a JSON object")
    return cast("Mapping[str, object]", payload)


def parse(delivery: Delivery) -> Event:
    """The delivery as a typed event; Ignored where it means nothing to us, MalformedPayload if broken."""
    parser = parsers().get(delivery.event)
    if parser is None:
        return Ignored(f"the event {delivery.event!r} means nothing to us")
    return parser(load(delivery.body))
