"""People who sign in with the GitHub App, and what they may read, on the stand-in GitHub."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.adapters.github import GitHubSignIn
from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable, PreflightError
from bot.models import Repository
from tests.adapters.github_answering import REPOSITORY, Answering, Asked, Say, answering
from tests.adapters.github_there import NUMBERS, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.github_standin import Repository as StandinRepository
    from tests.github_standin import Standin
    from tests.github_standin.records import App

BACK = "https://preflight.example/signed-in"


class Door(NamedTuple):
    """A private repository that alice may read, and a fresh adapter."""

    standin: Standin
    repository: StandinRepository
    viewers: GitHubSignIn
    clock: Clock

    @property
    def known(self) -> Repository:
        """The repository as the bot knows it."""
        return Repository(self.repository.id, self.repository.full_name, private=True)

    def code(self, login: str) -> str:
        """What GitHub sends a person's browser back with."""
        back = self.standin.continue_as(login, self.viewers.sign_in_url("state", BACK))
        return parse_qs(urlsplit(back).query)["code"][0]

    def token(self, login: str) -> str:
        """A person's token."""
        return self.viewers.token_for(self.code(login), BACK)[0]

    def asked(self, mark: int) -> list[str]:
        """What was asked since a mark."""
        return [f"{each.method} {each.path}" for each in self.standin.requests(mark)]


@pytest.fixture(scope="module")
def app(standin: Standin) -> App:
    return standin.app("pages", owner="acme", callback_url=BACK)


def web_url(standin: Standin) -> str:
    return standin.api_url.removesuffix("/api/v3")


@pytest.fixture
def door(standin: Standin, app: App) -> Iterator[Door]:
    standin.limits(core=None, points=None, content_minute=None, content_hour=None)
    name = f"acme/private-{next(NUMBERS)}"
    repository = standin.repository(name, permissions={"alice": "read"}, private=True)
    clock = Clock()
    viewers = GitHubSignIn(standin.api_url, web_url(standin), app.client_id, app.client_secret, clock=clock)
    yield Door(standin, repository, viewers, clock)
    viewers.close()
    standin.clear_faults()


class TestSigningIn:
    def test_github_sends_people_back_with_our_state(self, door: Door) -> None:
        url = door.viewers.sign_in_url("a b&c", BACK)
        back = urlsplit(door.standin.continue_as("alice", url))
        assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
        assert parse_qs(back.query)["state"] == ["a b&c"]

    def test_a_code_becomes_the_person_s_token(self, door: Door) -> None:
        token, seconds = door.viewers.token_for(door.code("alice"), BACK)
        assert seconds == 8 * 3600
        assert door.viewers.login(token) == "alice"

    def test_a_code_is_good_once(self, door: Door) -> None:
        code = door.code("alice")
        door.viewers.token_for(code, BACK)
        with pytest.raises(GitHubRefused, match="please sign in again"):
            door.viewers.token_for(code, BACK)

    def test_who_said_no_has_no_code_and_nobody_is_asked(self, door: Door) -> None:
        mark = door.standin.mark()
        with pytest.raises(GitHubRefused, match="said no"):
            door.viewers.token_for("", BACK)
        assert door.asked(mark) == []

    def test_another_address_is_the_operator_s_to_mend(self, door: Door) -> None:
        with pytest.raises(GitHubRefused, match="callback URLs"):
            door.viewers.token_for(door.code("alice"), "https://elsewhere.example/")

    def test_so_are_wrong_credentials(self, door: Door, app: App) -> None:
        standin = door.standin
        wrong = GitHubSignIn(standin.api_url, web_url(standin), app.client_id, "wrong-secret")
        with pytest.raises(GitHubRefused, match="PREFLIGHT_GITHUB_CLIENT_SECRET") as refused:
            wrong.token_for(door.code("alice"), BACK)
        assert "wrong-secret" not in str(refused.value)
        wrong.close()

    def test_a_token_that_was_revoked_is_no_longer_good(self, door: Door) -> None:
        token = door.token("alice")
        door.standin.revoke_user_tokens("alice")
        with pytest.raises(GitHubRefused, match="please sign in again") as refused:
            door.viewers.login(token)
        assert token not in str(refused.value)


class TestReading:
    def test_who_may_read_it_on_github_may(self, door: Door) -> None:
        assert door.viewers.can_read(door.token("alice"), door.known)

    def test_who_may_not_may_not(self, door: Door) -> None:
        assert not door.viewers.can_read(door.token("mallory"), door.known)

    def test_a_public_one_everybody_may(self, door: Door) -> None:
        public = door.standin.repository(f"acme/public-{next(NUMBERS)}", private=False)
        assert door.viewers.can_read(door.token("mallory"), Repository(public.id, public.full_name))

    def test_it_is_believed_for_five_minutes_of_each(self, door: Door) -> None:
        alice, mallory = door.token("alice"), door.token("mallory")
        mark = door.standin.mark()
        for _ in range(2):
            assert door.viewers.can_read(alice, door.known)
            assert not door.viewers.can_read(mallory, door.known)
        assert len(door.asked(mark)) == 2
        door.repository.permit("alice", "none")
        door.repository.permit("mallory", "read")
        door.clock.now += 299
        assert door.viewers.can_read(alice, door.known)
        assert not door.viewers.can_read(mallory, door.known)
        door.clock.now += 2
        assert not door.viewers.can_read(alice, door.known)
        assert door.viewers.can_read(mallory, door.known)

    def test_a_renamed_one_is_known_by_its_id(self, door: Door) -> None:
        known = door.known
        door.repository.rename("renamed-" + known.name)
        assert door.viewers.can_read(door.token("alice"), known)
        assert not door.viewers.can_read(door.token("mallory"), known)

    def test_who_took_over_its_name_opens_nothing(self, door: Door) -> None:
        known = door.known
        door.repository.rename("renamed-" + known.name)
        door.standin.repository(
            known.full_name, permissions={"mallory": "admin", "alice": "read"}, private=True
        )
        assert not door.viewers.can_read(door.token("mallory"), known)
        assert door.viewers.can_read(door.token("alice"), known)

    def test_the_name_of_one_does_not_open_another(self, door: Door) -> None:
        other = door.standin.repository(f"acme/secret-{next(NUMBERS)}", private=True)
        assert not door.viewers.can_read(door.token("alice"), replace(door.known, id=other.id))

    def test_a_revoked_token_is_told_as_such(self, door: Door) -> None:
        token = door.token("alice")
        door.standin.revoke_user_tokens("alice")
        with pytest.raises(GitHubRefused, match="please sign in again"):
            door.viewers.can_read(token, door.known)

    def test_an_outage_is_no_answer_and_not_remembered(self, door: Door) -> None:
        token = door.token("alice")
        door.standin.outage(30)
        with pytest.raises(GitHubUnavailable):
            door.viewers.can_read(token, door.known)
        door.standin.clear_faults()
        assert door.viewers.can_read(token, door.known)


def viewers(server: Answering) -> GitHubSignIn:
    return GitHubSignIn(f"{server.url}/api/v3", f"{server.url}/", "Iv1.abc", "s3cret")


class TestAnswersTheStandinDoesNotGive:
    @pytest.mark.parametrize(
        ("say", "error", "words"),
        [
            pytest.param(
                Say(404, "<html>", {"Content-Type": "text/html"}),
                GitHubRefused,
                "PREFLIGHT_GITHUB_CLIENT_ID",
                id="no such client id",
            ),
            pytest.param(
                Say(body={"error": "unverified_user_email"}), GitHubRefused, "verify it", id="unverified"
            ),
            pytest.param(
                Say(body={"error": "x", "error_description": "y" * 999}),
                GitHubRefused,
                "x: y",
                id="new error",
            ),
            pytest.param(Say(body={}), GitHubUnavailable, "no sense", id="no token"),
            pytest.param(Say(body=[]), GitHubUnavailable, "no sense", id="a list"),
            pytest.param(Say(502), GitHubUnavailable, "502", id="outage"),
            pytest.param(Say(429), GitHubRateLimited, "slow down", id="limit"),
        ],
    )
    def test_a_code_that_can_not_be_traded(self, say: Say, error: type[PreflightError], words: str) -> None:
        with answering(say).running() as server, pytest.raises(error, match=words) as raised:
            viewers(server).token_for("c0de", BACK)
        assert len(server.asked) == 1  # the code would be worth nothing a second time
        assert "s3cret" not in str(raised.value)
        assert "c0de" not in str(raised.value)
        assert len(str(raised.value)) < 500

    def test_the_secret_travels_in_the_body(self) -> None:
        with answering(Say(body={"access_token": "ghu_x"})).running() as server:
            assert viewers(server).token_for("c0de", BACK) == ("ghu_x", 8 * 3600)
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/login/oauth/access_token")
        assert json.loads(asked.body) == {
            "client_id": "Iv1.abc",
            "client_secret": "s3cret",
            "code": "c0de",
            "redirect_uri": BACK,
        }

    @pytest.mark.parametrize(
        "say",
        [
            pytest.param(Say(403, {"message": "Resource protected by SAML enforcement"}), id="SAML"),
            pytest.param(Say(404, {"message": "Not Found"}), id="hidden"),
            pytest.param(Say(451, {"message": "Repository access blocked"}), id="taken down"),
        ],
    )
    def test_what_may_not_be_read(self, say: Say) -> None:
        with answering(say).running() as server:
            assert not viewers(server).can_read("ghu_x", REPOSITORY)
        assert len(server.asked) == 1

    def test_a_limit_of_the_person_is_no_answer(self) -> None:
        limited = Say(403, {"message": "API rate limit exceeded"}, {"X-RateLimit-Remaining": "0"})
        with answering(limited).running() as server, pytest.raises(GitHubRateLimited):
            viewers(server).can_read("ghu_x", REPOSITORY)

    def test_redirects_to_elsewhere_are_not_followed(self) -> None:
        with answering(Say(body={"id": REPOSITORY.id})).running() as elsewhere:
            away = Say(301, headers={"Location": f"{elsewhere.url}/api/v3/repositories/7"})
            with answering(away).running() as server:
                assert not viewers(server).can_read("ghu_x", REPOSITORY)
        assert elsewhere.asked == []
        assert [asked.path for asked in server.asked] == ["/api/v3/repos/acme/app", "/api/v3/repositories/7"]

    def test_no_answer_to_one_person_serves_another(self) -> None:
        def answer(asked: Asked) -> Say:
            return Say(body={"id": 7}) if asked.headers["Authorization"] == "token ghu_alice" else Say(404)

        with Answering(answer).running() as server:
            door = viewers(server)
            assert door.can_read("ghu_alice", REPOSITORY)
            assert not door.can_read("ghu_mallory", REPOSITORY)

    def test_who_it_is_may_be_hidden(self) -> None:
        with answering(Say(404)).running() as server, pytest.raises(GitHubNotFound):
            viewers(server).login("ghu_x")
