"""What all pages share: who may see them, their headers, how they are renewed, and that all can use them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from bot.models import ARTIFACTS_PATH, Artifact, Audit, FlakyTest, Past, StepResult, TestFailure, TestResults
from bot.pages.gate import PublicGate
from tests.examples import HEAD, REPOSITORY, at
from tests.pages.showing import (
    PRIVATE,
    RUN_ID,
    Artifacts,
    Member,
    Page,
    Site,
    active,
    ended,
    failed,
    listed,
    step,
)

RUN, LOG = f"/runs/{RUN_ID}", f"/runs/{RUN_ID}/log/run~0"
PATHS = ["/", "/pr/acme/widgets/12", RUN, LOG, f"{LOG}?q=line"]
NOT_THERE = ["/nowhere", f"/runs/{'f' * 32}", "/pr/acme/nothing/1", f"/runs/{'f' * 32}/log/x"]
BADGE = "/badge/acme/widgets/unit.svg"
STATIC = Path(__file__).parents[2] / "bot/pages/static"


@pytest.fixture
def site() -> Site:
    """A site where each page has much to show."""
    site = Site(artifacts=Artifacts([Artifact("build-log.txt", 5)]))
    tests = TestResults(9, 1, 0, 1.0, (TestFailure("t", "boom", "a.py", 3),), ("u",), ("note",))
    lint = failed(result=StepResult(1, "exit 1", "make lint", "/bin/make lint", tests, 3, "1 file"))
    site.airflow.lines = [f"line {number}" for number in range(3_000)]
    site.store.pasts[RUN_ID] = Past(usual=5, flaky=(FlakyTest("lint", "t", 1, 2),))
    site.store.decided = [Audit("alice", "run", "/test", "start unit", HEAD, at(5))]
    site.store.add(listed("docs"))
    site.store.add(listed("docs", head_sha="f" * 40, dryrun=True))
    site.store.add(ended(step("clone"), lint, conf={ARTIFACTS_PATH: "x"}))
    return site


class TestPrivacy:
    @pytest.mark.parametrize("path", ["/pr/acme/secret/12", RUN, LOG])
    def test_what_is_hidden_looks_like_what_is_not_there(self, path: str) -> None:
        site = Site()
        site.store.add(ended(failed(), repository=PRIVATE))
        hidden, missing = site.get(path), site.get("/nowhere")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.data == missing.data
        assert dict(hidden.headers) == dict(missing.headers)

    @pytest.mark.parametrize("path", ["/pr/acme/secret/12", RUN, "/nowhere?a=1&b=<x>"])
    def test_who_can_sign_in_is_led_back(self, path: str) -> None:
        site = Site(gate=Member())
        site.store.add(ended(failed(), repository=PRIVATE))
        hidden, missing = site.get(path), site.get("/other")
        shown = Page(hidden.text)
        assert shown.values("href").count(f"/sign-in?back={path}") == 2
        assert Page(hidden.text.replace(f"back={path}", "")).text == Page(missing.text).text
        assert "acme/secret" not in shown.text

    @pytest.mark.parametrize("path", ["/", "/pr/acme/secret/12", RUN, LOG])
    def test_who_may_read_a_repository_sees_its_pages(self, path: str) -> None:
        site = Site(gate=Member(frozenset({PRIVATE.id})))
        site.store.add(ended(failed(), repository=PRIVATE))
        page = site.page(path)
        assert "acme/secret" in page.text
        assert "alice Sign out" in page.text
        assert not [href for href in page.values("href") if "sign-in" in href]

    def test_the_public_gate_opens_for_public_repositories_only(self) -> None:
        gate = PublicGate()
        assert gate.may_read(REPOSITORY)
        assert not gate.may_read(PRIVATE)
        assert gate.readable() == frozenset()
        assert (gate.sign_in_path("/x"), gate.who()) == ("", "")


class TestHeaders:
    @pytest.mark.parametrize("path", [*PATHS, *NOT_THERE, BADGE, "/static/preflight.css"])
    def test_are_strict_everywhere(self, site: Site, path: str) -> None:
        headers = site.get(path).headers
        policy = dict(
            part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";")
        )
        assert policy.pop("default-src") == "'none'"
        assert {policy.pop(name) for name in ("frame-ancestors", "base-uri")} == {"'none'"}
        assert set(policy.values()) == {"'self'"}
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in headers

    @pytest.mark.parametrize("path", [*PATHS, *NOT_THERE])
    def test_let_nobody_keep_a_page(self, site: Site, path: str) -> None:
        assert site.get(path).headers["Cache-Control"] == "no-store"

    def test_leave_alone_what_is_stricter(self, site: Site) -> None:
        site = Site()
        site.app.add_url_rule("/file", view_func=lambda: ("x", {"Content-Security-Policy": "sandbox"}))
        assert site.get("/file").headers["Content-Security-Policy"] == "sandbox"


class TestStatic:
    def test_files_are_named_by_their_content_and_kept_for_ever(self, site: Site) -> None:
        page = site.page("/")
        found = [*(found["href"] for found in page.all("link")), *page.values("src")]
        names = {path.partition("?")[0].rpartition("/")[2] for path in found}
        assert names == {path.name for path in STATIC.iterdir()}
        for path in found:
            response = site.get(path)
            assert response.status_code == 200
            assert "immutable" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("query", ["", "?v=", "?v=of-another-version"])
    def test_other_versions_are_asked_for_again(self, site: Site, query: str) -> None:
        assert site.get(f"/static/preflight.js{query}").headers["Cache-Control"] == "no-cache"

    @pytest.mark.parametrize(
        "path", ["/static/", "/static/../site.py", "/static/%2e%2e/site.py", "/static/x"]
    )
    def test_nothing_else_is_served(self, site: Site, path: str) -> None:
        response = site.get(path)
        assert response.status_code == 404
        assert response.headers["Cache-Control"] == "no-store"

    def test_nothing_is_fetched_from_elsewhere(self) -> None:
        for path in STATIC.iterdir():
            assert not re.findall(r"(?:url\(|@import|https?://(?!www\.w3\.org/2000/svg))", path.read_text())


class TestRenewal:
    @pytest.mark.parametrize("path", PATHS)
    def test_what_is_the_same_costs_nothing(self, site: Site, path: str) -> None:
        first = site.get(path)
        again = site.get(path, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Content-Security-Policy"]

    def test_what_changed_is_sent(self, site: Site) -> None:
        path = f"/runs/{RUN_ID}"
        tag = site.get(path).headers["ETag"]
        site.store.add(active(failed()))
        assert site.get(path, If_None_Match=tag).status_code == 200

    @pytest.mark.parametrize("path", [*PATHS, *NOT_THERE, BADGE])
    def test_head_is_get_without_a_body(self, site: Site, path: str) -> None:
        got, head = site.get(path), site.client.head(path)
        assert head.status_code == got.status_code
        assert head.data == b""
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert head.headers.get("ETag") == got.headers.get("ETag")

    @pytest.mark.parametrize("path", [RUN, "/pr/acme/widgets/12", LOG])
    def test_a_slash_at_the_end_does_no_harm(self, site: Site, path: str) -> None:
        assert site.get(f"{path}/").data == site.get(path).data

    @pytest.mark.parametrize("path", ["/runs", "/runs/"])
    def test_the_list_is_found_where_people_look_for_it(self, site: Site, path: str) -> None:
        assert site.get(path).headers["Location"] == "/"

    @pytest.mark.parametrize("path", PATHS)
    def test_pages_can_only_be_read(self, site: Site, path: str) -> None:
        assert site.client.post(path).status_code == 405


@pytest.mark.parametrize(
    "run_id",
    [
        "F" * 32, RUN_ID.upper(), RUN_ID[:-1], RUN_ID + "0", "x" * 32, "..%2f..%2fetc%2fpasswd", "%00", "'",
        " " * 32, f"{RUN_ID}%0a", "٣" * 32, "%FF",
    ],
)  # fmt: skip
def test_an_odd_id_is_not_found(site: Site, run_id: str) -> None:
    assert site.get(f"/runs/{run_id}").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_while_the_database_is_down_a_page_says_so_without_details(site: Site, path: str) -> None:
    site.store.down = True
    response = site.get(path)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "10.0.0.7" not in response.text
    assert "Back in a moment" in response.text


class TestEverybodyCanUseThem:
    @pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
    def test_structure(self, site: Site, path: str) -> None:
        page = Page(site.get(path).text)
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        assert len(page.all("caption")) == len(page.all("table"))
        assert all("scope" in found for found in page.all("th"))
        assert all({"aria-hidden", "aria-label"} & set(found) for found in page.all("svg"))
        assert set(page.values("aria-labelledby")) <= set(ids)
        assert page.all("html")[0]["lang"] == "en"

    @pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
    def test_no_script_or_style_is_in_the_page(self, site: Site, path: str) -> None:
        page = Page(site.get(path).text)
        assert "style" not in page.names()
        (script,) = page.all("script")
        assert script["src"].startswith("/static/preflight.js?")
        names = {name for _, found in page.tags for name in found}
        assert "style" not in names
        assert not [name for name in names if name.startswith("on")]

    @pytest.mark.parametrize("path", PATHS)
    def test_the_script_finds_each_part_of_a_page_again(self, site: Site, path: str) -> None:
        parts = Parts(site.get(path).text)
        assert len(parts.ids) >= 2
        assert all(parts.ids)
        for found in site.page(path).all("details"):
            assert found["id"]
            assert ("open" in found) == (found.get("data-open") == "1")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_has_contrast(self, scheme: str) -> None:
        colours = _colours(scheme)
        grounds = ("paper", "panel", "hover")
        texts = ("ink", "quiet", "link", "passed", "failed", "running", "waiting", "stopped", "skipped")
        pairs = [(text, ground) for text in texts for ground in grounds]
        pairs += [(kind, f"{kind}-wash") for kind in ("passed", "failed", "running", "waiting")]
        pairs += [("ink", "mark"), ("ink", "running-wash"), ("quiet", "running-wash")]
        poor = [pair for pair in pairs if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5]
        assert poor == []
        assert _contrast("#ffffff", colours["button"]) >= 4.5
        assert _contrast(colours["focus"], colours["paper"]) >= 3


class Parts(HTMLParser):
    """The ids of what lies directly in a page's <main>; empty for a part without one."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open[-1:] == ["main"]:
            self.ids.append(dict(attrs).get("id") or "")
        if tag not in {"meta", "link", "input"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """It holds nothing."""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} ends what it did not begin"


def _colours(scheme: str) -> dict[str, str]:
    light, _, dark = (STATIC / "preflight.css").read_text().partition("prefers-color-scheme: dark")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light.partition("* {")[0]))
    if scheme == "dark":
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))
    return found


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
