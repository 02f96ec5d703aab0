"""The control API's actions on organisations and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import organizations

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hub import Hub


def put_member(hub: Hub, org: str, login: str, *, public: bool, role: organizations.MemberRole) -> None:
    """Make a person a member."""
    organizations.put_member(hub.world, org, login, public=public, role=role)


def remove_member(hub: Hub, org: str, login: str) -> None:
    """Take a person out."""
    organizations.remove_member(hub.world, org, login)


def put_team_member(
    hub: Hub, org: str, team: str, login: str, *, role: organizations.TeamRole, pending: bool
) -> None:
    """Put a person into a team."""
    organizations.put_team_member(hub.world, org, team, login, role=role, pending=pending)


def remove_team_member(hub: Hub, org: str, team: str, login: str) -> None:
    """Take a person out of a team."""
    organizations.remove_team_member(hub.world, org, team, login)


ACTIONS: dict[str, Callable[..., object]] = {
    act.__name__: act for act in (put_member, remove_member, put_team_member, remove_team_member)
}
