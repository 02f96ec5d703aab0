"""The bot: `python -m bot migrate`, then web and worker, each a process that we hold.

For example:

    bot = LocalBot({"PREFLIGHT_DATABASE_URL": url, ...}, BotPorts(8080, 8081, 8082), supervisor)
    bot.migrate()
    bot.start()                  # both; start_web() and start_worker() start one
    bot.wait_ready()
    bot.kill_worker(); bot.start_worker()
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

from deploy.local import environment, ports
from deploy.local.errors import StackError
from deploy.local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.local.processes import Child, Supervisor

_WEB, _WORKER = "bot-web", "bot-worker"
_MIGRATE_SECONDS = 60.0
_START_SECONDS = 60.0
_CALL_SECONDS = 5.0


@dataclass(frozen=True)
class BotPorts:
    """Where the bot listens on 127.0.0.1."""

    public: int
    internal: int
    worker: int

    @classmethod
    def free(cls) -> BotPorts:
        """Any free ones, for a test."""
        return cls(ports.choose_any(), ports.choose_any(), ports.choose_any())

    @property
    def public_url(self) -> str:
        """Where webhooks go, and where the run pages are."""
        return f"http://{HOST}:{self.public}"

    @property
    def internal_url(self) -> str:
        """Where metrics, readiness and nudges go."""
        return f"http://{HOST}:{self.internal}"

    @property
    def worker_url(self) -> str:
        """Where the worker shows its metrics and health."""
        return f"http://{HOST}:{self.worker}"


class LocalBot:
    """One bot under a supervisor."""

    def __init__(self, settings: Mapping[str, str], at: BotPorts, supervisor: Supervisor) -> None:
        """`settings` are the bot's own (PREFLIGHT_...), but for where it listens."""
        self.ports = at
        self._supervisor = supervisor
        self._parts: dict[str, Child] = {}
        self._environment = {
            **environment.base(),
            "PREFLIGHT_PUBLIC_URL": at.public_url,
            **settings,
            "PREFLIGHT_LISTEN": f"{HOST}:{at.public}",
            "PREFLIGHT_INTERNAL_LISTEN": f"{HOST}:{at.internal}",
        }

    @property
    def settings(self) -> Mapping[str, str]:
        """Its settings (PREFLIGHT_...), the secret ones too."""
        return {name: value for name, value in self._environment.items() if name.startswith("PREFLIGHT_")}

    def migrate(self) -> None:
        """Bring the bot's database to its schema.

        Raises:
            StackError: that failed.
        """
        child = self._run("bot-migrate", "migrate")
        code = child.wait(seconds=_MIGRATE_SECONDS)
        self._supervisor.stop(child)
        if code != 0:
            raise StackError(f"`python -m bot migrate` ended with exit code {code}.\n{child.last_lines()}")

    def start(self) -> None:
        """Start web and worker."""
        self.start_web()
        self.start_worker()

    def wait_ready(self) -> None:
        """Wait until web and worker work.

        Raises:
            StackError: they don't within a minute, or one of them ended.
        """
        urls = {_WEB: f"{self.ports.internal_url}/readyz", _WORKER: f"{self.ports.worker_url}/healthz"}
        for part, child in self._parts.items():
            child.wait_until(partial(_is_ok, urls[part]), "it was ready", seconds=_START_SECONDS)

    def start_web(self) -> None:
        """Start the web process."""
        self._parts[_WEB] = self._run(_WEB, "web")

    def start_worker(self) -> None:
        """Start the worker process."""
        self._parts[_WORKER] = self._run(
            _WORKER, "worker", PREFLIGHT_WORKER_LISTEN=f"{HOST}:{self.ports.worker}"
        )

    def kill_web(self) -> None:
        """SIGKILL the web process, as a crash would."""
        self._supervisor.kill(self._parts.pop(_WEB))

    def kill_worker(self) -> None:
        """SIGKILL the worker, as a crash would."""
        self._supervisor.kill(self._parts.pop(_WORKER))

    def stop_web(self) -> None:
        """Stop the web process in order."""
        self._supervisor.stop(self._parts.pop(_WEB))

    def stop_worker(self) -> None:
        """Stop the worker in order."""
        self._supervisor.stop(self._parts.pop(_WORKER))

    def _run(self, name: str, command: str, **more: str) -> Child:
        return self._supervisor.start(
            name,
            [environment.BOT_PYTHON, "-m", "bot", command],
            env={**self._environment, **more},
            cwd=environment.ROOT,
        )


def _is_ok(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=_CALL_SECONDS):
            return True  # an error status raises
    except OSError:
        return False
