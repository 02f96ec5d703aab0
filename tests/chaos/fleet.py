"""The bot as it is deployed for chaos: two webs, two workers or more, each a process that may be harmed."""

from __future__ import annotations

import signal
import threading
from functools import partial
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

import psutil

from deploy.local import environment, ports
from deploy.local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy.local.processes import Child, Supervisor

_CALL_SECONDS = 10.0
_START_SECONDS = 60.0
_BY_HAND_SECONDS = 300.0
WEBS = ("web-1", "web-2")
WORKERS = ("worker-1", "worker-2")


class Fleet:
    """Safe to use from several threads. `plant` names a planted bug, see `plants.py`."""

    def __init__(
        self, settings: Mapping[str, str], supervisor: Supervisor, stalls: Path, plant: str = ""
    ) -> None:
        self.stalls = stalls
        """See `stalls.py`."""
        self._supervisor = supervisor
        self._settings = settings
        self._plant = plant
        self._ports = {name: (ports.choose_any(), ports.choose_any()) for name in WEBS}
        self._children: dict[str, Child] = {}
        self._frozen: set[str] = set()
        self._lock = threading.RLock()
        self._numbers = len(WORKERS)
        self.ended_by_itself: list[str] = []
        """What processes said that ended without anybody's asking."""

    def url(self, web: str, *, internal: bool = False) -> str:
        """Where a web listens."""
        return f"http://{HOST}:{self._ports[web][int(internal)]}"

    def start(self) -> None:
        """Start all, and wait until they work."""
        for name in (*WEBS, *WORKERS):
            self.begin(name)
        self.wait_ready()

    def begin(self, name: str) -> None:
        """Start a web or worker."""
        own: dict[str, str] = {}
        if name in self._ports:
            public, internal = self._ports[name]
            own = {
                "PREFLIGHT_LISTEN": f"{HOST}:{public}",
                "PREFLIGHT_INTERNAL_LISTEN": f"{HOST}:{internal}",
            }
        with self._lock:
            self._children[name] = self._run(name, [name.partition("-")[0]], own)

    def wait_ready(self) -> None:
        """Wait until the webs take deliveries."""
        for name in WEBS:
            ready = partial(_is_ok, f"{self.url(name, internal=True)}/readyz")
            self._children[name].wait_until(ready, "it was ready", seconds=_START_SECONDS)

    def workers(self) -> list[str]:
        """Those that there are."""
        with self._lock:
            return sorted(name for name in self._children if name.startswith("worker"))

    def kill(self, name: str) -> None:
        """SIGKILL it, and start it again."""
        with self._lock:
            if name in self._children and name not in self._frozen:
                self._supervisor.kill(self._children[name])
                self.begin(name)

    def kill_part(self, name: str, number: int) -> None:
        """SIGKILL one of a web's processes, which gunicorn starts again."""
        with self._lock:
            if name not in self._children or name in self._frozen:
                return
            parts = psutil.Process(self._children[name].pid).children()
        if parts:
            parts[number % len(parts)].kill()

    def freeze(self, name: str) -> bool:
        """SIGSTOP it with all that it started; False if it is frozen already."""
        with self._lock:
            if name not in self._children or name in self._frozen:
                return False
            self._frozen.add(name)
            self._signal(name, signal.SIGSTOP)
            return True

    def thaw(self, name: str) -> None:
        """Let it go on."""
        with self._lock:
            if name in self._frozen:
                self._signal(name, signal.SIGCONT)
                self._frozen.discard(name)

    def add_worker(self) -> None:
        """Start one more."""
        with self._lock:
            self._numbers += 1
            self.begin(f"worker-{self._numbers}")

    def remove_worker(self, name: str) -> None:
        """Stop one in order, unless it is one of the last two."""
        with self._lock:
            if name not in self._children or name in self._frozen or len(self.workers()) <= len(WORKERS):
                return
            child = self._children.pop(name)
        self._supervisor.stop(child)

    def restart_workers(self) -> None:
        """All of them, as a roll-out does it."""
        for name in self.workers():
            with self._lock:
                self._supervisor.stop(self._children[name])
                self.begin(name)

    def kill_all(self) -> None:
        """SIGKILL all: nobody wants anything of them any more, and an end in order takes its time."""
        with self._lock:
            while self._children:
                self._supervisor.kill(self._children.popitem()[1])

    def by_hand(self, *command: str) -> int:
        """`python -m bot COMMAND`; its exit code."""
        child = self._run("by-hand", command, {})
        try:
            return child.wait(seconds=_BY_HAND_SECONDS)
        finally:
            self._supervisor.stop(child)

    def tend(self) -> None:
        """Start again what ended by itself, as Kubernetes would."""
        with self._lock:
            for name, child in list(self._children.items()):
                if not child.running:
                    self.ended_by_itself.append(
                        f"{name} ended by itself ({child.exit_code}). {child.last_lines()}"
                    )
                    self._supervisor.kill(child)
                    self.begin(name)

    def _signal(self, name: str, number: signal.Signals) -> None:
        for process in self._children[name].family():
            process.send_signal(number)

    def _run(self, name: str, command: Sequence[str], own: Mapping[str, str]) -> Child:
        options = ["--stalls", str(self.stalls), *(["--plant", self._plant] if self._plant else [])]
        return self._supervisor.start(
            name,
            [environment.BOT_PYTHON, "-m", "tests.chaos.bot", *options, *command],
            env={
                **environment.base(),
                "PREFLIGHT_PUBLIC_URL": self.url(WEBS[0]),
                **self._settings,
                **own,
            },
            cwd=environment.ROOT,
        )


def _is_ok(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=_CALL_SECONDS):
            return True  # an error status raises
    except OSError:
        return False
