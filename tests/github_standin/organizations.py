"""Organisations: members, public and concealed, and teams."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .state import Refused

if TYPE_CHECKING:
    from .state import Account, World

MemberRole = Literal["member", "admin"]
TeamRole = Literal["member", "maintainer"]


@dataclass(eq=False)
class Membership:
    """A person in an organisation; an admin is one of its owners."""

    person: Account
    public: bool
    role: MemberRole


@dataclass(eq=False)
class TeamMembership:
    """A person in a team; `pending` until an invitation was accepted, which is no membership yet."""

    person: Account
    role: TeamRole
    pending: bool


@dataclass(eq=False)
class Team:
    """A team of an organisation."""

    id: int
    slug: str
    name: str
    members: dict[int, TeamMembership] = field(default_factory=dict)
    """By the account's id."""


def put_member(world: World, org: str, login: str, *, public: bool, role: MemberRole) -> None:
    """Make a person a member, or change what kind of member the person is."""
    person = world.account(login)
    organization(world, org).members[person.id] = Membership(person, public, role)


def remove_member(world: World, org: str, login: str) -> None:
    """Take a person out of an organisation and its teams."""
    home, person = organization(world, org), world.account(login)
    home.members.pop(person.id, None)
    for team in home.teams.values():
        team.members.pop(person.id, None)


def put_team_member(world: World, org: str, team: str, login: str, *, role: TeamRole, pending: bool) -> None:
    """Put a person into a team (made when new); who is not pending is a member of the organisation too."""
    home, person = organization(world, org), world.account(login)
    slug = slug_of(team)
    if slug not in home.teams:
        home.teams[slug] = Team(world.new_id("team"), slug, team)
    home.teams[slug].members[person.id] = TeamMembership(person, role, pending)
    if not pending and person.id not in home.members:
        put_member(world, org, login, public=False, role="member")


def remove_team_member(world: World, org: str, team: str, login: str) -> None:
    """Take a person out of a team."""
    home = organization(world, org)
    if slug_of(team) not in home.teams:
        raise Refused(f"{org} has no team {team!r}")
    home.teams[slug_of(team)].members.pop(world.account(login).id, None)


def organization(world: World, login: str) -> Account:
    """An organisation, made when new; Refused for a person's login."""
    found = world.account(login, "Organization")
    if found.type != "Organization":
        raise Refused(f"{login} is no organisation")
    return found


def slug_of(name: str) -> str:
    """A team's name as addresses have it."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")
