"""Who is in an organisation or a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from .auth import LEVELS
from .hub import caller, hub
from .responses import ApiError, not_found

if TYPE_CHECKING:
    from .state import Account

routes = Blueprint("organizations", __name__)


@routes.get("/orgs/<org>/members/<login>")
def get_member(org: str, login: str) -> Response:
    """204 or 404 for who may see concealed members; anybody else is sent on to the public ones."""
    home, account = _organization(org), hub().world.accounts.get(login.lower())
    if not _sees_members(home):
        answer = _bare(302)
        answer.headers["Location"] = f"{hub().world.api}/orgs/{home.login}/public_members/{login}"
        return answer
    if account is None or account.id not in home.members:
        raise not_found()
    return _bare(204)


@routes.get("/orgs/<org>/public_members/<login>")
def get_public_member(org: str, login: str) -> Response:
    """204 for a member who lets everybody know, 404 for all others."""
    home, account = _organization(org), hub().world.accounts.get(login.lower())
    membership = home.members.get(account.id) if account else None
    if membership is None or not membership.public:
        raise not_found()
    return _bare(204)


@routes.get("/orgs/<org>/teams/<team>/memberships/<login>")
def get_team_membership(org: str, team: str, login: str) -> Response:
    """A person's place in a team, also one that was only offered so far (`pending`)."""
    home, account = _organization(org), hub().world.accounts.get(login.lower())
    caller().person()
    if not _sees_members(home):
        raise ApiError(403, "Resource not accessible by integration") if caller().token else not_found()
    found = home.teams.get(team)
    membership = found.members.get(account.id) if found and account else None
    if membership is None:
        raise not_found()
    return jsonify(
        {
            "url": f"{hub().world.api}/organizations/{home.id}/team/{found.id if found else 0}"
            f"/memberships/{membership.person.login}",
            "role": membership.role,
            "state": "pending" if membership.pending else "active",
        }
    )


def _organization(login: str) -> Account:
    found = hub().world.accounts.get(login.lower())
    if found is None or found.type != "Organization":
        raise not_found()
    return found


def _sees_members(home: Account) -> bool:
    """Whether the caller is a member, or an App that may read members and is installed here."""
    asking = caller()
    if asking.token:
        level = LEVELS.index(asking.token.permissions.get("members", "none"))
        return asking.token.installation.account is home and level >= LEVELS.index("read")
    return asking.account is not None and asking.account.id in home.members


def _bare(status: int) -> Response:
    return Response(b"", status)
