"""Who may do what: roles in a repository, membership of organisations and teams."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.adapters.github.answers import Forbidden, Moved
from bot.errors import GitHubNotFound
from bot.models import Permission

if TYPE_CHECKING:
    from collections.abc import Callable

    from github.Repository import Repository as GitHubRepository
    from github.Requester import Requester

    Hint = Callable[[int, str], None]
    """Told, with a level of logging, why somebody may be a member although we say no."""

REPORTED_AS = {Permission.MAINTAIN: Permission.WRITE, Permission.TRIAGE: Permission.READ}
"""What the older field `permission` makes of the newer roles."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""People, organisations and teams (by their slug); Apps ("renovate[bot]") are no members of anything."""

REMEDY = "give the App the organisation permission Members (read), or the token the scope read:org"


def permission(there: GitHubRepository, login: str) -> Permission:
    """The user's role; for a custom role, what it grants."""
    if not login:
        return Permission.NONE
    try:
        _, answer = there.requester.requestJsonAndCheck(
            "GET", f"{there.url}/collaborators/{quote(login, safe='')}/permission"
        )
    except GitHubNotFound:
        return Permission.NONE
    granted = Permission(answer["permission"])
    try:
        role = Permission(answer.get("role_name"))
    except ValueError:
        return granted
    # A custom role may carry any name: none may promise more than is granted.
    return role if REPORTED_AS.get(role, role) is granted else granted


def member(there: GitHubRepository, login: str, group: str, hint: Hint) -> bool:
    """Whether the user is an active member of the organisation, or of the team "ORGANISATION/TEAM".

    At most two requests.
    """
    if not all(NAME.fullmatch(name) for name in (login, *group.split("/", 1))):
        return False
    organisation, _, team = group.partition("/")
    if team:
        return _is_in_team(there.requester, organisation, team, login, hint)
    return _is_in_organisation(there.requester, organisation, login, hint)


def _is_in_organisation(requester: Requester, organisation: str, login: str, hint: Hint) -> bool:
    try:
        requester.requestJsonAndCheck("GET", f"/orgs/{organisation}/members/{login}")
    except GitHubNotFound:
        return False
    except Forbidden as error:
        hint(logging.WARNING, f"nobody counts as a member of {organisation}: {REMEDY} ({error})")
        return False
    except Moved:
        # GitHub's way to say that we are no member ourselves. We know where it leads: nothing is followed.
        hint(logging.WARNING, f"only public members of {organisation} are known to us: {REMEDY}")
    else:
        return True
    try:
        requester.requestJsonAndCheck("GET", f"/orgs/{organisation}/public_members/{login}")
    except (GitHubNotFound, Forbidden, Moved):
        return False
    return True


def _is_in_team(requester: Requester, organisation: str, team: str, login: str, hint: Hint) -> bool:
    try:
        _, found = requester.requestJsonAndCheck(
            "GET", f"/orgs/{organisation}/teams/{team.lower()}/memberships/{login}"
        )
    except GitHubNotFound:
        # The same answer for no member, no such team, and a team that we may not see.
        hint(
            logging.INFO,
            f"somebody is not in {organisation}/{team}, or it can't be seen: to see it, {REMEDY}",
        )
        return False
    except (Forbidden, Moved) as error:
        hint(logging.WARNING, f"nobody counts as a member of {organisation}/{team}: {REMEDY} ({error})")
        return False
    return bool(found["state"] == "active")
