"""Signing in with GitHub: who is let in, who is not, and what nobody can make of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.pages.sessions import LONGEST_SESSION, Seal
from bot.pages.sign_in import SILENCE, GitHubGate, blueprint, cookie_name
from tests.examples import NOON, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask.testing import FlaskClient

    from bot.models import Repository

PRIVATE = replace(REPOSITORY, id=43, full_name="acme/secret", private=True)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class FakeViewers:
    """GitHub, for sign-ins: `codes` by whose they are, `reads` are the ids that each may read."""

    codes: dict[str, str] = field(default_factory=lambda: {"code-of-alice": "alice"})
    reads: dict[str, set[int]] = field(default_factory=lambda: {"alice": {PRIVATE.id}})
    down: bool = False
    spent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def sign_in_url(self, state: str, redirect_uri: str) -> str:
        return f"https://github.example/authorize?state={state}&redirect_uri={redirect_uri}"

    def token_for(self, code: str, redirect_uri: str) -> tuple[str, float]:
        self._answer()
        assert redirect_uri.endswith("/signed-in")
        if code not in self.codes:
            raise GitHubRefused("the code is wrong or was used before")
        return f"token of {self.codes.pop(code)}", 28_800.0

    def login(self, token: str) -> str:
        self._answer()
        return token.removeprefix("token of ")

    def can_read(self, token: str, repository: Repository) -> bool:
        self._answer()
        login = token.removeprefix("token of ")
        self.asked.append(repository.full_name)
        if login in self.spent:
            raise GitHubRateLimited("asked too much", 3000.0)
        if login not in self.reads:
            raise GitHubRefused("the token was revoked")
        return repository.id in self.reads[login]

    def _answer(self) -> None:
        if self.down:
            raise GitHubUnavailable("GitHub did not answer")


@dataclass
class SlowViewers(FakeViewers):
    """GitHub takes 0.2 s for each question that it was not asked before, or does not `answers`."""

    answers: bool = True
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def can_read(self, token: str, repository: Repository) -> bool:
        if repository.full_name not in self.asked:
            self.now += 0.2
        read = super().can_read(token, repository)
        if not self.answers:
            raise GitHubUnavailable("GitHub did not answer")
        return read


@dataclass
class Lister:
    """The private repositories that have runs."""

    repositories: Sequence[Repository] = (PRIVATE,)

    def private_repositories(self) -> Sequence[Repository]:
        return self.repositories


@dataclass
class Site:
    """The sign-in's pages, and one that says what the viewer may see."""

    public_url: str = "https://preflight.example.com"
    clock: Clock = field(default_factory=Clock)
    viewers: FakeViewers = field(default_factory=FakeViewers)
    lister: Lister = field(default_factory=Lister)
    keys: Sequence[str] = ("key-one",)
    seconds: Callable[[], float] = lambda: 0.0

    def client(self) -> FlaskClient:
        seal = Seal(self.keys, self.clock)
        gate = GitHubGate(seal, self.viewers, self.lister, cookie_name(self.public_url), self.seconds)  # type: ignore[arg-type]  # what of it is asked
        app = Flask("bot.pages", static_folder=None)
        app.jinja_loader = __import__("jinja2").DictLoader({"not_signed_in.html": "{{ why }}"})
        app.register_blueprint(blueprint(seal, self.viewers, self.public_url))

        @app.get("/me")
        def me() -> dict[str, object]:
            return {
                "who": gate.who(),
                "private": gate.may_read(PRIVATE),
                "public": gate.may_read(REPOSITORY),
                "readable": sorted(gate.readable()),
                "sign_in": gate.sign_in_path("/runs/1"),
            }

        @app.get("/only/<owner>/<name>")
        def only(owner: str, name: str) -> list[int]:
            return sorted(gate.readable(f"{owner}/{name}"))

        return app.test_client()


def begin(client: FlaskClient, back: str = "/runs/1") -> str:
    """Go to GitHub; the state that it is told."""
    response = client.get("/sign-in", query_string={"back": back}, base_url="https://preflight.example.com")
    assert response.status_code == HTTPStatus.FOUND
    return parse_qs(urlsplit(response.location).query)["state"][0]


def come_back(client: FlaskClient, state: str, code: str = "code-of-alice") -> tuple[int, str]:
    """Come back from GitHub; the answer's status, and where it leads."""
    response = client.get(
        "/signed-in", query_string={"state": state, "code": code}, base_url="https://preflight.example.com"
    )
    return response.status_code, response.location or response.text


def me(client: FlaskClient) -> dict[str, object]:
    """What the viewer may see."""
    seen = client.get("/me", base_url="https://preflight.example.com").json
    assert isinstance(seen, dict)
    return seen


def signed_in(site: Site) -> FlaskClient:
    client = site.client()
    assert come_back(client, begin(client)) == (HTTPStatus.FOUND, "/runs/1")
    return client


class TestTheWayThroughGitHub:
    def test_leads_back_to_where_it_began_and_opens_what_may_be_read(self) -> None:
        assert me(signed_in(Site())) == {
            "who": "alice",
            "private": True,
            "public": True,
            "readable": [PRIVATE.id],
            "sign_in": "",
        }

    def test_without_it_only_what_is_public_is_open(self) -> None:
        assert me(Site().client()) == {
            "who": "",
            "private": False,
            "public": True,
            "readable": [],
            "sign_in": "/sign-in?back=/runs/1",
        }

    def test_a_state_of_somebody_else_lets_nobody_in(self) -> None:
        site = Site()
        mallory, alice = site.client(), site.client()
        state = begin(mallory)
        begin(alice)
        assert come_back(alice, state)[0] == HTTPStatus.FORBIDDEN
        assert me(alice)["who"] == ""

    @pytest.mark.parametrize("state", ["", "x", "é"])
    def test_nor_one_that_was_never_given(self, state: str) -> None:
        assert come_back(Site().client(), state)[0] == HTTPStatus.FORBIDDEN

    def test_a_code_that_github_does_not_know(self) -> None:
        client = Site().client()
        status, said = come_back(client, begin(client), code="wrong")
        assert (status, said) == (HTTPStatus.FORBIDDEN, "GitHub did not confirm who you are.")

    def test_while_github_is_down_it_says_so(self) -> None:
        site = Site(viewers=FakeViewers(down=True))
        client = site.client()
        assert come_back(client, begin(client))[1] == "GitHub does not answer right now."

    @pytest.mark.parametrize(
        "back",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\nb",
            "runs",
            "",
            "javascript:x",
            "/a\\b",
        ],
    )
    def test_never_leads_to_another_host(self, back: str) -> None:
        client = Site().client()
        assert come_back(client, begin(client, back)) == (HTTPStatus.FOUND, "/")

    @given(back=st.text())
    def test_wherever_it_should_lead(self, back: str) -> None:
        client = Site().client()
        _, where = come_back(client, begin(client, back))
        parts = urlsplit(where)
        assert (parts.scheme, parts.netloc) == ("", "")
        assert where.startswith("/")
        assert not where.startswith(("//", "/\\"))


class TestASession:
    def test_its_cookie_can_be_read_by_no_script_and_set_by_no_neighbour(self) -> None:
        client = Site().client()
        state = begin(client)
        response = client.get(
            "/signed-in",
            query_string={"state": state, "code": "code-of-alice"},
            base_url="https://preflight.example.com",
        )
        (cookie,) = [
            one for one in response.headers.getlist("Set-Cookie") if one.startswith("__Host-preflight=")
        ]
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "token of alice" not in cookie

    def test_ends_after_eight_hours(self) -> None:
        site = Site()
        client = signed_in(site)
        site.clock.now += LONGEST_SESSION + timedelta(seconds=1)
        assert me(client)["private"] is False

    def test_ends_when_the_token_is_revoked(self) -> None:
        site = Site()
        client = signed_in(site)
        del site.viewers.reads["alice"]
        assert me(client)["private"] is False

    def test_ends_by_signing_out(self) -> None:
        client = signed_in(Site())
        client.post("/sign-out", base_url="https://preflight.example.com")
        assert me(client)["who"] == ""

    def test_not_by_another_sites_form(self) -> None:
        client = signed_in(Site())
        client.post(
            "/sign-out",
            base_url="https://preflight.example.com",
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert me(client)["who"] == "alice"

    def test_a_lost_permission_closes_the_repository(self) -> None:
        site = Site()
        client = signed_in(site)
        site.viewers.reads["alice"] = set()
        assert me(client)["private"] is False

    def test_while_github_is_down_private_ones_stay_closed(self) -> None:
        site = Site()
        client = signed_in(site)
        site.viewers.down = True
        assert (me(client)["private"], me(client)["who"]) == (False, "alice")

    def test_outlives_the_change_of_keys_while_both_are_set(self) -> None:
        sealed, _ = Seal(["old"], Clock()).session("alice", "t", 60)
        assert Seal(["new", "old"], Clock()).open_session(sealed) is not None
        assert Seal(["new"], Clock()).open_session(sealed) is None

    @given(st.text())
    def test_is_nothing_that_can_be_made_up(self, text: str) -> None:
        assert Seal(["key"], Clock()).open_session(text) is None

    def test_a_state_is_no_session(self) -> None:
        seal = Seal(["key"], Clock())
        assert seal.open_session(seal.put({"state": "x", "back": "/"})) is None


class TestWhileGitHubIsSlow:
    """Each ask holds a web thread, and webhooks need them."""

    MANY = tuple(
        replace(PRIVATE, id=number, full_name=f"acme/private-{number}") for number in range(100, 150)
    )

    def site(self, *, answers: bool = True) -> Site:
        viewers = SlowViewers(reads={"alice": {one.id for one in self.MANY}}, answers=answers)
        return Site(viewers=viewers, lister=Lister(self.MANY), seconds=viewers.clock)

    def test_a_view_of_a_list_asks_for_a_few_seconds_and_a_later_one_asks_on(self) -> None:
        client = signed_in(self.site())
        first, second = (me(client)["readable"] for _ in range(2))
        assert 0 < len(list_of(first)) < len(list_of(second)) <= len(self.MANY)
        while len(list_of(second)) < len(self.MANY):
            second = me(client)["readable"]

    def test_one_that_does_not_answer_is_asked_once(self) -> None:
        site = self.site(answers=False)
        client = signed_in(site)
        me(client)
        assert len(site.viewers.asked) == 1

    def test_and_again_after_a_while(self) -> None:
        site = self.site(answers=False)
        client = signed_in(site)
        me(client)
        assert isinstance(site.viewers, SlowViewers)
        site.viewers.now += SILENCE + 1
        me(client)
        assert len(site.viewers.asked) == 2

    def test_who_used_up_their_own_requests_shuts_nobody_else_out(self) -> None:
        viewers = FakeViewers(
            codes={"code-of-alice": "alice", "code-of-mallory": "mallory"}, spent={"mallory"}
        )
        both = Site(viewers=viewers).client()  # one process, one gate: mallory's cookie, then alice's
        come_back(both, begin(both), "code-of-mallory")
        assert me(both)["readable"] == []
        come_back(both, begin(both))
        assert me(both)["readable"] == [PRIVATE.id]

    def test_a_page_about_one_repository_asks_about_that_one(self) -> None:
        site = self.site()
        client = signed_in(site)
        seen = client.get("/only/ACME/Private-149", base_url="https://preflight.example.com").json
        assert (seen, site.viewers.asked) == ([149], ["acme/private-149"])


def list_of(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
