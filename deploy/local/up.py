"""`make up`: the same stack for a real GitHub, set up by `.env`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.errors import SettingsError
from bot.settings import Settings
from deploy.local import dotenv
from deploy.local.console import Console
from deploy.local.environment import ROOT
from deploy.local.errors import StackError
from deploy.local.processes import Supervisor
from deploy.local.stack import STATE, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY = STATE / "up"
_POLL_SECONDS = 0.5

MANAGED = (
    "PREFLIGHT_DATABASE_URL",
    "PREFLIGHT_AIRFLOW_URL",
    "PREFLIGHT_AIRFLOW_USERNAME",
    "PREFLIGHT_AIRFLOW_PASSWORD",
    "PREFLIGHT_NUDGE_SECRET",
    "PREFLIGHT_LISTEN",
    "PREFLIGHT_INTERNAL_LISTEN",
    "PREFLIGHT_WORKER_LISTEN",
)
"""What `make up` sets by itself, because it starts what they lead to."""


def read_settings(text: str | None) -> dict[str, str]:
    """The bot's settings from the text of `.env` (None: there is no such file), checked.

    Raises:
        StackError: something is missing or wrong; the message names each variable.
    """
    if text is None:
        raise StackError("There is no .env. Copy .env.example to .env and fill in what it asks for.")
    found = dotenv.parse(text)
    if managed := [name for name in found if name.removesuffix("_FILE") in MANAGED]:
        raise StackError(
            f"`make up` sets {', '.join(managed)} itself. Remove from .env what it has of these."
        )
    placeholders = {
        "PREFLIGHT_DATABASE_URL": "postgresql+psycopg://host/database",
        "PREFLIGHT_AIRFLOW_URL": "http://127.0.0.1",
        "PREFLIGHT_AIRFLOW_USERNAME": "set later",
        "PREFLIGHT_AIRFLOW_PASSWORD": "set later",
    }
    try:
        Settings.from_env({**found, **placeholders})
    except SettingsError as error:
        raise StackError(f"In .env:\n{error}\n.env.example says where to get each.") from error
    return found


def run() -> int:
    """Run the stack until Ctrl-C; returns the exit code.

    Raises:
        StackError: it can't be set up, or something did not come up or ended.
    """
    console = Console()
    path = ROOT / ".env"
    settings = read_settings(path.read_text() if path.exists() else None)
    with Supervisor(DIRECTORY) as supervisor:
        stack = Stack(DIRECTORY, supervisor, console, durable=True)
        stack.start(lambda: settings)
        console.show(f"\n{_addresses(stack, settings)}\n\nCtrl-C stops everything.\n")
        try:
            while not (ended := supervisor.ended()):
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            console.say("Stopping ...")
            return 0
        raise StackError(
            f"{ended[0].name} ended with exit code {ended[0].exit_code}.\n{ended[0].last_lines()}"
        )


def _addresses(stack: Stack, settings: Mapping[str, str]) -> str:
    airflow, ports = stack.airflow_settings, stack.bot_ports
    public = settings["PREFLIGHT_PUBLIC_URL"].rstrip("/")
    lines = {
        "Webhook": f"{public}/webhook, which must lead to {ports.public_url}/webhook",
        "Airflow": f"{airflow.url} (user admin, password {airflow.secrets.admin_password})",
        "Metrics": f"{ports.internal_url}/metrics and {ports.worker_url}/metrics",
        "Logs": str(stack.supervisor.logs),
    }
    return "\n".join(f"  {what:<10}{where}" for what, where in lines.items())
