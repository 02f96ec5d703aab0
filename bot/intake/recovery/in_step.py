"""Bringing one repository into step with GitHub: what `python -m bot sync` compares and mends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.events.recheck import recheck
from bot.intake.recovery.differences import Difference, Kind, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.models import Delivery, ListedPull, Repository, ShownPull
    from bot.ports import Clock, HandStore, PullLister, RecoveryStore

STARTS = frozenset({Kind.NEW_HEAD, Kind.NEVER_RAN})
"""What is mended by starting something: only where somebody says so."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing about a pull request that is not as it should be, and what is done about it."""

    number: int
    what: str
    done: str


class InStep:
    """Compares GitHub's pull requests with what we know, and what they show with what we showed."""

    def __init__(
        self,
        *,
        github: PullLister,
        store: RecoveryStore,
        by_hand: HandStore,
        put: Callable[[Delivery], object],
        bot_login: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._github = github
        self._store = store
        self._by_hand = by_hand
        self._put = put
        self._bot_login = bot_login
        self._clock = clock

    def sync(self, full_name: str, *, run: bool, dryrun: bool) -> Sequence[Row]:
        """All that differs, by number; mended unless it is a `dryrun`.

        Heads at which nothing ever ran get their automatic pipelines only with `run`.
        """
        repository = self._github.repository(full_name)
        listed = self._github.open_pulls(repository)
        rows = [
            *self._events(repository, listed, run=run, dryrun=dryrun),
            *self._shows(repository, listed, dryrun=dryrun),
        ]
        return sorted(rows, key=lambda row: (row.number, row.what))

    def _events(
        self, repository: Repository, listed: Sequence[ListedPull], *, run: bool, dryrun: bool
    ) -> Iterator[Row]:
        """What we did not hear of: looked at again."""
        thought_open = self._store.pulls(repository, None)
        known = {**self._store.pulls(repository, [pull.number for pull in listed]), **thought_open}
        found = differences(listed, known)
        here = {pull.number for pull in listed}
        found += [
            Difference(pull.number, Kind.CLOSED, pull.head_sha, pull.base_ref)
            for pull in thought_open.values()
            if pull.number not in here and pull.head_sha
        ]
        because = f"sync-{self._clock():%Y%m%dT%H%M%S}"
        for one in found:
            again = run or one.kind not in STARTS
            if again and not dryrun:
                sender = self._bot_login()
                self._put(recheck(repository, one.number, sender=sender, because=because))
            yield Row(one.number, f"{one.kind.value} ({one.head_sha[:7]})", _done(one, again=again))

    def _shows(self, repository: Repository, listed: Sequence[ListedPull], *, dryrun: bool) -> Iterator[Row]:
        """What GitHub lost, or somebody deleted or changed: sent again."""
        heads = {pull.number: pull.head_sha for pull in listed}
        for shown in self._by_hand.shown(repository, heads):
            if shown.head_sha == heads[shown.number]:
                yield from self._statuses(repository, shown, dryrun=dryrun)
            if shown.comment_id is not None and not self._github.has_comment(repository, shown.comment_id):
                if not dryrun:
                    self._by_hand.lost_comment(repository, shown.number)
                yield Row(shown.number, "its comment is gone", "posted again")

    def _statuses(self, repository: Repository, shown: ShownPull, *, dryrun: bool) -> Iterator[Row]:
        there = self._github.statuses(repository, shown.head_sha) if shown.statuses else {}
        for status in shown.statuses:
            seen = there.get(status.context)
            if seen is not None and (seen.state, seen.description) == (status.state, status.description):
                continue
            if not dryrun:
                self._by_hand.lost_status(repository, shown.head_sha, status.context)
            says = "is not there" if seen is None else f"says {seen.state.value}: {seen.description}"
            yield Row(shown.number, f"{status.context} {says}", "sent again")


def _done(one: Difference, *, again: bool) -> str:
    if one.kind is Kind.CLOSED:
        return "what runs for it is stopped"
    if one.kind in STARTS:
        return "its automatic pipelines start" if again else "nothing; --run starts its automatic pipelines"
    return "looked at again"
