"""`/`: the list of runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.claims import RunQuery
from bot.models import Outcome, Phase
from tests.examples import HEAD, at, branch, run
from tests.pages.showing import EVIL, PRIVATE, SECRET, TOKEN, Member, Site, ended, listed


@pytest.fixture
def site() -> Site:
    return Site()


class TestTheList:
    def test_shows_each_run_in_words_and_leads_to_it(self, site: Site) -> None:
        one = site.store.add(listed("e2e", inputs={"gpu": 2}, outcome=Outcome.TIMED_OUT))
        page = site.page("/")
        for expected in (
            "e2e (gpu=2)",
            "timed out",
            "acme/widgets #12",
            HEAD[:7],
            "alice",
            "1 min ago",
            "1m",
        ):
            assert expected in page.text, expected
        hrefs = page.values("href")
        assert f"/runs/{one.id}" in hrefs
        assert "/pr/acme/widgets/12" in hrefs
        assert f'datetime="{at(0).isoformat(timespec="seconds")}"' in page.source

    def test_says_that_nobody_is_at_work(self, site: Site) -> None:
        site.store.add(listed("e2e"))
        assert "No worker" not in site.page("/").text
        site.store.quiet_since = at(0)
        said = (
            "No worker has been at work since 2026-03-04 12:00:00 UTC: what is asked for waits until one is."
        )
        assert said in site.page("/").text

    def test_begins_with_the_newest(self, site: Site) -> None:
        for name in ("one", "two", "three"):
            site.store.add(listed(name))
        text = site.page("/").text
        assert text.index("three") < text.index("two") < text.index("one ")

    def test_of_a_branch_leads_to_the_branch_s_runs(self, site: Site) -> None:
        pushed = branch("release/1 x")
        site.store.add(listed(number=pushed.number, branch=pushed.name, base_ref=pushed.name))
        page = site.page("/")
        assert "release/1 x" in page.text
        assert str(pushed.number) not in page.source
        (link,) = [href for href in page.values("href") if "branch=" in href]
        assert "No run" not in site.page(link).text

    def test_tells_dry_runs_apart(self, site: Site) -> None:
        site.store.add(listed(dryrun=True))
        text = site.page("/").text
        assert "dry run" in text
        assert "printed" in text
        assert "passed 1" not in text

    @pytest.mark.parametrize("phase", [Phase.WANTED, Phase.RESUMING, Phase.ACTIVE])
    def test_shows_what_goes_on(self, site: Site, phase: Phase) -> None:
        site.store.add(replace(run(), phase=phase))
        assert any(word in site.page("/").text for word in ("waiting", "resuming", "running"))

    def test_may_be_empty(self, site: Site) -> None:
        assert "There is no run yet" in site.page("/").text
        assert "No run matches" in site.page("/?author=nobody").text

    def test_renews_itself_but_for_older_pages(self, site: Site) -> None:
        assert site.page("/").all("main")[0]["data-refresh"] == "10"
        assert "data-refresh" not in site.page("/?after=5").all("main")[0]


class TestFilters:
    def test_go_to_the_store_and_stay_in_the_form(self, site: Site) -> None:
        page = site.page(
            "/?repository=acme/widgets&pull=12&pipeline=unit&branch=main&state=failure&author=alice"
        )
        assert site.store.asked == [
            RunQuery("acme/widgets", 12, "unit", "main", "failure", "alice", None, 50, frozenset())
        ]
        values = {found.get("name"): found.get("value") for found in page.all("input")}
        assert values == {
            "repository": "acme/widgets",
            "pull": "12",
            "pipeline": "unit",
            "branch": "main",
            "author": "alice",
        }
        assert [found["value"] for found in page.all("option") if "selected" in found] == ["failure"]

    def test_are_a_form_whose_fields_all_have_labels(self, site: Site) -> None:
        page = site.page("/")
        (form,) = page.all("form")
        assert (form["method"], form["action"]) == ("get", "/")
        fields = {found["id"] for found in (*page.all("input"), *page.all("select"))}
        assert {found["for"] for found in page.all("label")} == fields

    def test_that_can_match_nothing_say_so_and_ask_nobody(self, site: Site) -> None:
        assert "“twelve” is not a pull request's number." in site.page("/?pull=twelve").text
        assert site.store.asked == []

    def test_an_older_page_keeps_them(self, site: Site) -> None:
        for number in range(120):
            site.store.add(listed(f"p{number}", actor="alice" if number % 2 else "bob"))
        first = site.page("/?author=alice")
        (older,) = [found["href"] for found in first.all("a") if found.get("rel") == "next"]
        second = site.page(older)
        assert "p119" in first.text
        assert "p21" in first.text
        assert "p19" in second.text
        assert "p21" not in second.text
        assert "p18" not in second.text
        assert not [found for found in second.all("a") if found.get("rel") == "next"]
        assert [found["href"] for found in second.all("a") if found.get("rel") == "first"] == [
            "/?author=alice"
        ]

    @pytest.mark.parametrize(
        "query",
        [
            "?after=" + "9" * 400,
            "?pull=%00",
            "?state=%F0%9F",
            "?repository=%FF%FE",
            "?author=" + "x" * 9_000,
            "?a=1&a=2",
        ],
        ids=["huge", "NUL", "broken UTF-8", "no UTF-8", "long", "twice"],
    )
    def test_anything_odd_still_is_a_page(self, site: Site, query: str) -> None:
        assert site.get(f"/{query}").status_code == 200


class TestPrivacy:
    def test_private_runs_are_not_listed(self, site: Site) -> None:
        site.store.add(listed("secret-tests", repository=PRIVATE))
        assert "secret-tests" not in site.page("/").source

    def test_not_even_if_the_store_lists_them(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.store.add(listed("secret-tests", repository=PRIVATE))
        monkeypatch.setattr("tests.pages.showing._matches", lambda *_: True)
        assert "secret-tests" not in site.page("/").source

    def test_but_for_who_may_read_them(self) -> None:
        site = Site(gate=Member(frozenset({PRIVATE.id})))
        site.store.add(listed("secret-tests", repository=PRIVATE))
        text = site.page("/").text
        assert "secret-tests" in text
        assert "private" in text


def test_strangers_text_is_only_text(site: Site) -> None:
    site.store.add(
        ended(
            pipeline=EVIL,
            actor=f"{EVIL} {TOKEN} {SECRET}",
            branch=EVIL,
            number=-5,
            base_ref="x",
            repository=replace(PRIVATE, private=False, full_name=f"a/{EVIL}"),
        )
    )
    page = site.page("/")
    assert page.names() & {"img", "iframe"} == set()
    assert [found["src"].partition("?")[0] for found in page.all("script")] == ["/static/preflight.js"]
    assert "49" not in page.text
    for secret in (TOKEN, SECRET, "\u202e"):
        assert secret not in page.source
