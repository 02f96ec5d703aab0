"""GitHub Apps: JWTs, installations, tokens, and what they may not do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt
import pytest
import requests
from github import Auth, GithubException, GithubIntegration, UnknownObjectException

from .conftest import pygithub

if TYPE_CHECKING:
    from tests.github_standin import Repository, Standin
    from tests.github_standin.records import App


def integration(github: Standin, app: App) -> GithubIntegration:
    return GithubIntegration(
        auth=Auth.AppAuth(app.id, app.private_key),
        base_url=github.api_url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


@pytest.fixture
def app(github: Standin, repository: Repository) -> App:
    """`preflight`, installed on all of acme's repositories."""
    return github.app("preflight", owner="acme")


def test_an_app_finds_its_installations(github: Standin, app: App) -> None:
    found = integration(github, app)
    assert (found.get_app().slug, found.get_app().raw_data["owner"]["login"]) == ("preflight", "acme")
    (installation,) = found.get_installations()
    assert installation.id == app.installations["acme"]
    assert found.get_repo_installation("acme", "app").id == installation.id
    assert found.get_app_installation(installation.id).app_id == app.id
    github.repository("other/thing")
    with pytest.raises(UnknownObjectException):
        found.get_repo_installation("other", "thing")


def test_an_installation_works_as_the_apps_bot(github: Standin, app: App, repository: Repository) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    auth = Auth.AppAuth(app.id, app.private_key).get_installation_auth(app.installations["acme"])
    bot = pygithub(github, auth)
    found = bot.get_repo("acme/app")
    comment = found.get_issue(pull.number).create_comment("hello")
    found.get_commit(pull.head_sha).create_status("success", context="unit")
    assert (comment.user.login, comment.user.type, comment.user.id) == ("preflight[bot]", "Bot", app.bot_id)
    assert pull.combined()["unit"].creator == "preflight[bot]"
    assert found.get_collaborator_permission("alice") == "write"
    with pytest.raises(GithubException, match="403"):
        _ = bot.get_user().login


def test_an_installation_on_some_repositories_sees_no_others(github: Standin, repository: Repository) -> None:
    github.repository("acme/hidden", private=True)
    app = github.app("narrow", owner="acme", install=False)
    installed = github.install(app, "acme", ["app"])
    token = integration(github, app).get_access_token(installed)
    listed = get(github, "/installation/repositories", token.token).json()
    assert [each["full_name"] for each in listed["repositories"]] == ["acme/app"]
    assert get(github, "/repos/acme/hidden", token.token).status_code == 404


def test_an_installation_lacks_what_the_app_was_not_given(github: Standin, repository: Repository) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    app = github.app("reader", owner="acme", permissions={"contents": "read", "metadata": "read"})
    auth = Auth.AppAuth(app.id, app.private_key).get_installation_auth(app.installations["acme"])
    found = pygithub(github, auth).get_repo("acme/app")
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        found.get_commit(pull.head_sha).create_status("success")
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        found.get_issue(pull.number).create_comment("hello")


def test_tokens_can_be_narrowed_expire_and_be_revoked(github: Standin, app: App) -> None:
    github.repository("acme/other")
    installed = app.installations["acme"]
    narrowed = mint(github, app, {"repositories": ["app"], "permissions": {"contents": "read"}}).json()
    assert narrowed["repository_selection"] == "selected"
    assert narrowed["permissions"] == {"contents": "read", "metadata": "read"}
    assert get(github, "/installation/repositories", narrowed["token"]).json()["total_count"] == 1
    github.revoke_tokens()
    assert get(github, "/installation/repositories", narrowed["token"]).status_code == 401
    github.limits(token_seconds=0)
    expired = integration(github, app).get_access_token(installed)
    assert get(github, "/installation/repositories", expired.token).status_code == 401


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"repositories": ["app", "nosuch"]}, "at least one repository", id="no-such-name"),
        pytest.param({"repository_ids": [1]}, "at least one repository", id="no-such-id"),
        pytest.param({"repositories": ["elsewhere"]}, "at least one repository", id="not-of-the-account"),
        pytest.param({"repository_ids": list(range(501))}, "500 repositories", id="too-many"),
        pytest.param({"permissions": {"contents": "write"}}, "not granted", id="more-than-the-app-has"),
        pytest.param({"permissions": {"actions": "read"}}, "not granted", id="what-the-app-has-not"),
    ],
)
def test_what_a_token_can_not_be_narrowed_to(
    github: Standin, app: App, asked: dict[str, object], message: str
) -> None:
    github.repository("other/elsewhere", private=True)
    answer = mint(github, app, asked)
    assert answer.status_code == 422
    assert message in answer.json()["message"]


def test_a_token_may_name_a_repository_by_name_and_id(github: Standin, app: App) -> None:
    repository_id = github.find_repository("acme/app").id
    asked: dict[str, object] = {"repositories": ["app"], "repository_ids": [repository_id]}
    made = mint(github, app, asked)
    assert made.status_code == 201
    assert [each["id"] for each in made.json()["repositories"]] == [repository_id]


def test_the_clock_and_the_key_of_a_jwt_are_checked(github: Standin, app: App) -> None:
    now = int(time.time())
    other = github.app("other", owner="acme")
    cases = {
        "good": (signed(app), 200, ""),
        "expired": (signed(app, exp=now - 5), 401, "'Expiration time' claim"),
        "too long": (signed(app, exp=now + 700), 401, "too far in the future"),
        "from the future": (signed(app, iat=now + 120), 401, "'Issued at' claim"),
        "no iat": (signed(app, iat=None), 401, "'issued at' claim"),
        "another's key": (signed(other, iss=str(app.id)), 401, "could not be decoded"),
        "unknown App": (signed(app, iss="424242"), 404, "Integration not found"),
        "by the client id": (signed(app, iss=app.client_id), 200, ""),
        "not a JWT": ("a.b.c", 401, "could not be decoded"),
        "a token": (github.user("alice").token, 401, "could not be decoded"),
    }
    for case, (token, status, message) in cases.items():
        answer = get(github, "/app", token)
        assert answer.status_code == status, case
        assert message in answer.text, case


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("token ghp_wrong", 401), ("Bearer ghs_wrong", 401), ("Digest x", 401), ("", 200)],
)
def test_bad_credentials_are_refused_even_for_what_is_public(
    github: Standin, repository: Repository, authorization: str, status: int
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.get(f"{github.api_url}/repos/acme/app", headers=headers, timeout=5)
    assert answer.status_code == status


def test_a_jwt_is_good_for_nothing_else(github: Standin, app: App) -> None:
    assert get(github, "/repos/acme/app", signed(app)).status_code == 401


def test_an_endpoint_for_installations_refuses_a_person(github: Standin) -> None:
    assert get(github, "/installation/repositories", github.user("alice").token).status_code == 403


def get(github: Standin, path: str, token: str) -> requests.Response:
    return requests.get(f"{github.api_url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=5)


def mint(github: Standin, app: App, asked: dict[str, object]) -> requests.Response:
    """Ask for a token of the installation on acme."""
    return requests.post(
        f"{github.api_url}/app/installations/{app.installations['acme']}/access_tokens",
        json=asked,
        headers={"Authorization": f"Bearer {signed(app)}"},
        timeout=5,
    )


def signed(app: App, **changed: object) -> str:
    now = int(time.time())
    claims = {"iat": now - 30, "exp": now + 300, "iss": str(app.id)} | changed
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, app.private_key, algorithm="RS256")
