"""Carries out the faults of the plan, each once as many acts have happened as it says."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.chaos import stalls
from tests.chaos.airflow_trouble import Harm
from tests.chaos.faults import BEYOND_A_LEASE
from tests.chaos.fleet import WEBS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.chaos.faults import Fault
    from tests.chaos.living import Progress
    from tests.chaos.world import World

_WRITES = (
    ("POST", r"/issues/\d+/comments$"),
    ("POST", r"/statuses/"),
    ("PATCH", r"/issues/comments/\d+$"),
    ("POST", r"/check-runs$"),
    ("POST", r"/reactions$"),
    ("PATCH", r"/check-runs/\d+$"),
    ("DELETE", r"/issues/comments/\d+$"),
)
_TRIGGER = r"/dagRuns$"
_RUN = r"/dagRuns/[^/]+$"
_LOOK_SECONDS = 0.2


class Infliction:
    """What was inflicted so far, for the histories; `end` makes all of it end."""

    def __init__(self, world: World, say: Callable[[str], None]) -> None:
        self.world = world
        self.inflicted: list[tuple[float, Fault]] = []
        self.broke_off: list[str] = []
        """Why not all of the plan was inflicted: what went wrong with us, not with the bot."""
        self._say = say
        self._began = time.monotonic()
        self._ending, self._hurry = threading.Event(), threading.Event()
        self._lasting: list[threading.Thread] = []
        self._postgres = threading.Lock()

    def run(self, plan: Sequence[Fault], progress: Progress) -> None:
        """Inflict all of the plan; what keeps it from that is in `broke_off`."""
        try:
            for fault in plan:
                progress.wait_for(fault.at)
                self.inflicted.append((time.monotonic() - self._began, fault))
                self._say(f"{progress.acts:5} acts  {fault}")
                self._inflict(fault)
                self.world.fleet.tend()
        except Exception as error:  # noqa: BLE001 - a thread's error would be nobody's
            self._break_off(error, f", {len(self.inflicted)} of {len(plan)} were begun")

    def end(self, *, hurry: bool = False, patience: float = 0.0) -> None:
        """All faults are over; what was down works again. With patience, Airflow's are met before."""
        until = time.monotonic() + patience
        while self.world.airflow.trouble.waits() and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        self._ending.set()
        if hurry:
            self._hurry.set()
        for thread in self._lasting:
            thread.join()
        self.world.github.clear_faults()
        self.world.airflow.trouble.end()
        self.world.fleet.tend()

    def _inflict(self, fault: Fault) -> None:
        KINDS[fault.kind](self, fault)

    def _meanwhile(self, act: Callable[[], None]) -> None:
        """Something that lasts, while other faults go on."""

        def carried_out() -> None:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - likewise
                self._break_off(error)

        thread = threading.Thread(target=carried_out, daemon=True)
        thread.start()
        self._lasting.append(thread)

    def _break_off(self, error: Exception, how_far: str = "") -> None:
        self.broke_off.append(f"the faults broke off{how_far}: {type(error).__name__}: {error}")

    def github_write(self, fault: Fault, *, status: int | None, executed: bool) -> None:
        """The next writes are done, or not, and answered so; without a status the connection is cut."""
        method, path = _WRITES[fault.target % len(_WRITES)]
        self.world.github.fault(
            path,
            method=method,
            times=int(fault.amount),
            status=status,
            executed=executed,
            drop=status is None,
        )

    def github_limit(self, fault: Fault, status: int) -> None:
        """GitHub wants a pause."""
        headers = {"Retry-After": str(int(fault.amount))}
        message = "You have exceeded a secondary rate limit. Please wait a few minutes."
        self.world.github.fault(r"^/api/", status=status, headers=headers, message=message)

    def github_lag(self, fault: Fault) -> None:
        """The API does not know yet what the webhook told."""
        self.world.github.fault(r"/pulls/\d+$", method="GET", status=404, times=int(fault.amount))

    def github_slow(self, fault: Fault) -> None:
        """Some answers take their time."""
        self.world.github.fault(r"^/api/", times=2, delay=fault.amount)

    def github_outage(self, fault: Fault) -> None:
        """Nothing works."""
        self.world.github.outage(fault.amount)

    def delivery(self, fault: Fault, kind: str) -> None:
        """The next deliveries are lost, doubled, late or in another order."""
        if kind == "reorder":
            self._reorder(fault)
        elif kind == "delay":
            self.world.github.delivery_fault("delay", seconds=fault.amount)
        else:
            self.world.github.delivery_fault(
                "drop" if kind == "drop" else "duplicate", times=int(fault.amount)
            )

    def _reorder(self, fault: Fault) -> None:
        """The next ones are held back for a while, then sent the wrong way round."""

        def reordered() -> None:
            self.world.github.delivery_fault("hold", times=1 + int(fault.amount))
            self._ending.wait(fault.amount)
            self.world.github.release_deliveries(newest_first=True)

        self._meanwhile(reordered)

    def airflow(self, harm: Harm) -> None:
        """The next requests like that go wrong."""
        self.world.airflow.trouble.add(harm)

    def airflow_gone(self, fault: Fault) -> None:
        """No connection works for a while."""

        def gone() -> None:
            self.world.airflow.trouble.go_away()
            self._ending.wait(fault.amount)
            self.world.airflow.trouble.come_back()

        self._meanwhile(gone)

    def postgres_killed(self, fault: Fault) -> None:
        """PostgreSQL is killed, and comes back."""

        def killed() -> None:
            with self._postgres:
                self.world.postgres.kill()
                self._ending.wait(fault.amount)
                self.world.postgres.start()

        self._meanwhile(killed)

    def freeze(self, fault: Fault, name: str) -> None:
        """A process stands still for a while."""

        def frozen() -> None:
            if self.world.fleet.freeze(name):
                # Beyond a lease is beyond it also where all lives are over by then.
                (self._hurry if fault.amount >= BEYOND_A_LEASE else self._ending).wait(fault.amount)
                self.world.fleet.thaw(name)

        self._meanwhile(frozen)

    def stall(self, fault: Fault, write: str) -> None:
        """The next write of that kind is about to be done, and then nothing happens for long."""

        def stalled() -> None:
            file = stalls.stall(self.world.fleet.stalls, write)
            while file.exists() and not self._ending.wait(_LOOK_SECONDS):
                pass
            if file.exists():
                file.unlink(missing_ok=True)  # nothing was written any more
            else:
                self._hurry.wait(fault.amount)

        self._meanwhile(stalled)

    def worker(self, fault: Fault) -> str:
        """One of those that there are."""
        workers = self.world.fleet.workers()
        return workers[fault.target % len(workers)]

    def web(self, fault: Fault) -> str:
        """One of the webs."""
        return WEBS[fault.target % len(WEBS)]

    def migrate(self, _: Fault) -> None:
        """A rolling upgrade migrates again; where the database is down that fails, which is fine."""

        def migrated() -> None:
            self.world.fleet.by_hand("migrate")

        self._meanwhile(migrated)


KINDS: Mapping[str, Callable[[Infliction, Fault], None]] = {
    "github 502 after a write": lambda on, fault: on.github_write(fault, status=502, executed=True),
    "github cut off after a write": lambda on, fault: on.github_write(fault, status=None, executed=True),
    "github 502 before a write": lambda on, fault: on.github_write(fault, status=502, executed=False),
    "github 403 with Retry-After": lambda on, fault: on.github_limit(fault, 403),
    "github 429 with Retry-After": lambda on, fault: on.github_limit(fault, 429),
    "github 404 lag": Infliction.github_lag,
    "github slow": Infliction.github_slow,
    "github outage": Infliction.github_outage,
    "delivery dropped": lambda on, fault: on.delivery(fault, "drop"),
    "delivery duplicated": lambda on, fault: on.delivery(fault, "duplicate"),
    "delivery delayed": lambda on, fault: on.delivery(fault, "delay"),
    "deliveries reordered": lambda on, fault: on.delivery(fault, "reorder"),
    "airflow 500 after a trigger": lambda on, fault: on.airflow(
        Harm("POST", _TRIGGER, int(fault.amount), status=500, executed=True)
    ),
    "airflow loses the answer to a trigger": lambda on, fault: on.airflow(
        Harm("POST", _TRIGGER, int(fault.amount), lost=True, executed=True)
    ),
    "airflow 503 before a trigger": lambda on, fault: on.airflow(
        Harm("POST", _TRIGGER, int(fault.amount), status=503)
    ),
    "airflow 500 after a cancel": lambda on, fault: on.airflow(
        Harm("PATCH", _RUN, int(fault.amount), status=500, executed=True)
    ),
    "airflow loses the answer to a cancel": lambda on, fault: on.airflow(
        Harm("PATCH", _RUN, int(fault.amount), lost=True, executed=True)
    ),
    "airflow 500 while resuming": lambda on, fault: on.airflow(
        Harm("POST", "clearTaskInstances", int(fault.amount), status=500, executed=bool(fault.target % 2))
    ),
    "airflow slow": lambda on, fault: on.airflow(Harm(times=2, delay=fault.amount)),
    "airflow forgets our login": lambda on, fault: on.airflow(Harm("GET", "", int(fault.amount), status=401)),
    "airflow gone": Infliction.airflow_gone,
    "worker killed": lambda on, fault: on.world.fleet.kill(on.worker(fault)),
    "web killed": lambda on, fault: on.world.fleet.kill(on.web(fault)),
    "web process killed": lambda on, fault: on.world.fleet.kill_part(on.web(fault), fault.target),
    "worker frozen": lambda on, fault: on.freeze(fault, on.worker(fault)),
    "worker frozen beyond its lease": lambda on, fault: on.freeze(fault, on.worker(fault)),
    "worker stalls before a trigger": lambda on, fault: on.stall(fault, "trigger"),
    "worker stalls before a comment": lambda on, fault: on.stall(fault, "create_comment"),
    "web frozen": lambda on, fault: on.freeze(fault, on.web(fault)),
    "worker added": lambda on, _: on.world.fleet.add_worker(),
    "worker removed": lambda on, fault: on.world.fleet.remove_worker(on.worker(fault)),
    "postgres killed": Infliction.postgres_killed,
    "migrate": Infliction.migrate,
}
