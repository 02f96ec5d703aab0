"""Who may do what: answers of GitHub that the stand-in does not give, and what is told to the operator."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import GitHubClient, PersonalToken
from bot.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Permission, Repository
from tests.adapters.github_answering import REPOSITORY, Answering, Say, answering

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE = Say(404, {"message": "Not Found"})
AWAY = Say(302, headers={"Location": "https://elsewhere.example/orgs/acme/public_members/alice"})
FORBIDDEN = Say(
    403,
    {"message": "Resource not accessible by integration"},
    {"X-Accepted-GitHub-Permissions": "members=read"},
)


def client(server: Answering) -> GitHubClient:
    return GitHubClient(server.url, PersonalToken("ghp_x"))


class TestPermission:
    @pytest.mark.parametrize(
        ("permission", "role", "expected"),
        [
            ("write", "release-crew", Permission.WRITE),
            ("read", "release-crew", Permission.READ),
            ("admin", "owner", Permission.ADMIN),
            ("none", "", Permission.NONE),
            ("write", "maintain", Permission.MAINTAIN),
            ("read", "triage", Permission.TRIAGE),
            pytest.param("read", "admin", Permission.READ, id="a custom role by the name of admin"),
            pytest.param("read", "write", Permission.READ, id="a custom role by the name of write"),
        ],
    )
    def test_a_custom_role_counts_as_what_it_grants(
        self, permission: str, role: str, expected: Permission
    ) -> None:
        said = Say(body={"permission": permission, "role_name": role, "user": None})
        with answering(said).running() as server:
            assert client(server).permission(REPOSITORY, "alice") is expected

    def test_an_old_server_knows_no_role_names(self) -> None:
        with answering(Say(body={"permission": "write", "user": None})).running() as server:
            assert client(server).permission(REPOSITORY, "alice") is Permission.WRITE

    def test_an_app_is_no_user(self) -> None:
        said = Say(404, {"message": "renovate[bot] is not a user"})
        with answering(said).running() as server:
            assert client(server).permission(REPOSITORY, "renovate[bot]") is Permission.NONE


class TestMember:
    @pytest.mark.parametrize(
        ("says", "expected", "asked"),
        [
            pytest.param([Say(204)], True, ["members"], id="a member"),
            pytest.param([NONE], False, ["members"], id="no member"),
            pytest.param([AWAY, Say(204)], True, ["members", "public_members"], id="a public member"),
            pytest.param([AWAY, NONE], False, ["members", "public_members"], id="no public member"),
            pytest.param([AWAY, AWAY], False, ["members", "public_members"], id="a circle"),
            pytest.param([AWAY, FORBIDDEN], False, ["members", "public_members"], id="nothing to be seen"),
            pytest.param([FORBIDDEN], False, ["members"], id="no permission"),
        ],
    )
    def test_of_an_organisation(self, says: list[Say], expected: bool, asked: list[str]) -> None:  # noqa: FBT001 - a column
        with answering(*says).running() as server:
            assert client(server).member(REPOSITORY, "alice", "acme") is expected
        assert [each.path for each in server.asked] == [f"/orgs/acme/{kind}/alice" for kind in asked]

    @pytest.mark.parametrize(
        ("says", "expected"),
        [
            pytest.param(Say(body={"state": "active", "role": "maintainer"}), True, id="active"),
            pytest.param(Say(body={"state": "pending", "role": "member"}), False, id="pending"),
            pytest.param(NONE, False, id="no member"),
            pytest.param(FORBIDDEN, False, id="no permission"),
            pytest.param(AWAY, False, id="a redirect"),
        ],
    )
    def test_of_a_team(self, says: Say, expected: bool) -> None:  # noqa: FBT001 - a column
        with answering(says).running() as server:
            assert client(server).member(REPOSITORY, "alice", "acme/CI") is expected
        assert [each.path for each in server.asked] == ["/orgs/acme/teams/ci/memberships/alice"]

    @pytest.mark.parametrize(
        "group", ["", "/", "acme/", "/ci", "..", "../ci", "acme/..", "a b", "a/b/c", "ä"]
    )
    def test_of_what_is_no_group_nothing_is_asked(self, group: str) -> None:
        with answering(Say(204)).running() as server:
            assert not client(server).member(REPOSITORY, "alice", group)
        assert server.asked == []

    @pytest.mark.parametrize("login", ["", "renovate[bot]", "..", "../alice", "alice?x", "alice/../bob"])
    def test_who_can_be_nobodys_member_is_not_asked_for(self, login: str) -> None:
        with answering(Say(204)).running() as server:
            assert not client(server).member(REPOSITORY, login, "acme")
        assert server.asked == []

    @pytest.mark.parametrize("group", ["acme", "acme/ci"])
    @pytest.mark.parametrize(
        ("says", "error"),
        [
            (Say(500), GitHubUnavailable),
            (Say(429), GitHubRateLimited),
            (Say(403, headers={"Retry-After": "3"}), GitHubRateLimited),
            (Say(401), GitHubRefused),
        ],
        ids=["outage", "limit", "slow down", "bad credentials"],
    )
    def test_no_answer_is_not_a_no(self, group: str, says: Say, error: type[Exception]) -> None:
        with answering(says).running() as server, pytest.raises(error):
            client(server).member(REPOSITORY, "alice", group)
        assert len(server.asked) == 1

    def test_an_answer_without_a_state_makes_no_sense(self) -> None:
        with answering(Say(body={})).running() as server, pytest.raises(GitHubUnavailable):
            client(server).member(REPOSITORY, "alice", "acme/ci")


class TestHints:
    """The operator is told, once, what keeps us from seeing members."""

    @pytest.fixture(autouse=True)
    def log(self, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
        with caplog.at_level(logging.INFO, "bot.adapters.github"):
            yield caplog

    @pytest.mark.parametrize(
        ("says", "group", "level", "words"),
        [
            (FORBIDDEN, "acme", "WARNING", ["nobody counts as a member of acme", "members=read"]),
            (FORBIDDEN, "acme/ci", "WARNING", ["nobody counts as a member of acme/ci", "read:org"]),
            (AWAY, "acme", "WARNING", ["only public members of acme"]),
            (NONE, "acme/ci", "INFO", ["acme/ci", "Members (read)"]),
        ],
        ids=["organisation forbidden", "team forbidden", "not a member ourselves", "team not found"],
    )
    def test_once(
        self, log: pytest.LogCaptureFixture, says: Say, group: str, level: str, words: list[str]
    ) -> None:
        with answering(says).running() as server:
            github = client(server)
            for login in ("alice", "bob"):
                github.member(REPOSITORY, login, group)
            github.member(Repository(8, "acme/other"), "alice", group)
        (told,) = log.records
        assert told.levelname == level
        assert all(word in told.getMessage() for word in words)

    def test_no_more_than_a_no_is_no_news(self, log: pytest.LogCaptureFixture) -> None:
        with answering(NONE).running() as server:
            client(server).member(REPOSITORY, "alice", "acme")
        assert log.records == []
