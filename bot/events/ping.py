"""`ping`: GitHub's greeting when a webhook is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events.types import Ignored

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(payload: Mapping[str, object]) -> Ignored:
    """A ping asks for nothing but an answer."""
    del payload
    return Ignored("ping")
