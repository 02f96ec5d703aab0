"""Payload -> typed event -> decision: one module per GitHub event, named as GitHub names it.

A module holds everything about its event: `parse` (payload -> event), and the event's own `decide`. A new
event is a new module here; nothing else lists them.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, cast

from bot.errors import MalformedPayload
from bot.events.types import Ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from bot.events.types import Event
    from bot.models import Delivery


@cache
def _modules() -> Mapping[str, ModuleType]:
    found = {
        one.name: importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)
    }
    return {name: module for name, module in sorted(found.items()) if hasattr(module, "parse")}


def parsers() -> Mapping[str, Callable[[Mapping[str, object]], Event]]:
    """Every event that means something to us, with the function that reads its payload."""
    return {name: module.parse for name, module in _modules().items()}


def is_ours(name: str) -> bool:
    """Whether the event is one that we send to ourselves, and GitHub never does."""
    return getattr(_modules().get(name), "OURS", False)


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
