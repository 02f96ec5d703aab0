"""A real Airflow: api-server, scheduler (with LocalExecutor) and dag-processor, each a process that we hold.

For example:

    with local_airflow(tmp_path, dags=checkout / "dags", wait_for={"checks"}) as airflow:
        airflow.url, airflow.username, airflow.password      # for the bot's adapter
        airflow.stop_api(); ...; airflow.start_api()         # Airflow is away for a while

Or with parts of one's own: `LocalAirflow(AirflowSettings(...), supervisor)`, then `migrate()`, `start()`,
`wait_ready({"checks"})`. `airflow standalone` would start the same three and a triggerer, but leaves them
behind when it is stopped in the wrong way, and can't lose or restart one of them.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from deploy.local import environment, ports
from deploy.local.airflow_probe import Probe
from deploy.local.airflow_settings import AirflowSettings
from deploy.local.credentials import Credentials
from deploy.local.errors import StackError
from deploy.local.postgres import Postgres
from deploy.local.processes import Child, Stop, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

_MIGRATE_SECONDS = 180.0
_START_SECONDS = 120.0
_API, _SCHEDULER, _DAG_PROCESSOR = "airflow-api-server", "airflow-scheduler", "airflow-dag-processor"
_COMMANDS = {
    _API: ("api-server", "--workers", "1"),
    _SCHEDULER: ("scheduler", "--skip-serve-logs"),
    _DAG_PROCESSOR: ("dag-processor",),
}


class LocalAirflow:
    """One Airflow under a supervisor."""

    def __init__(self, settings: AirflowSettings, supervisor: Supervisor) -> None:
        self.settings = settings
        self._supervisor = supervisor
        self._parts: dict[str, Child] = {}

    @property
    def url(self) -> str:
        """Where it's reached."""
        return self.settings.url

    @property
    def username(self) -> str:
        """The user that the bot logs in as."""
        return self.settings.bot_username

    @property
    def password(self) -> str:
        """The bot's password."""
        return self.settings.secrets.bot_password

    def migrate(self) -> None:
        """Bring the database to this Airflow's schema.

        Raises:
            StackError: that failed.
        """
        self.settings.write_passwords()
        child = self._run("airflow-migrate", "db", "migrate")
        code = child.wait(seconds=_MIGRATE_SECONDS)
        self._supervisor.stop(child)
        if code != 0:
            raise StackError(f"`airflow db migrate` ended with exit code {code}.\n{child.last_lines()}")

    def start(self) -> None:
        """Start all three processes; `wait_ready` then tells when they work."""
        self.settings.write_passwords()
        for part in _COMMANDS:
            self._start(part)

    def wait_ready(self, dags: Collection[str] = ()) -> None:
        """Wait until it is healthy and knows these DAGs; its first run is then as fast as the following ones.

        Raises:
            StackError: it isn't within two minutes, or a process of it ended.
        """
        probe = Probe(self.url, self.username, self.password)
        self._wait(_API, probe.warm_up, "it answered")
        self._wait(_SCHEDULER, lambda: probe.is_healthy("scheduler"), "it was healthy")
        self._wait(_DAG_PROCESSOR, lambda: probe.is_healthy("dag_processor"), "it was healthy")
        for dag in sorted(dags):
            self._wait(_DAG_PROCESSOR, partial(probe.knows, dag), f"it had read the DAG {dag}")

    def stop(self) -> None:
        """Stop all of it. It can be started again."""
        for part in reversed(list(self._parts)):
            self._stop(part)

    def start_api(self) -> None:
        """Start the api-server again and wait until it answers."""
        self._start(_API)
        self._wait(_API, lambda: ports.answers(self.settings.port), "it listened")

    def stop_api(self) -> None:
        """Stop the api-server alone, "Airflow is down" for its clients; tasks run on for a minute."""
        self._stop(_API)

    def start_scheduler(self) -> None:
        """Start the scheduler again."""
        self._start(_SCHEDULER)

    def kill_scheduler(self) -> None:
        """SIGKILL the scheduler and all tasks that it runs."""
        self._supervisor.kill(self._parts.pop(_SCHEDULER))

    def command(self, *arguments: str) -> str:
        """Run `airflow ARGUMENTS` to its end, and return what it printed.

        Raises:
            StackError: it failed.
        """
        child = self._run("airflow-command", *arguments)
        code = child.wait(seconds=_START_SECONDS)
        self._supervisor.stop(child)
        if code != 0:
            raise StackError(
                f"`airflow {' '.join(arguments)}` ended with exit code {code}.\n{child.last_lines()}"
            )
        return child.log.read_text()

    def _start(self, part: str) -> None:
        self._parts[part] = self._run(part, *_COMMANDS[part])

    def _stop(self, part: str) -> None:
        self._supervisor.stop(self._parts.pop(part))

    def _wait(self, part: str, condition: Callable[[], bool], what: str) -> None:
        self._parts[part].wait_until(condition, what, seconds=_START_SECONDS)

    def _run(self, name: str, *arguments: str) -> Child:
        return self._supervisor.start(
            name,
            [environment.AIRFLOW_PYTHON, "-m", "airflow", *arguments],
            env=self.settings.environment(),
            cwd=self.settings.home,
            stop=Stop(seconds=20),
        )


@contextlib.contextmanager
def local_airflow(
    directory: Path,
    *,
    dags: Path,
    wait_for: Collection[str] = (),
    plugins: Path | None = None,
    nudge_url: str | None = None,
    nudge_secret: str | None = None,
    extra: dict[str, str] | None = None,
) -> Iterator[LocalAirflow]:
    """An Airflow with a PostgreSQL of its own, ready and knowing the DAGs `wait_for`; gone at the end.

    About 15 s on two cores. Everything it keeps is below `directory`: logs of its processes in `logs`,
    artifacts of runs in `airflow/artifacts`.
    """
    with Supervisor(directory) as supervisor:
        postgres = Postgres(directory / "postgres", supervisor)
        try:
            postgres.start()
            settings = AirflowSettings(
                home=directory / "airflow",
                dags=dags,
                database_url=postgres.create_database("airflow"),
                port=ports.choose_any(),
                secrets=Credentials(directory / "secrets").airflow(),
                plugins=plugins,
                nudge_url=nudge_url,
                nudge_secret=nudge_secret,
                extra=extra or {},
            )
            airflow = LocalAirflow(settings, supervisor)
            airflow.migrate()
            airflow.start()
            airflow.wait_ready(wait_for)
            yield airflow
        finally:
            supervisor.stop_all()
            postgres.remove()
