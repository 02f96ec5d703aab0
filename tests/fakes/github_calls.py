"""What the fake GitHub was asked, and what a test lets go wrong."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.errors import PreflightError
    from bot.models import Quota, Repository

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

READS = frozenset(
    {
        "pull_request",
        "tip",
        "file",
        "shared_file",
        "changed_files",
        "permission",
        "member",
        "find_comment",
        "find_check",
        "annotation_count",
        "changed_lines",
    }
)
"""The calls that cost a point each."""


@dataclass(frozen=True)
class Call:
    """One call of a port's method: its name, the repository's full name and the arguments after that."""

    method: str
    repository: str
    arguments: tuple[object, ...]


@dataclass
class _Fault:
    methods: frozenset[str]
    times: int
    error: PreflightError
    carried_out: bool


class FakeCalls:
    """Logs calls, one at a time, and fails those that a test wants to fail. Fulfils QuotaReader.

    `left` is what a test says is left of the hour's requests.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.ids = count(1_000_001)
        self.lock = threading.RLock()
        self.commits: set[tuple[int, str]] = set()
        self.left: Quota | None = None
        self._faults: list[_Fault] = []
        self._points = 0

    def fault(self, error: PreflightError, *methods: str, times: int = 1) -> None:
        """Raise `error` from the next `times` calls (of these methods, else of any) and do nothing."""
        with self.lock:
            self._faults.append(_Fault(frozenset(methods), times, error, carried_out=False))

    def unavailable(self, *methods: str, times: int = 1) -> None:
        """Fail the next calls as an outage would."""
        self.fault(GitHubUnavailable("GitHub answered with 503"), *methods, times=times)

    def rate_limited(self, retry_after: float, *methods: str, times: int = 1) -> None:
        """Refuse the next calls as too many."""
        self.fault(GitHubRateLimited("GitHub asks us to slow down", retry_after), *methods, times=times)

    def lose_answers(self, *methods: str, times: int = 1) -> None:
        """Carry the next calls out, then fail as if the answer was lost."""
        lost = GitHubUnavailable("GitHub answered with 502")
        with self.lock:
            self._faults.append(_Fault(frozenset(methods), times, lost, carried_out=True))

    def heal(self) -> None:
        """End all faults."""
        with self.lock:
            self._faults.clear()

    def count(self, method: str = "") -> int:
        """How many calls there were, of one method or in all."""
        with self.lock:
            return sum(1 for call in self.calls if method in ("", call.method))

    def counts(self) -> dict[str, int]:
        """How many calls there were of each method."""
        with self.lock:
            return dict(Counter(call.method for call in self.calls))

    # QuotaReader

    def account(self, repository: Repository) -> str:
        """The owner, as with an App."""
        return repository.owner.lower()

    def quota(self, repository: Repository) -> Quota | None:  # noqa: ARG002 - one for all of them
        """What a test says."""
        return self.left

    def spent(self, repository: Repository) -> int:  # noqa: ARG002 - one for all of them
        """How often something was read, for whatever repository, since the last call."""
        with self.lock:
            points, self._points = self._points, 0
            return points

    @contextmanager
    def call(self, method: str, repository: Repository, *arguments: object) -> Iterator[None]:
        """Log a call and let the first fault that is meant for it happen; one call at a time."""
        with self.lock:
            self.calls.append(Call(method, repository.full_name, arguments))
            self._points += method in READS
            fault = next((each for each in self._faults if not each.methods or method in each.methods), None)
            if fault is None:
                yield
                return
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
            if fault.carried_out:
                yield
            raise fault.error

    @staticmethod
    def found(known: dict[_Key, _Value], key: _Key) -> _Value:
        """What is known, else GitHubNotFound."""
        try:
            return known[key]
        except KeyError:
            raise GitHubNotFound(f"there is nothing at {key}") from None
