"""One run of chaos: lives, faults, the end of the faults, and what was wrong then."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.local.processes import Supervisor
from tests.chaos import faults, lives
from tests.chaos.inflicting import Infliction
from tests.chaos.living import Living, Progress, live_all
from tests.chaos.settling import BY_HAND_SECONDS, PATIENCE_SECONDS, Settling
from tests.chaos.world import running_world

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.chaos.history import History

    Violations = Mapping[str, tuple[Sequence[str], History | None]]
    """By the pull request, "" for what is wrong with all."""


@dataclass(frozen=True)
class Options:
    """How much of it.

    `frozen`: workers may stand still beyond their leases, which takes more than a minute. `patience` is in
    seconds: how long nothing new may happen in the end while something is wrong. `only`: see `faults.plan`;
    those last until they were met. `by_hand` is in seconds, too: somebody brings what was lost once the bot
    brought nothing of it for so long. Where a violation says `enough`, nobody waits for anything more.
    """

    lives: int
    seed: int
    at_once: int = 12
    most_acts: int = 9
    frozen: bool = True
    plant: str = ""
    only: str = ""
    enough: str = ""
    patience: float = PATIENCE_SECONDS
    by_hand: float = BY_HAND_SECONDS


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    options: Options
    faults: int
    violations: Violations
    inflicted: Sequence[str]

    @property
    def count(self) -> int:
        """How many violations there are."""
        return sum(len(found) for found, _ in self.violations.values())

    @property
    def line(self) -> str:
        """The last line."""
        options = self.options
        return f"lives={options.lives} seed={options.seed} faults={self.faults} violations={self.count}"

    def told(self) -> str:
        """All violations, each with the history that led to it."""
        parts = []
        for where, (found, history) in self.violations.items():
            parts.append("\n".join([f"{where or 'in general'}:", *(f"  ! {each}" for each in found)]))
            if history is not None:
                parts.append(history.told())
        return "\n\n".join([*parts, "faults:", "\n".join(self.inflicted)]) if parts else ""


def run(options: Options, directory: Path, say: Callable[[str], None]) -> Outcome:
    """Live through it all.

    Raises:
        StackError: a part of it does not come up.
    """
    planned = lives.plan(options.lives, options.seed, options.most_acts)
    acts = sum(len(life.acts) for life in planned)
    plan = faults.plan(acts, options.seed, frozen=options.frozen, only=options.only)
    homes = max(life.home for life in planned) + 1
    with (
        Supervisor(directory) as supervisor,
        running_world(directory, supervisor, seed=options.seed, homes=homes, plant=options.plant) as world,
    ):
        say(f"{len(planned)} lives of {acts} acts in {homes} accounts, {len(plan)} faults")
        began = time.monotonic()
        livings = [Living(world, life, began) for life in planned]
        progress, stopped = Progress(), threading.Event()
        infliction = Infliction(world, say)
        inflicting = threading.Thread(target=infliction.run, args=(plan, progress), daemon=True)
        inflicting.start()
        try:
            live_all(livings, options.at_once, progress, stopped)
            inflicting.join()
        except BaseException:
            infliction.end(hurry=True)
            raise
        infliction.end(patience=options.patience if options.only else 0.0)
        say("all lives are lived, and all faults have ended")
        settling = Settling(
            world,
            livings,
            say,
            patience=options.patience,
            by_hand=options.by_hand,
            enough=options.enough,
        )
        settling.wait()
        say(settling.summary())
        violations = with_broken_off(settling.violations, infliction.broke_off)
        inflicted = [f"  {at:6.1f} s  {fault}" for at, fault in infliction.inflicted]
        return Outcome(options, len(infliction.inflicted), violations, inflicted)


def with_broken_off(violations: Violations, broke_off: Sequence[str]) -> Violations:
    """Faults that never came prove nothing: whoever survived the others did not survive these."""
    if not broke_off:
        return violations
    found, _ = violations.get("", ((), None))
    return {**violations, "": ([*broke_off, *found], None)}
