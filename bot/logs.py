"""Logs: one line of JSON an event on standard error, with our own secrets struck out."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from structlog.typing import EventDict, Processor, WrappedLogger

# What JSON leaves as it is, but terminals and readers of lines obey: C1 controls, other ends of lines,
# changes of direction, and halves of characters, which no file takes.
_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def configure(level: str, secrets: Sequence[str]) -> None:
    """Send all logging of this process to standard error."""

    def strike_out(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: _struck(value, secrets) for key, value in event.items()}

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        strike_out,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
                _in_sight,
            ],
        )
    )
    logging.raiseExceptions = False  # what could not be written would be shown as it is, secrets and all
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("urllib3", "alembic", "github"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _in_sight(_: WrappedLogger, __: str, line: object) -> str:
    """The line of JSON, with escapes for what would not show."""
    return _UNSEEN.sub(_escaped, str(line))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _struck(value: object, secrets: Sequence[str]) -> object:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[redacted]")
    return value
