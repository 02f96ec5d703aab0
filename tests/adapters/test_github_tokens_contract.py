"""Tokens for steps, as every GitHub adapter makes them: the fake, and the real one as an App on the stand-in.

What such a token can do, and what it can't, is the real one's to show.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
import requests

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Repository
from tests.adapters.github_answering import Answering, Asked, Say
from tests.examples import REPOSITORY
from tests.fakes.github import FakeGitHub
from tests.github_standin import Standin, running
from tests.github_standin.git import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bot.ports import TokenMinter
    from tests.github_standin import Repository as StandinRepository
    from tests.github_standin.records import App

MINT = r"/access_tokens$"


class There(NamedTuple):
    """A private repository of acme, where the App is installed, and the adapter."""

    standin: Standin
    app: App
    repository: StandinRepository
    github: GitHubClient

    @property
    def known(self) -> Repository:
        """The repository as the bot knows it."""
        return Repository(self.repository.id, self.repository.full_name, private=True)

    def token(self) -> str:
        return self.github.mint(self.known).token

    def ask(self, method: str, path: str, token: str, body: object = None) -> int:
        """The status of an answer."""
        headers = {"Authorization": f"token {token}"}
        url = f"{self.standin.api_url}{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=20).status_code

    def git(self, token: str, *arguments: str, repository: StandinRepository | None = None) -> str:
        """What git says of a repository to who has that token."""
        url = (repository or self.repository).clone_url
        remote = url.replace("://", f"://x-access-token:{token}@")
        command = ["git", *(remote if each == "REMOTE" else each for each in arguments)]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout if done.returncode == 0 else done.stderr


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.limits(core=None, points=None, content_minute=None, content_hour=None)
        yield standin
        assert standin.violations() == []


@pytest.fixture(scope="module")
def installed(standin: Standin) -> tuple[App, StandinRepository]:
    app = standin.app("preflight", owner="acme")
    repository = standin.repository(
        "acme/app", files={"src/app.py": "print(1)\n"}, permissions={"acme-admin": "admin"}, private=True
    )
    return app, repository


@pytest.fixture
def there(standin: Standin, installed: tuple[App, StandinRepository]) -> Iterator[There]:
    app, repository = installed
    github = GitHubClient(standin.api_url, AppKey(str(app.id), app.private_key))
    yield There(standin, app, repository, github)
    github.close()
    standin.clear_faults()


@dataclass(frozen=True)
class Stage:
    """What the contract is played on: an adapter that is an App, and what keeps it from its next token."""

    github: TokenMinter
    repository: Repository
    break_down: Callable[[], object]
    limit: Callable[[int], object]


@pytest.fixture(params=["fake", "app"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "fake":
        fake = FakeGitHub()
        fake.is_app = True
        return Stage(fake, REPOSITORY, fake.unavailable, fake.rate_limited)
    there: There = request.getfixturevalue("there")
    return Stage(
        there.github,
        there.known,
        lambda: there.standin.fault(MINT, status=502),
        lambda seconds: there.standin.fault(MINT, status=429, headers={"Retry-After": str(seconds)}),
    )


class TestEveryAdapter:
    def test_may_make_them_as_an_app(self, stage: Stage) -> None:
        assert stage.github.can_mint()

    def test_makes_another_one_each_time(self, stage: Stage) -> None:
        one, other = stage.github.mint(stage.repository), stage.github.mint(stage.repository)
        assert one.token.startswith("ghs_")
        assert one.token != other.token
        assert one.expires_at.tzinfo is UTC

    def test_does_not_show_them(self, stage: Stage) -> None:
        made = stage.github.mint(stage.repository)
        assert made.token not in repr(made)

    def test_tells_an_outage(self, stage: Stage) -> None:
        stage.break_down()
        with pytest.raises(GitHubUnavailable):
            stage.github.mint(stage.repository)
        assert stage.github.mint(stage.repository)

    def test_tells_a_limit(self, stage: Stage) -> None:
        stage.limit(7)
        with pytest.raises(GitHubRateLimited) as error:
            stage.github.mint(stage.repository)
        assert error.value.retry_after == 7


class TestTheToken:
    def test_clones_the_repository(self, there: There) -> None:
        assert there.repository.tip() in there.git(there.token(), "ls-remote", "REMOTE")

    def test_clones_no_other(self, there: There) -> None:
        other = there.standin.repository("acme/other", private=True)
        assert "not found" in there.git(there.token(), "ls-remote", "REMOTE", repository=other)
        assert there.ask("GET", "/repos/acme/other", there.token()) == 404

    def test_pushes_nothing(self, there: There, tmp_path: Path) -> None:
        token = there.token()
        there.git(token, "clone", "-q", "REMOTE", str(tmp_path))
        said = there.git(token, "-C", str(tmp_path), "push", "REMOTE", "HEAD:refs/heads/evil")
        assert "Permission to acme/app.git denied to preflight[bot]" in said

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            pytest.param("GET", "/contents/src/app.py", None, 200, id="reads-files"),
            pytest.param("POST", "/statuses/TIP", {"state": "success"}, 403, id="sets-no-status"),
            pytest.param(
                "POST", "/check-runs", {"name": "x", "head_sha": "TIP"}, 403, id="makes-no-check-run"
            ),
        ],
    )
    def test_can_do_nothing_but_read(
        self, there: There, method: str, path: str, body: dict[str, str] | None, status: int
    ) -> None:
        tip = there.repository.tip()
        path = f"/repos/acme/app{path}".replace("TIP", tip)
        sent = None if body is None else {key: value.replace("TIP", tip) for key, value in body.items()}
        assert there.ask(method, path, there.token(), sent) == status

    def test_ends_within_an_hour(self, there: There) -> None:
        left = there.github.mint(there.known).expires_at - datetime.now(UTC)
        assert timedelta(minutes=50) < left < timedelta(minutes=61)

    def test_is_refused_afterwards(self, there: There) -> None:
        token = there.token()
        there.standin.revoke_tokens()  # as if it had expired
        assert "Authentication failed" in there.git(token, "ls-remote", "REMOTE")
        assert there.ask("GET", "/repos/acme/app", token) == 401

    def test_is_not_the_one_that_we_work_with(self, there: There) -> None:
        mark = there.standin.mark()
        there.github.tip(there.known, "main")
        token = there.token()
        there.github.tip(there.known, "main")
        assert len(there.standin.requests(mark, path=MINT)) == 2
        assert there.ask("POST", "/repos/acme/app/statuses/x", token, {"state": "success"}) in (403, 404)


class TestTheRepository:
    def test_is_found_by_its_id_whatever_it_is_called_now(self, there: There) -> None:
        moved = there.standin.repository("acme/before", private=True)
        known = Repository(moved.id, "acme/before", private=True)
        moved.rename("after")
        taken = there.standin.repository("acme/before", private=True)
        token = there.github.mint(known).token
        assert moved.tip() in there.git(token, "ls-remote", "REMOTE", repository=moved)
        assert "not found" in there.git(token, "ls-remote", "REMOTE", repository=taken)

    def test_that_moved_to_another_installation_is_asked_about_there(self, there: There) -> None:
        there.standin.install(there.app, "initech")
        moved = there.standin.repository("acme/leaving", private=True)
        known = Repository(moved.id, "acme/leaving", private=True)
        there.github.mint(known)
        moved.transfer("initech")
        token = there.github.mint(known).token
        assert moved.tip() in there.git(token, "ls-remote", "REMOTE", repository=moved)

    def test_must_be_among_those_that_the_installation_sees(self, there: There) -> None:
        stranger = there.standin.repository("nobody/app", private=True)
        with pytest.raises(GitHubRefused, match="not installed on nobody/app"):
            there.github.mint(Repository(stranger.id, "nobody/app", private=True))

    def test_of_that_id_must_be(self, there: There) -> None:
        with pytest.raises(GitHubRefused, match="its installation access to acme/app"):
            there.github.mint(replace(there.known, id=1))

    def test_the_app_must_be_allowed_to_read(self, there: There) -> None:
        blind = there.standin.app(
            "blind", owner="acme", permissions={"statuses": "write", "metadata": "read"}
        )
        github = GitHubClient(there.standin.api_url, AppKey(str(blind.id), blind.private_key))
        with pytest.raises(GitHubRefused, match="contents: read"):
            github.mint(there.known)
        github.close()

    def test_whose_installation_goes_at_the_last_moment_may_be_asked_for_again(self, there: There) -> None:
        there.standin.fault(MINT, status=404)
        with pytest.raises(GitHubUnavailable, match="installed anew"):
            there.github.mint(there.known)
        assert there.token()


def test_a_personal_token_makes_none(there: There) -> None:
    github = GitHubClient(there.standin.api_url, PersonalToken(there.standin.user("acme-admin").token))
    mark = there.standin.mark()
    assert not github.can_mint()
    with pytest.raises(GitHubRefused, match="only a GitHub App"):
        github.mint(there.known)
    assert there.standin.requests(mark) == []
    github.close()


@pytest.mark.parametrize(
    "made",
    [
        pytest.param({"repository_selection": "all", "permissions": {"contents": "read"}}, id="all"),
        pytest.param({"repository_selection": "selected", "permissions": {"contents": "write"}}, id="write"),
        pytest.param(
            {"repository_selection": "selected", "permissions": {"contents": "read", "issues": "write"}},
            id="more",
        ),
        pytest.param({"repository_selection": "selected"}, id="nobody-knows"),
    ],
)
def test_one_that_github_did_not_narrow_nobody_gets(there: There, made: dict[str, object]) -> None:
    def answer(asked: Asked) -> Say:
        if asked.path.endswith("/installation"):
            return Say(body={"id": 5})
        return Say(201, {"token": "ghs_1", "expires_at": "2026-03-04T13:00:00Z", **made})

    server = Answering(answer)
    with server.running(), pytest.raises(GitHubUnavailable) as error:
        GitHubClient(server.url, AppKey(str(there.app.id), there.app.private_key)).mint(there.known)
    assert "ghs_1" not in str(error.value)
