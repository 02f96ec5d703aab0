"""What the doctor sees of GitHub: as an App, with a token, and where neither is let in."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, PersonalToken
from bot.adapters.github.doctor import GitHubDoctor
from bot.errors import GitHubNotFound, GitHubRefused, GitHubUnavailable
from bot.models import Repository
from tests.adapters.github_answering import Asked, Say, answering
from tests.github_standin import Standin, running
from tests.github_standin.state import DEFAULT_PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBERS = itertools.count(1)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        yield standin
        assert standin.violations() == []


@pytest.fixture(autouse=True)
def no_limits(standin: Standin) -> None:
    standin.limits(core=None, points=None, content_minute=None, content_hour=None)


def with_token(standin: Standin, login: str = "preflight-bot") -> GitHubDoctor:
    return GitHubDoctor(standin.api_url, PersonalToken(standin.user(login).token))


class TestKnocking:
    def test_github_is_known_and_says_what_time_it_is(self, standin: Standin) -> None:
        knock = GitHubDoctor(standin.api_url, PersonalToken("wrong"), now=lambda: 12.0).knock()

        assert knock.genuine
        assert knock.date.endswith("GMT")
        assert knock.at == 12.0

    def test_no_credentials_are_shown_and_it_is_asked_once(self, standin: Standin) -> None:
        github, mark = with_token(standin), standin.mark()
        github.knock()
        github.knock()

        [asked] = standin.requests(mark)
        assert (asked.path, asked.caller) == ("/rate_limit", "anonymous")

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param(Say(200, "<html>Welcome", {"Content-Type": "text/html"}), id="a page"),
            pytest.param(Say(404, {"message": "Not Found"}), id="another API"),
            pytest.param(Say(502, "", {"X-GitHub-Request-Id": "1"}), id="down"),
        ],
    )
    def test_something_else_is_not_taken_for_it(self, said: Say) -> None:
        with answering(said).running() as server:
            assert not GitHubDoctor(server.url, PersonalToken("x")).knock().genuine

    def test_nobody_there(self) -> None:
        with pytest.raises(GitHubUnavailable):
            GitHubDoctor(NOWHERE, PersonalToken("x")).knock()


class TestApp:
    @pytest.fixture
    def github(self, standin: Standin) -> GitHubDoctor:
        owner = f"org-{next(NUMBERS)}"
        standin.repository(f"{owner}/app", private=True)
        app = standin.app(
            f"preflight-{owner}",
            owner=owner,
            webhook_url=f"{NOWHERE}/webhook",
            webhook_secret="s",
            events=["push"],
            permissions={**DEFAULT_PERMISSIONS, "checks": "read"},
        )
        standin.settle()
        self.owner, self.app = owner, app
        return GitHubDoctor(standin.api_url, AppKey(str(app.id), app.private_key))

    def test_itself(self, github: GitHubDoctor) -> None:
        seen = github.app()

        assert (seen.slug, seen.owner) == (f"preflight-{self.owner}", self.owner)
        assert seen.permissions["checks"] == "read"
        assert "push" in seen.events
        assert seen.page.startswith("http")

    def test_where_it_is_installed(self, standin: Standin, github: GitHubDoctor) -> None:
        other = f"org-{next(NUMBERS)}"
        standin.repository(f"{other}/app")
        standin.suspend(standin.install(self.app, other))

        seen = {one.account: one for one in github.installations()}

        assert {one: seen[one].suspended for one in seen} == {self.owner: False, other: True}
        assert seen[self.owner].permissions["statuses"] == "write"

    def test_its_webhook_and_what_came_of_deliveries(self, github: GitHubDoctor) -> None:
        hook = github.app_hook()

        assert (hook.url, hook.content_type) == (f"{NOWHERE}/webhook", "json")
        assert hook.has_secret
        assert not hook.insecure_ssl
        assert hook.deliveries
        assert all(one.failed and not one.answered for one in hook.deliveries)

    def test_a_repository_that_it_is_installed_on(self, github: GitHubDoctor) -> None:
        seen = github.repository(f"{self.owner}/app")

        assert (seen.repository.full_name, seen.repository.private) == (f"{self.owner}/app", True)
        assert (seen.default_branch, seen.may_push, seen.owner_is_user) == ("main", None, False)

    def test_one_that_it_is_not_installed_on(self, standin: Standin, github: GitHubDoctor) -> None:
        standin.repository(f"elsewhere-{self.owner}/app", private=True)

        with pytest.raises(GitHubRefused, match="not installed"):
            github.repository(f"elsewhere-{self.owner}/app")

    def test_an_app_that_github_does_not_know(self, standin: Standin) -> None:
        stranger = AppKey("999999", standin.app(f"known-{next(NUMBERS)}", owner="acme").private_key)

        with pytest.raises(GitHubNotFound, match="Integration not found"):
            GitHubDoctor(standin.api_url, stranger).app()

    def test_one_whose_webhook_has_no_address(self) -> None:
        with answering(Say(200, {}), Say(404, {})).running() as server:
            hook = GitHubDoctor(f"{server.url}", PersonalToken("x")).app_hook()

        assert (hook.url, hook.has_secret, hook.deliveries) == ("", False, None)


class TestToken:
    def test_whose_it_is(self, standin: Standin) -> None:
        seen = with_token(standin).token()

        assert (seen.login, seen.scopes) == ("preflight-bot", frozenset({"repo"}))
        assert seen.quota is not None

    def test_a_fine_grained_one_tells_no_scopes(self) -> None:
        with answering(Say(200, {"login": "bot", "id": 1})).running() as server:
            seen = GitHubDoctor(server.url, PersonalToken("github_pat_x")).token()

        assert (seen.login, seen.scopes, seen.quota) == ("bot", None, None)

    def test_one_that_is_no_good(self, standin: Standin) -> None:
        with pytest.raises(GitHubRefused, match="PREFLIGHT_GITHUB_TOKEN"):
            GitHubDoctor(standin.api_url, PersonalToken("wrong")).token()

    @pytest.mark.parametrize(
        ("role", "may_push", "may_set"),
        [("write", True, True), ("read", False, False), ("admin", True, True)],
    )
    def test_what_it_may_do(self, standin: Standin, role: str, *, may_push: bool, may_set: bool) -> None:
        name = f"acme/app-{next(NUMBERS)}"
        made = standin.repository(name, permissions={"preflight-bot": role})  # type: ignore[dict-item]  # a table's
        github = with_token(standin)

        seen = github.repository(name)

        assert (seen.repository, seen.may_push) == (Repository(made.id, name), may_push)
        assert github.may_set_status(seen.repository) is may_set

    def test_a_permission_that_a_fine_grained_one_lacks(self) -> None:
        answer = Say(403, {"message": "Resource not accessible by personal access token"})
        with answering(answer).running() as server:
            github = GitHubDoctor(server.url, PersonalToken("github_pat_x"))

            assert github.may_set_status(Repository(1, "acme/app")) is False

        [asked] = server.asked
        assert (asked.method, asked.path) == ("POST", f"/repos/acme/app/statuses/{'0' * 40}")

    def test_an_answer_that_tells_nothing(self) -> None:
        with answering(Say(400, {"message": "odd"})).running() as server:
            github = GitHubDoctor(server.url, PersonalToken("x"))

            assert github.may_set_status(Repository(1, "acme/app")) is None

    def test_a_repository_by_the_name_that_it_had(self, standin: Standin) -> None:
        old = f"acme/app-{next(NUMBERS)}"
        made = standin.repository(old, permissions={"preflight-bot": "write"})
        made.rename(f"renamed-{next(NUMBERS)}")

        assert with_token(standin).repository(old).repository == Repository(made.id, made.full_name)

    def test_one_that_is_hidden(self, standin: Standin) -> None:
        name = f"hidden-{next(NUMBERS)}/app"
        standin.repository(name, private=True)

        with pytest.raises(GitHubNotFound):
            with_token(standin).repository(name)

    def test_webhooks_that_it_may_see(self, standin: Standin) -> None:
        name = f"acme/app-{next(NUMBERS)}"
        made = standin.repository(name, permissions={"preflight-bot": "admin"})
        made.hook(f"{NOWHERE}/webhook", "s", ["push", "issue_comment"])
        made.hook(f"{NOWHERE}/other", "", ["*"])
        standin.settle()

        hooks = with_token(standin).hooks(name)

        assert hooks is not None
        ours, other = sorted(hooks, key=lambda one: one.url, reverse=True)
        assert (ours.url, ours.events) == (f"{NOWHERE}/webhook", frozenset({"push", "issue_comment"}))
        assert (ours.has_secret, other.has_secret) == (True, False)
        assert ours.deliveries
        assert {(one.event, one.failed) for one in ours.deliveries} == {("ping", True)}

    def test_webhooks_that_it_may_not_see(self, standin: Standin) -> None:
        name = f"acme/app-{next(NUMBERS)}"
        standin.repository(name, permissions={"preflight-bot": "write"})

        assert with_token(standin).hooks(name) is None


def test_nothing_is_written(standin: Standin, tmp_path: Path) -> None:
    del tmp_path
    name = f"acme/app-{next(NUMBERS)}"
    made = standin.repository(name, permissions={"preflight-bot": "admin"})
    github, mark = with_token(standin), standin.mark()
    seen = github.repository(name)
    github.token()
    github.hooks(name)
    github.may_set_status(seen.repository)

    writes = [asked for asked in standin.requests(mark) if asked.method != "GET"]
    assert [(asked.method, asked.status) for asked in writes] == [("POST", 422)]
    assert made.statuses(made.tip()) == []


def test_an_answer_that_makes_no_sense() -> None:
    def odd(_: Asked) -> Say:
        return Say(200, {"slug": 3})

    server = answering(Say(200, {"slug": 3}))
    server.answer = odd
    with server.running(), pytest.raises(GitHubUnavailable):
        GitHubDoctor(server.url, PersonalToken("x")).app()
