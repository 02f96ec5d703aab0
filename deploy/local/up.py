"""`make up`: the same stack for a real GitHub, set up by `.env`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.errors import SettingsError
from bot.settings import Settings
from deploy.local import dotenv
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.processes import Supervisor
from deploy.local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_POLL_SECONDS = 0.5

MANAGED = (
    "PREFLIGHT_DATABASE_URL",
    "PREFLIGHT_AIRFLOW_URL",
    "PREFLIGHT_AIRFLOW_USERNAME",
    "PREFLIGHT_AIRFLOW_PASSWORD",
    "PREFLIGHT_NUDGE_SECRET",
    "PREFLIGHT_ARTIFACTS_URL",
    "PREFLIGHT_LISTEN",
    "PREFLIGHT_INTERNAL_LISTEN",
    "PREFLIGHT_WORKER_LISTEN",
)
"""What `make up` sets by itself, because it starts what they lead to."""

_WHERE = {
    "PREFLIGHT_GITHUB_TOKEN": "make a fine-grained one at https://github.com/settings/personal-access-tokens/new",
    "PREFLIGHT_GITHUB_APP_ID": "shown on the App's page, see https://github.com/settings/apps",
    "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": 'downloaded by "Generate a private key" on the App\'s page',
    "PREFLIGHT_REPOSITORIES": "owner/name of each repository to serve, or a pattern such as acme/*",
    "PREFLIGHT_WEBHOOK_SECRETS": "make one up (openssl rand -hex 32) and enter it as the webhook's secret",
    "PREFLIGHT_PUBLIC_URL": "the address under which GitHub reaches this machine, such as a tunnel's",
}


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
    problem = _problem({**found, **placeholders})
    if problem is not None:
        where = [f"  {name}: {what}" for name, what in _WHERE.items() if name in problem]
        raise StackError("\n".join(["In .env:", problem, "Where to get it:", *where]))
    return found


def _problem(environment: Mapping[str, str]) -> str | None:
    try:
        settings = Settings.from_env(environment)
    except SettingsError as error:
        return str(error)
    if settings.github_token and not settings.operator.serves:
        return "PREFLIGHT_REPOSITORIES is missing: with a token, none are served without it"
    return None


def run(directory: Path, environment_file: Path) -> int:
    """Run the stack, with what it keeps in `directory`, until Ctrl-C; returns the exit code.

    Raises:
        StackError: it can't be set up, or something did not come up or ended.
    """
    console = Console()
    settings = read_settings(environment_file.read_text() if environment_file.exists() else None)
    with Supervisor(directory) as supervisor:
        stack = Stack(directory, supervisor, console, durable=True)
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
