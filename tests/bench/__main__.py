"""`make bench`: print the figures, each beside its goal and its baseline from the same run.

Nothing here passes or fails by how long something takes: the exit code is 1 only if a figure could not be
measured.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psycopg

from bot.errors import PreflightError
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.processes import Supervisor
from tests.bench import (
    accepted,
    burst,
    decision_requests,
    decisions,
    demo_time,
    excerpts,
    final_word,
    first_status,
    github_requests,
    history,
    idle,
    machine,
    reports,
    run_pages,
    steady,
    storm,
    sweeps,
    trigger,
)
from tests.bench.figures import Figure, NotMeasured, keep, table
from tests.bench.pull_requests import Life, lives
from tests.bench.system import Bot, quick_system, running_bot, running_postgres, start_system
from tests.github_standin import StandinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from deploy.local.postgres import Postgres
    from tests.bench.system import System

RESULTS = Path(__file__).parent / "results.json"
MEASUREMENTS = (
    *("decisions", "excerpt", "deliveries", "steady", "sweeps", "history", "pages", "idle"),
    *("trigger", "reports", "burst", "storm", "pulls", "demo"),
)
_ON_POSTGRES = MEASUREMENTS[2:-1]
_INTERRUPTED = 130
_WARM_UP = 2


class Bench:
    """One run of everything that was asked for."""

    def __init__(self, options: argparse.Namespace, directory: Path, console: Console) -> None:
        self.options = options
        self.directory = directory
        self.console = console
        self.figures: list[Figure] = []
        self.missing: dict[str, str] = {}

    def run(self) -> None:
        """Measure; what can't be measured is noted, and the rest goes on."""
        wanted = self.options.only or [name for name in MEASUREMENTS if name != "demo" or self.options.demo]
        if "decisions" in wanted:
            self._try("decisions", self._decisions)
        with Supervisor(self.directory) as supervisor:
            if "excerpt" in wanted:
                self._try("excerpt", lambda: self._excerpt(supervisor))
            if names := [name for name in _ON_POSTGRES if name in wanted]:
                with running_postgres(self.directory, supervisor) as postgres:
                    for name in names:
                        self._try(name, partial(self._on_postgres, name, supervisor, postgres))
            if "demo" in wanted:
                self._try("demo", lambda: self._demo(supervisor))

    def _on_postgres(self, name: str, supervisor: Supervisor, postgres: Postgres) -> Sequence[Figure]:
        measure = {
            "deliveries": self._deliveries,
            "steady": self._steady,
            "sweeps": self._sweeps,
            "history": self._history,
            "idle": self._idle,
            "trigger": self._trigger,
            "storm": self._storm,
            "pages": self._pages,
            "reports": self._reports,
            "burst": self._burst,
            "pulls": self._pulls,
        }
        return measure[name](supervisor, postgres)

    def _try(self, name: str, measure: Callable[[], Sequence[Figure]]) -> None:
        try:
            self.figures += measure()
        except (NotMeasured, PreflightError, StackError, StandinError, psycopg.Error, OSError) as error:
            self.missing[name] = str(error)
            self.console.say(f"{name}: not measured. {error}")

    def _decisions(self) -> list[Figure]:
        rounds = 20 if self.options.quick else 200
        with self.console.phase(f"decisions, {rounds} of each kind"):
            return [*decisions.figures(rounds=rounds), *decision_requests.figures()]

    def _excerpt(self, supervisor: Supervisor) -> list[Figure]:
        megabytes = 5 if self.options.quick else excerpts.MEGABYTES
        with self.console.phase(f"the excerpt of a log of {megabytes} MB"):
            return excerpts.figures(supervisor, self.directory, megabytes=megabytes)

    def _pages(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        many, rounds = (10_000, 10) if self.options.quick else (run_pages.MANY, 200)
        return run_pages.figures(supervisor, postgres, self.console, many=many, rounds=rounds)

    def _reports(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        # Not just when the next word about a running one is due.
        short, long = (10.0, 25.0) if self.options.quick else (50.0, 300.0)
        with (
            self.console.phase(f"reports on runs of {short:.0f} and {long:.0f} s"),
            quick_system("reports", self.directory, supervisor, postgres) as system,
        ):
            return reports.figures(system, short=short, long=long)

    def _burst(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        with quick_system("burst", self.directory, supervisor, postgres) as system:
            size = burst.Size(10, 5.0, 20.0) if self.options.quick else burst.Size()
            return burst.figures(system, self.console, size)

    def _deliveries(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        rounds, seconds = (1, 2.0) if self.options.quick else (5, 4.0)
        with self.console.phase(f"deliveries, {rounds} rounds of {seconds:.0f} s"):
            return accepted.figures(supervisor, postgres, rounds=rounds, seconds=seconds)

    def _steady(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        seconds = 5.0 if self.options.quick else 60.0
        with self.console.phase(f"deliveries at a steady pace for {seconds:.0f} s"):
            return steady.figures(supervisor, postgres, seconds=seconds)

    def _idle(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        seconds = 5.0 if self.options.quick else 60.0
        with (
            self.console.phase(f"idle for {seconds:.0f} s"),
            quick_system("idle", self.directory, supervisor, postgres) as system,
        ):
            return idle.figures(system, seconds=seconds)

    def _trigger(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        count = 5 if self.options.quick else 50
        with (
            self.console.phase(f"from webhook to Airflow, {count} pull requests"),
            quick_system("trigger", self.directory, supervisor, postgres) as system,
        ):
            return trigger.figures(system, count=count)

    def _storm(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        pulls = 25 if self.options.quick else storm.PULLS
        with quick_system("storm", self.directory, supervisor, postgres) as system:
            return storm.figures(system, self.console, pulls=pulls)

    def _sweeps(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        return sweeps.figures(supervisor, postgres, self.console, quick=self.options.quick)

    def _history(self, _: Supervisor, postgres: Postgres) -> list[Figure]:
        many, rounds = (20_000, 10) if self.options.quick else (history.MANY, 100)
        return history.figures(postgres, self.console, many=many, rounds=rounds)

    def _pulls(self, supervisor: Supervisor, postgres: Postgres) -> list[Figure]:
        count = self.options.pulls or (5 if self.options.quick else 40)
        with self.console.phase("Airflow and GitHub (the stand-in)"):
            system = start_system(self.directory, supervisor, postgres)
        with running_bot(system, "nudged", nudged=True) as bot:
            first, *others = self._live(system, bot, count)
            warm = others[_WARM_UP - 1 :]
            self.figures += github_requests.figures(first, warm)
            self.figures += first_status.figures(system, bot, warm)
            self._show_timeline(warm)
        with running_bot(system, "polling", nudged=False) as bot:
            return final_word.figures(warm, self._live(system, bot, max(3, count // 4))[_WARM_UP:])

    def _live(self, system: System, bot: Bot, count: int) -> list[Life]:
        lived = []
        with self.console.phase(f"{count} pull requests, {bot.name}"):
            for life in lives(system, bot, count + _WARM_UP):
                lived.append(life)
                self.console.say(str(life))
        return lived

    def _demo(self, supervisor: Supervisor) -> list[Figure]:
        with self.console.phase("make demo ARGS=--once in a fresh clone, twice"):
            return demo_time.figures(supervisor, self.directory / "demo")

    def _show_timeline(self, warm: Sequence[Life]) -> None:
        moments = "\n".join(f"  {after:7.1f} ms  {what}" for what, after in first_status.timeline(warm))
        self.console.show(f"\nFrom the webhook to the first status, medians:\n{moments}\n")


def main() -> int:
    """Run the bench as the command line says; the exit code."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console()
    where = machine.describe()
    console.show(", ".join(f"{name}: {value}" for name, value in where.items()))
    with tempfile.TemporaryDirectory(prefix="preflight-bench-") as directory:
        bench = Bench(options, Path(directory), console)
        try:
            bench.run()
        except KeyboardInterrupt:
            console.say("Stopped.")
            return _INTERRUPTED
    keep(RESULTS, bench.figures, machine=where, missing=bench.missing)
    console.show(f"\n{table(bench.figures)}\n")
    for figure in bench.figures:
        if isinstance(listed := figure.details.get("by_endpoint"), dict):
            lines = "\n".join(f"  {count} x {what}" for what, count in listed.items())
            console.show(f"{figure.name}:\n{lines}\n")
    for name, reason in bench.missing.items():
        console.show(f"Not measured: {name}. {reason}")
    return 1 if bench.missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it works")
    parser.add_argument("--demo", action="store_true", help="also time the demo in a fresh clone (minutes)")
    parser.add_argument("--pulls", type=int, metavar="N", help="pull requests to live through (40)")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="measure only this")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
