"""A private repository's pages: for who may read it on GitHub, and for nobody else not even there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from bot.models import Repository
from tests.browser.scenes import LOG, RUN, private
from tests.browser.serving import Served, serving
from tests.github_standin import running as github_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser.conftest import Look
    from tests.browser.viewer import Viewer
    from tests.github_standin import Standin

NOTHING = "/runs/" + "f" * 32


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A GitHub with `acme/secret`, which alice may read and mallory may not."""
    with github_running(tmp_path_factory.mktemp("github")) as standin:
        standin.user("mallory")
        standin.repository("acme/secret", private=True, permissions={"alice": "read"})
        yield standin
        assert standin.violations() == []


@pytest.fixture
def served(tmp_path: Path, github: Standin) -> Iterator[Served]:
    """One run of that repository."""
    app = github.app(f"preflight-{tmp_path.name}", owner="acme", callback_url="http://127.0.0.1/")
    with serving(tmp_path, github, app) as served:
        repository = github.find_repository("acme/secret")
        private(served, Repository(repository.id, "acme/secret", private=True))
        yield served


@pytest.fixture
def viewer(look: Look, github: Standin) -> Viewer:
    """Somebody who has not signed in."""
    viewer = look(github=github.url.replace("127.0.0.1", "localhost"))
    viewer.may_fail.add(404)
    return viewer


def sign_in(viewer: Viewer, login: str) -> None:
    """By the button on the page, and on GitHub."""
    viewer.page.locator("main").get_by_role("link", name="Sign in with GitHub").click()
    viewer.page.get_by_role("button", name=f"Continue as {login}").click()


class TestSignedOut:
    @pytest.mark.parametrize(
        "path", [RUN, LOG, f"{RUN}/artifacts/plan.txt", "/pr/acme/secret/12", f"{RUN}/artifacts/no.txt"]
    )
    def test_it_looks_as_if_it_were_not_there(self, viewer: Viewer, path: str) -> None:
        shown = []
        for each in (path, NOTHING):
            response = viewer.page.goto(viewer.served.url + each)
            assert response is not None
            headers = {k: v for k, v in response.headers.items() if k not in {"date", "content-length"}}
            body = viewer.page.content().replace(each, "PATH")
            shown.append((response.status, headers, body))
        assert shown[0] == shown[1]
        assert shown[0][0] == 404
        expect(viewer.heading()).to_have_text("There is nothing here")
        viewer.is_accessible()

    def test_it_offers_to_sign_in(self, viewer: Viewer) -> None:
        page = viewer.open(RUN)
        expect(page.locator("main").get_by_role("link", name="Sign in with GitHub")).to_be_visible()
        expect(page.locator("body")).not_to_contain_text("secret")
        viewer.keep("signed-out")

    def test_no_list_names_it(self, viewer: Viewer) -> None:
        page = viewer.open("/")
        expect(page.locator("main")).not_to_contain_text("secret")
        expect(page.locator("main")).not_to_contain_text("classified")

    def test_its_badge_says_nothing(self, viewer: Viewer) -> None:
        page = viewer.open("/badge/acme/secret/classified.svg")
        expect(page.locator("text").last).to_have_text("unknown")


class TestSigningIn:
    def test_leads_to_the_page_that_was_asked_for(self, viewer: Viewer) -> None:
        page = viewer.open(LOG)
        sign_in(viewer, "alice")
        page.wait_for_url(f"**{LOG}")
        viewer.sees("a secret line", "signed in as alice")
        for path, text in (("/", "classified"), ("/pr/acme/secret/12", "classified"), (RUN, "acme/secret")):
            viewer.open(path)
            expect(page.locator("main")).to_contain_text(text)
        viewer.is_accessible()

    def test_leads_there_without_a_script(self, look: Look, github: Standin) -> None:
        viewer = look(script=False, github=github.url.replace("127.0.0.1", "localhost"))
        viewer.may_fail.add(404)
        viewer.open(RUN)
        sign_in(viewer, "alice")
        viewer.sees("classified", "signed in as alice")

    def test_opens_nothing_for_who_may_not_read_it(self, viewer: Viewer) -> None:
        page = viewer.open(RUN)
        sign_in(viewer, "mallory")
        expect(viewer.heading()).to_have_text("There is nothing here")
        viewer.sees("signed in as mallory")
        expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
        viewer.open("/")
        expect(page.locator("main")).not_to_contain_text("classified")

    def test_can_be_thought_better_of(self, viewer: Viewer) -> None:
        viewer.may_fail.add(403)
        page = viewer.open(RUN)
        page.locator("main").get_by_role("link", name="Sign in with GitHub").click()
        page.get_by_role("button", name="Cancel").click()
        expect(viewer.heading()).to_have_text("You are not signed in")
        viewer.is_accessible()
        page.get_by_role("link", name="Try again").click()
        expect(page.get_by_role("button", name="Continue as alice")).to_be_visible()

    def test_ends_by_signing_out(self, viewer: Viewer) -> None:
        page = viewer.open(RUN)
        sign_in(viewer, "alice")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("classified")
        viewer.open(RUN)
        expect(viewer.heading()).to_have_text("There is nothing here")

    def test_nothing_is_kept_for_who_comes_next(self, viewer: Viewer) -> None:
        page = viewer.open(RUN)
        sign_in(viewer, "alice")
        viewer.sees("classified")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
        page.go_back()
        expect(viewer.heading()).to_have_text("There is nothing here")

    def test_fits_on_a_phone(self, look: Look, github: Standin) -> None:
        viewer = look(width=320, height=640, github=github.url.replace("127.0.0.1", "localhost"))
        viewer.may_fail.add(404)
        github.user("a" * 39)
        viewer.open(RUN)
        viewer.is_as_wide_as_the_screen()
        sign_in(viewer, "a" * 39)
        viewer.sees("Sign out")
        viewer.is_as_wide_as_the_screen()
        viewer.keep("phone-signed-in")
