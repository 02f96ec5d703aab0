"""What we need to be allowed and told on GitHub, by the names that its pages have for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.doctor.findings import Diagnosis, broken, or_fine, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from bot.models.doctor import SeenApp, SeenInstallation

_LEVELS = ("none", "read", "write", "admin")


@dataclass(frozen=True, slots=True)
class Need:
    """A permission: GitHub's key and name for it, the level, and what does not work without."""

    key: str
    name: str
    level: str
    lost: str
    vital: bool = True


NEEDS = (
    Need("metadata", "Metadata", "read", "nothing works"),
    Need("contents", "Contents", "read", "preflight.yaml can't be read"),
    Need("pull_requests", "Pull requests", "write", "pull requests can't be read or commented on"),
    Need("issues", "Issues", "write", "comments such as /test are not heard or answered"),
    Need("statuses", "Commit statuses", "write", "no result is shown"),
    Need("checks", "Checks", "write", "there are no check runs with their buttons", vital=False),
    Need("merge_queues", "Merge queues", "read", "merge queues are not heard of", vital=False),
)
"""https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps"""

MEMBERS = Need("members", "Members (of the organisation)", "read", "nobody is trusted as a member")
"""Where organisations or teams are trusted."""

EVENTS = {
    "pull_request": ("Pull request", "pull requests start nothing"),
    "issue_comment": ("Issue comment", "comments such as /test are not heard"),
    "push": ("Push", "nobody knows who pushed, and pipelines on pushes don't start"),
    "repository": ("Repository", "renamed repositories are noticed late"),
    "merge_group": ("Merge group", "merge queues are not heard of"),
    "check_run": ("Check run", "buttons of check runs do nothing"),
    "check_suite": ("Check suite", '"Re-run all checks" does nothing'),
}
"""Events as GitHub's pages call them, and what is lost without."""

VITAL_EVENTS = frozenset({"pull_request", "issue_comment", "push"})
ALWAYS_SENT = frozenset({"ping", "installation", "installation_repositories"})
"""An App gets these without asking; a repository's hook has a ping, and no installations."""

WITH_CHECKS = frozenset({"check_run", "check_suite"})
"""An App that may write checks gets these without asking.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run"""


def judge_permissions(
    app: SeenApp, installations: Sequence[SeenInstallation], *, groups: bool
) -> tuple[Diagnosis, ...]:
    """What the App asks for, and what each account has granted. `groups`: whether such are trusted."""
    needs = (*NEEDS, MEMBERS) if groups else NEEDS
    asked = [need for need in needs if _has(app.permissions, need)]
    page = app.page or "the App's page on GitHub"
    problems = [
        _kind(need.vital)(
            f"the App lacks the permission {need.name}: {need.level}, so {need.lost}",
            f"Grant it at {page} under Permissions & events; then each installation accepts it.",
        )
        for need in needs
        if need not in asked
    ]
    problems += [
        _kind(need.vital)(
            f"{one.account} has not yet granted {need.name}: {need.level}, so there {need.lost}",
            f"An owner of {one.account} accepts the App's new permissions at {one.page or 'its settings'}.",
        )
        for one in installations
        for need in asked
        if not _has(one.permissions, need)
    ]
    return or_fine(problems, "the App may do all that it needs to")


def judge_events(
    subscribed: Collection[str], wanted: Iterable[str], where: str, mend: str, *, writes_checks: bool
) -> tuple[Diagnosis, ...]:
    """The events that a webhook brings, and those of `wanted` that it doesn't."""
    given = ALWAYS_SENT | (WITH_CHECKS if writes_checks else frozenset())
    missing = (
        event for event in sorted(wanted) if "*" not in subscribed and event not in {*subscribed, *given}
    )
    return or_fine(_missed(missing, where, mend), f"{where} brings all events that mean something to us")


def _missed(events: Iterable[str], where: str, mend: str) -> Iterator[Diagnosis]:
    for event in events:
        name, lost = EVENTS.get(event, (event, "it is not heard of"))
        yield _kind(event in VITAL_EVENTS)(f"{where} does not bring {name!r}, so {lost}", mend)


def _kind(vital: bool) -> Callable[[str, str], Diagnosis]:  # noqa: FBT001 - a word for a verdict
    return broken if vital else warning


def _has(granted: Mapping[str, str], need: Need) -> bool:
    level = granted.get(need.key, "none")
    return level in _LEVELS and _LEVELS.index(level) >= _LEVELS.index(need.level)
