"""Getting one check run to show what it should, whatever died or was lost on the way.

Before it is created, the store is told that it may be there; after a lost answer it is looked for by its
external id. Annotations can't be taken back: before each batch the store is told that one is under way, so
that whoever comes next asks GitHub how many there are.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.claims import ShownCheck, Urgency
from bot.errors import GitHubNotFound, GitHubRefused
from bot.report.checks.annotations import BATCH, annotate, remarks
from bot.report.checks.wanted import ended

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import Annotation, Repository
    from bot.ports import CheckWriter, StatusStore
    from bot.report.budget import Budget
    from bot.report.checks.wanted import WantedCheck

REPLACED = "another run is shown now"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckSender:
    """Sends the check runs of one head."""

    store: StatusStore
    github: CheckWriter
    budget: Budget
    repository: Repository
    sha: str
    now: datetime
    secrets: Sequence[str] = ()

    def send(self, wanted: WantedCheck, known: ShownCheck | None) -> float:
        """Have it shown with all annotations; 0, or the seconds until there is room for the rest."""
        shown = self._find(wanted, known)
        if shown.id is None or shown.digest != wanted.digest:
            wait = self._retire(wanted, known) or self._take(wanted.urgency(known))
            if wait > 0:
                return wait
            shown = self._show(wanted, shown)
        return self._annotate(wanted, shown) if wanted.final else 0.0

    def _find(self, wanted: WantedCheck, known: ShownCheck | None) -> ShownCheck:
        """What is known of the check run itself; without an id it has to be created.

        Until it has one, its digest is the id of the check run before it: those that are found and not newer
        are of an earlier time.
        """
        blank = ShownCheck(wanted.check.name, wanted.check.external_id, None, "", self.now)
        if known is None:
            return blank
        if known.id is not None and wanted.is_there(known):
            return known
        if known.id is not None or known.external_id != wanted.check.external_id:
            return replace(blank, digest=known.digest if known.id is None else str(known.id))
        found = self.github.find_check(self.repository, self.sha, wanted.check)
        if found is None or found <= int(known.digest or 0):
            return known
        return replace(known, id=found, digest="")

    def _retire(self, wanted: WantedCheck, known: ShownCheck | None) -> float:
        """One that another takes the place of is not to be in progress for ever."""
        if known is None or known.completed or wanted.is_there(known):
            return 0.0
        there = known.id or self._lost(wanted, known)
        if there is None:
            return 0.0
        wait = self._take(Urgency.FINAL_STATUS)
        if wait > 0:
            return wait
        with suppress(GitHubNotFound):
            self.github.update_check(self.repository, there, ended(known, REPLACED))
        self._remember(replace(known, id=there, completed=True))
        return 0.0

    def _lost(self, wanted: WantedCheck, known: ShownCheck) -> int | None:
        """The id of one for something else that may have been created without our hearing of it."""
        if known.external_id == wanted.check.external_id:
            return None
        found = self.github.find_check(self.repository, self.sha, ended(known, REPLACED))
        return found if found is not None and found > int(known.digest or 0) else None

    def _show(self, wanted: WantedCheck, shown: ShownCheck) -> ShownCheck:
        if shown.id is not None:
            try:
                self.github.update_check(self.repository, shown.id, wanted.check)
            except GitHubNotFound:
                shown = replace(shown, id=None, digest=str(shown.id), annotated=0, annotating=False)
            else:
                return self._remember(replace(shown, digest=wanted.digest, sent_at=self.now))
        self._remember(replace(shown, completed=False))
        created = self.github.create_check(self.repository, self.sha, wanted.check)
        return self._remember(
            replace(shown, id=created, digest=wanted.digest, sent_at=self.now, completed=False)
        )

    def _annotate(self, wanted: WantedCheck, shown: ShownCheck) -> float:
        """Append what is missing, and then it is completed. GitHub may refuse remarks: they are an extra."""
        try:
            wait = self._append(wanted, shown)
        except (GitHubRefused, GitHubNotFound) as error:
            log.warning("%s@%s: no annotations: %s", self.repository.full_name, self.sha[:7], error)
            wait = 0.0
            self._remember(replace(shown, completed=True))
        return wait

    def _append(self, wanted: WantedCheck, shown: ShownCheck) -> float:
        todo = self._annotations(wanted)
        if shown.id is not None and shown.annotating and todo:
            count = self.github.annotation_count(self.repository, shown.id)
            shown = replace(shown, annotated=count, annotating=False)
        while shown.id is not None and shown.annotated < len(todo):
            wait = self._take(Urgency.FINAL_COMMENT)
            if wait > 0:
                return wait
            self._remember(replace(shown, annotating=True))
            batch = todo[shown.annotated : shown.annotated + BATCH]
            self.github.update_check(self.repository, shown.id, wanted.check, batch)
            annotated = shown.annotated + len(batch)
            shown = self._remember(replace(shown, annotated=annotated, annotating=False))
        self._remember(replace(shown, completed=True))
        return 0.0

    def _annotations(self, wanted: WantedCheck) -> list[Annotation]:
        """What there is to say beside the lines that the pull request changes; branches have no such view."""
        found = remarks(wanted.run, self.secrets) if wanted.run is not None and wanted.number > 0 else []
        if not found:
            return []
        return annotate(found, self.github.changed_lines(self.repository, wanted.number, self.sha))

    def _take(self, urgency: Urgency) -> float:
        return self.budget.take(self.repository, content=False, urgency=urgency)

    def _remember(self, shown: ShownCheck) -> ShownCheck:
        self.store.set_shown_check(self.repository, self.sha, shown)
        return shown
