"""Organisations: who learns what about members, and what members may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from github import Auth, Github, GithubException

from .conftest import pygithub

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_standin import Repository, Standin


@pytest.fixture
def organization(github: Standin, repository: Repository) -> None:
    """`acme` with alice (concealed), bob (public), olga (an owner) and the team "CI people" of carol."""
    github.put_member("acme", "alice")
    github.put_member("acme", "bob", public=True)
    github.put_member("acme", "olga", role="admin")
    github.put_team_member("acme", "CI people", "carol")
    github.put_team_member("acme", "CI people", "dave", pending=True)


def asked(github: Standin, path: str, token: str = "") -> requests.Response:
    headers = {"Authorization": f"token {token}"} if token else {}
    return requests.get(f"{github.api_url}{path}", headers=headers, timeout=5, allow_redirects=False)


def app_token(github: Standin, **permissions: str) -> str:
    app = github.app("asker", owner="acme", permissions={"metadata": "read", **permissions})
    return github.installation_token(app.installations["acme"])


@pytest.mark.usefixtures("organization")
class TestMembers:
    @pytest.mark.parametrize(
        ("login", "member", "public"),
        [
            ("alice", 204, 404),
            ("bob", 204, 204),
            ("carol", 204, 404),
            ("mallory", 404, 404),
            ("no", 404, 404),
        ],
    )
    def test_members_are_told(self, github: Standin, login: str, member: int, public: int) -> None:
        token = github.user("alice").token
        assert asked(github, f"/orgs/acme/members/{login}", token).status_code == member
        assert asked(github, f"/orgs/acme/public_members/{login}", token).status_code == public

    def test_others_are_sent_to_the_public_ones(self, github: Standin) -> None:
        for token in ("", github.user("mallory").token, app_token(github)):
            answer = asked(github, "/orgs/acme/members/bob", token)
            assert answer.status_code == 302
            assert answer.headers["Location"] == f"{github.api_url}/orgs/acme/public_members/bob"

    def test_an_app_that_may_read_members_is_told(self, github: Standin) -> None:
        token = app_token(github, members="read")
        assert asked(github, "/orgs/acme/members/alice", token).status_code == 204
        github.repository("elsewhere/app")
        assert asked(github, "/orgs/elsewhere/members/alice", token).status_code == 302

    def test_pygithub_asks_so(self, github: Standin, connect: Callable[[str], Github]) -> None:
        mallory, bob = connect("mallory"), connect("bob")
        alice = bob.get_user("alice")
        token = app_token(github, members="read")
        assert pygithub(github, Auth.Token(token)).get_user("alice").login == "alice"
        for person, known in ((bob, True), (mallory, False)):
            status, _, _ = person.requester.requestJson("GET", f"/orgs/acme/members/{alice.login}")
            assert (status == 204) is known

    def test_there_are_none_of_a_person(self, github: Standin) -> None:
        token = github.user("alice").token
        for org in ("alice", "nobody"):
            assert asked(github, f"/orgs/{org}/members/alice", token).status_code == 404

    def test_who_leaves_is_no_member(self, github: Standin) -> None:
        token = github.user("bob").token
        github.remove_member("acme", "carol")
        assert asked(github, "/orgs/acme/members/carol", token).status_code == 404
        assert asked(github, "/orgs/acme/teams/ci-people/memberships/carol", token).status_code == 404


@pytest.mark.usefixtures("organization")
class TestTeams:
    @pytest.mark.parametrize(("login", "state"), [("carol", "active"), ("dave", "pending")])
    def test_a_place_in_a_team(self, github: Standin, login: str, state: str) -> None:
        token = app_token(github, members="read")
        answer = asked(github, f"/orgs/acme/teams/ci-people/memberships/{login}", token)
        assert (answer.json()["role"], answer.json()["state"]) == ("member", state)

    def test_an_invitation_makes_no_member(self, github: Standin) -> None:
        assert asked(github, "/orgs/acme/members/dave", github.user("bob").token).status_code == 404

    @pytest.mark.parametrize("path", ["ci-people/memberships/bob", "nope/memberships/bob"])
    def test_not_in_the_team(self, github: Standin, path: str) -> None:
        assert asked(github, f"/orgs/acme/teams/{path}", github.user("bob").token).status_code == 404

    def test_is_only_for_members(self, github: Standin) -> None:
        path = "/orgs/acme/teams/ci-people/memberships/carol"
        assert asked(github, path, github.user("mallory").token).status_code == 404
        assert asked(github, path, app_token(github)).status_code == 403
        assert asked(github, path).status_code == 401

    def test_who_left_the_team(self, github: Standin) -> None:
        github.remove_team_member("acme", "CI people", "carol")
        path = "/orgs/acme/teams/ci-people/memberships/carol"
        assert asked(github, path, github.user("bob").token).status_code == 404


@pytest.mark.usefixtures("organization")
def test_members_may_read_and_owners_do_everything(github: Standin, connect: Callable[[str], Github]) -> None:
    github.repository("acme/secret", private=True, permissions={"root": "admin"})
    secret = connect("root").get_repo("acme/secret")
    roles = {login: secret.get_collaborator_role_name(login) for login in ("bob", "olga", "mallory")}
    assert roles == {"bob": "read", "olga": "admin", "mallory": "none"}


@pytest.mark.usefixtures("organization")
def test_a_member_is_said_to_be_one(repository: Repository) -> None:
    pull = repository.open_pull("bob", files={"new.txt": ""}, fork=True)
    issue = requests.get(f"{repository.standin.api_url}/repos/acme/app/issues/{pull.number}", timeout=5)
    assert issue.json()["author_association"] == "MEMBER"


@pytest.mark.usefixtures("repository")
def test_an_app_is_nobody_whose_permission_could_be_asked_for(
    github: Standin, connect: Callable[[str], Github]
) -> None:
    assert github.user("renovate[bot]").type == "Bot"
    with pytest.raises(GithubException, match="is not a user"):
        connect("alice").get_repo("acme/app").get_collaborator_permission("renovate[bot]")
