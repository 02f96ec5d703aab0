"""How an Airflow fails: it goes away, answers late, refuses, or does what it was asked and says otherwise."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass


@dataclass
class Harm:
    """What happens to the next `times` requests of a method whose path matches.

    `delay` seconds before anything else; then `status` instead of Airflow's own, or, if `lost`, no answer.
    `executed`: what was asked for is done all the same.
    """

    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 0
    lost: bool = False
    executed: bool = False
    delay: float = 0.0

    def before(self) -> bool:
        """Wait as long as it takes; whether the request is heard at all."""
        time.sleep(self.delay)
        return self.executed or not self.lost


class Trouble:
    """What goes wrong now. Safe to change at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._harms: list[Harm] = []
        self._gone = False

    def go_away(self) -> None:
        """From now on every connection breaks."""
        self._gone = True

    def come_back(self) -> None:
        """Answer again."""
        self._gone = False

    def add(self, harm: Harm) -> None:
        """Do that to the next requests that match."""
        with self._lock:
            self._harms.append(harm)

    def waits(self) -> bool:
        """Whether something was to go wrong that did not yet."""
        with self._lock:
            return any(harm.times > 0 for harm in self._harms)

    def end(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._harms.clear()
        self._gone = False

    def meets(self, method: str, path: str) -> Harm | None:
        """What is to be done to this request, which then is counted."""
        if self._gone:
            return Harm(lost=True)
        with self._lock:
            for harm in self._harms:
                if harm.times > 0 and harm.method in ("", method) and re.search(harm.path, path):
                    harm.times -= 1
                    return harm
        return None
