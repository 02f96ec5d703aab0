"""Signing in with an App: what browsers, the App and its tokens see."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests

from tests.browser import chromium
from tests.github_standin import StandinError, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_standin import Repository, Standin
    from tests.github_standin.records import App

    from .conftest import Api, Receiver

CALLBACK = "http://127.0.0.1:8080/signed-in"


@pytest.fixture
def app(github: Standin, repository: Repository) -> App:
    """`preflight`, installed on all of acme's repositories, with which people can sign in."""
    return github.app("preflight", owner="acme", callback_url=CALLBACK)


def authorize(github: Standin, app: App, **query: str) -> str:
    asked = {"client_id": app.client_id, "redirect_uri": app.callback_url, "state": "s1", **query}
    return f"{github.url}/login/oauth/authorize?{urlencode(asked)}"


def sent_back(github: Standin, app: App, login: str = "alice", **query: str) -> dict[str, str]:
    """What the App is told by the browser that comes back."""
    back = urlsplit(github.continue_as(login, authorize(github, app, **query)))
    assert f"{back.scheme}://{back.netloc}{back.path}" == app.callback_url
    return dict(parse_qsl(back.query))


def trade(github: Standin, app: App, **form: str) -> dict[str, object]:
    """What the App gets for what it sends."""
    sent = {"client_id": app.client_id, "client_secret": app.client_secret, **form}
    answer = requests.post(
        f"{github.url}/login/oauth/access_token",
        data=sent,
        headers={"Accept": "application/json"},
        timeout=5,
    )
    assert answer.status_code == 200
    told: dict[str, object] = answer.json()
    return told


def token_of(github: Standin, app: App, login: str = "alice") -> str:
    return str(trade(github, app, code=sent_back(github, app, login)["code"])["access_token"])


class TestABrowser:
    def test_comes_back_with_a_code_and_the_state(self, github: Standin, app: App) -> None:
        told = sent_back(github, app)
        assert sorted(told) == ["code", "state"]
        assert told["state"] == "s1"
        named = requests.get(authorize(github, app, login="alice"), allow_redirects=False, timeout=5)
        assert named.headers["Location"].startswith(f"{CALLBACK}?code=")

    def test_is_sent_to_the_apps_own_address_only(self, github: Standin, app: App) -> None:
        told = sent_back(github, app, redirect_uri="http://mallory.example/")
        assert (told["error"], told["state"], "code" in told) == ("redirect_uri_mismatch", "s1", False)

    @pytest.mark.parametrize("query", [{"client_id": "Iv1.unknown"}, {"client_id": ""}])
    def test_finds_no_app_that_is_not_there(self, github: Standin, app: App, query: dict[str, str]) -> None:
        assert requests.get(authorize(github, app, **query), timeout=5).status_code == 404

    def test_can_not_sign_in_with_an_app_without_an_address(self, github: Standin, app: App) -> None:
        github.set_callback_url(app, "")
        with pytest.raises(StandinError, match="404"):
            github.continue_as("alice", authorize(github, app))

    def test_shows_a_button_for_everybody(self, github: Standin, app: App, receiver: Receiver) -> None:
        callback = receiver.url.replace("/webhook", "/signed-in")
        github.set_callback_url(app, callback)
        with chromium.launched() as browser:
            page = browser.new_page()
            page.goto(authorize(github, app, redirect_uri=callback))
            page.get_by_role("button", name="Continue as alice").click()
            page.wait_for_url(f"{callback}?*")
            told = parse_qs(urlsplit(page.url).query)
            page.goto(authorize(github, app, redirect_uri=callback, prompt="select_account"))
            page.get_by_role("button", name="Cancel").click()
            page.wait_for_url(f"{callback}?error=*")
            denied = parse_qs(urlsplit(page.url).query)
            page.goto(f"{github.url}/login")
            assert page.get_by_text("You are signed in as alice").is_visible()
        assert told["state"] == ["s1"]
        assert denied["error"] == ["access_denied"]
        assert trade(github, app, code=told["code"][0])["token_type"] == "bearer"


class TestACode:
    def test_is_worth_a_token_once(self, github: Standin, app: App) -> None:
        code = sent_back(github, app)["code"]
        told = trade(github, app, code=code, redirect_uri=CALLBACK)
        assert str(told.pop("access_token")).startswith("ghu_")
        assert str(told.pop("refresh_token")).startswith("ghr_")
        assert told == {
            "expires_in": 28_800,
            "refresh_token_expires_in": 15_897_600,
            "scope": "",
            "token_type": "bearer",
        }
        assert trade(github, app, code=code)["error"] == "bad_verification_code"

    def test_is_good_for_ten_minutes(
        self, github: Standin, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert sign_in.CODE_SECONDS == 600
        monkeypatch.setattr(sign_in, "CODE_SECONDS", 0)
        told = trade(github, app, code=sent_back(github, app)["code"])
        assert told["error"] == "bad_verification_code"
        assert told["error_description"] == "The code passed is incorrect or expired."

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({"client_secret": "wrong"}, "incorrect_client_credentials"),
            ({"client_id": "wrong"}, "incorrect_client_credentials"),
            ({"code": "wrong"}, "bad_verification_code"),
            ({"redirect_uri": "http://mallory.example/"}, "redirect_uri_mismatch"),
        ],
    )
    def test_is_not_traded(self, github: Standin, app: App, form: dict[str, str], error: str) -> None:
        told = trade(github, app, **{"code": sent_back(github, app)["code"], **form})
        assert told["error"] == error
        assert sorted(told) == ["error", "error_description", "error_uri"]

    def test_is_another_apps(self, github: Standin, app: App) -> None:
        other = github.app("other", callback_url=CALLBACK)
        told = trade(github, other, code=sent_back(github, app)["code"])
        assert told["error"] == "bad_verification_code"

    @pytest.mark.parametrize(("verifier", "good"), [("v" * 43, True), ("w" * 43, False), ("", False)])
    def test_may_need_a_proof(self, github: Standin, app: App, verifier: str, good: bool) -> None:  # noqa: FBT001 - a case
        digest = hashlib.sha256(b"v" * 43).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        back = sent_back(github, app, code_challenge=challenge, code_challenge_method="S256")
        assert ("access_token" in trade(github, app, code=back["code"], code_verifier=verifier)) is good

    def test_is_answered_as_a_form_unless_asked_otherwise(self, github: Standin, app: App) -> None:
        sent = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "code": sent_back(github, app)["code"],
        }
        answer = requests.post(f"{github.url}/login/oauth/access_token", json=sent, timeout=5)
        assert parse_qs(answer.text)["token_type"] == ["bearer"]

    def test_can_be_lost_in_an_outage(self, github: Standin) -> None:
        github.outage(60)
        answer = requests.post(f"{github.url}/login/oauth/access_token", timeout=5)
        assert answer.status_code == 503


class TestAToken:
    def test_is_the_persons(self, github: Standin, app: App) -> None:
        assert who(github, token_of(github, app, "mallory")) == "mallory"

    def test_reads_what_both_may_read(self, github: Standin, app: App) -> None:
        github.repository("acme/secret", private=True, permissions={"alice": "read"})
        github.repository("other/secret", private=True, permissions={"alice": "read"})
        alice, mallory = (token_of(github, app, login) for login in ("alice", "mallory"))

        def reads(token: str, name: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(f"{github.api_url}/repos/{name}", headers=headers, timeout=5).status_code

        assert [reads(alice, name) for name in ("acme/app", "acme/secret", "other/secret")] == [200, 200, 404]
        assert [reads(mallory, name) for name in ("acme/app", "acme/secret")] == [200, 404]
        github.suspend(app.installations["acme"])
        assert reads(alice, "acme/secret") == 404
        github.unsuspend(app.installations["acme"])
        github.find_repository("acme/secret").permit("alice", "none")
        assert reads(alice, "acme/secret") == 404

    def test_writes_what_both_may_write(
        self, github: Standin, app: App, repository: Repository, api: Callable[[str], Api]
    ) -> None:
        sha = repository.tip()
        reader = github.app("reader", callback_url=CALLBACK, permissions={"metadata": "read"})
        tokens = [token_of(github, app), token_of(github, app, "mallory"), token_of(github, reader)]
        asked = [api(token).post(f"/statuses/{sha}", state="success") for token in tokens]
        assert [each.status_code for each in asked] == [201, 404, 403]
        assert api(tokens[0]).post("/check-runs", name="unit", head_sha=sha).status_code == 403

    def test_costs_the_persons_quota(self, github: Standin, app: App) -> None:
        token, mark = token_of(github, app), github.mark()
        who(github, token)
        assert [each.caller for each in github.requests(mark)] == ["user:alice"]

    def test_can_be_revoked(self, github: Standin, app: App) -> None:
        alice, mallory = (token_of(github, app, login) for login in ("alice", "mallory"))
        github.revoke_user_tokens("alice")
        assert (who(github, alice), who(github, mallory)) == (401, "mallory")
        github.revoke_user_tokens()
        assert who(github, mallory) == 401

    def test_expires(self, github: Standin, app: App) -> None:
        github.limits(user_token_seconds=0)
        assert who(github, token_of(github, app)) == 401

    def test_is_renewed_once(self, github: Standin, app: App) -> None:
        old = trade(github, app, code=sent_back(github, app)["code"])
        form = {"grant_type": "refresh_token", "refresh_token": str(old["refresh_token"])}
        new = trade(github, app, **form)
        assert who(github, str(old["access_token"])) == 401
        assert who(github, str(new["access_token"])) == "alice"
        assert trade(github, app, **form)["error"] == "bad_refresh_token"


def who(github: Standin, token: str) -> str | int:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{github.api_url}/user", headers=headers, timeout=5)
    return str(answer.json()["login"]) if answer.ok else answer.status_code
