"""The composition root: Settings -> wired objects. The only package that knows all adapters."""

from __future__ import annotations

from bot.bootstrap.by_hand import migrate
from bot.bootstrap.doctor import examine_all
from bot.bootstrap.pubsub import replay_dead_letters, set_up
from bot.bootstrap.recovery import make_by_hand, make_in_step
from bot.bootstrap.web import Web, build_web
from bot.bootstrap.worker import build_worker

__all__ = [
    "Web",
    "build_web",
    "build_worker",
    "examine_all",
    "make_by_hand",
    "make_in_step",
    "migrate",
    "replay_dead_letters",
    "set_up",
]
