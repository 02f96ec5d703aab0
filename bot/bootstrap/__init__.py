"""The composition root: Settings -> wired objects. The only package that knows all adapters."""

from __future__ import annotations

from bot.bootstrap.by_hand import migrate
from bot.bootstrap.web import Web, build_web
from bot.bootstrap.worker import build_worker

__all__ = ["Web", "build_web", "build_worker", "migrate"]
