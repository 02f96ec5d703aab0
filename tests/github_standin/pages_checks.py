"""Check runs on the pages: how they look, and what their buttons do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from markupsafe import Markup

from . import check_events, markdown
from .hub import hub
from .state import Refused

if TYPE_CHECKING:
    from .checks import CheckRun
    from .state import Account, Json, Pull

QUIET = {"neutral": "neutral", "skipped": "skipped", "cancelled": "skipped"}
"""Conclusions that are shown neither in green nor in red, and their icons."""


def shown(run: CheckRun) -> Json:
    """A check run for a template: `icon` is its sign's name, `state` its colour's."""
    icon = QUIET.get(run.conclusion or "", run.state)
    return {
        "run": run,
        "icon": icon,
        "state": "neutral" if icon in QUIET.values() else run.state,
        "word": (run.conclusion or run.status).replace("_", " "),
        "summary": Markup(markdown.render(run.summary or "")),  # noqa: S704 - cleaned by nh3
        "text": Markup(markdown.render(run.text or "")),  # noqa: S704 - cleaned by nh3
    }


def press(pull: Pull, by: Account, action: str, button: str) -> None:
    """Do what a button says; `button` is a JSON list of the commit, the check run's name and which button.

    Without a name it is about all check runs of the commit.
    """
    try:
        sha, name, identifier = [*json.loads(button), "", "", ""][:3]
    except (TypeError, ValueError) as error:
        raise Refused(f"there is no button {button!r}") from error
    world, home = hub().world, pull.repository
    if action == "click":
        check_events.click(world, home, sha, by, name=name, identifier=identifier)
    elif name:
        check_events.rerequest(world, home, sha, by, name)
    else:
        check_events.rerequest_suites(world, home, sha, by)
