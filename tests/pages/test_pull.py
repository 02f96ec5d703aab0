"""`/pr/OWNER/REPO/N`: a pull request's runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.claims import RunQuery
from bot.models import Outcome
from tests.examples import HEAD, REPOSITORY, run, sha
from tests.pages.showing import PRIVATE, Member, Site, active, listed

PATH = "/pr/acme/widgets/12"


@pytest.fixture
def site() -> Site:
    return Site()


def test_what_stands_now_is_each_context_s_newest_run_at_the_newest_head(site: Site) -> None:
    site.store.add(listed("old", head_sha=sha(5)))
    retried = site.store.add(listed("unit", outcome=Outcome.FAILURE))
    site.store.add(listed("docs"))
    newest = site.store.add(listed("unit"))
    site.store.add(listed("unit", outcome=Outcome.FAILURE, inputs={"gpu": 1}))
    site.store.add(listed("docs", outcome=Outcome.FAILURE, dryrun=True))
    page = site.page(PATH)
    now, _, rest = page.source.partition('id="heads"')
    assert newest.id in now
    assert retried.id not in now
    assert retried.id in rest
    assert "1 failed, 2 passed at 1a2b3c4" in page.text
    assert "old" not in now


def test_runs_are_grouped_by_head_the_newest_first(site: Site) -> None:
    for head in (sha(5), HEAD):
        site.store.add(listed("unit", head_sha=head))
    text = site.page(PATH).text
    assert text.index(HEAD[:12]) < text.index(sha(5)[:12])


def test_it_is_found_however_it_is_asked_for(site: Site) -> None:
    site.store.add(listed())
    assert site.page(f"{PATH}/").text == site.page(PATH).text
    assert site.store.asked[-1] == RunQuery("acme/widgets", 12, most=100)


def test_it_leads_to_github_and_to_the_repository_s_runs(site: Site) -> None:
    site.store.add(listed())
    hrefs = site.page(PATH).values("href")
    assert "https://github.example/acme/widgets/pull/12" in hrefs
    assert "/?repository=acme/widgets" in hrefs


def test_it_renews_itself_while_something_runs(site: Site) -> None:
    site.store.add(listed())
    assert "data-refresh" not in site.page(PATH).all("main")[0]
    site.store.add(active())
    assert site.page(PATH).all("main")[0]["data-refresh"] == "5"


def test_many_runs_are_on_further_pages(site: Site) -> None:
    for number in range(130):
        site.store.add(listed(f"p{number}"))
    first = site.page(PATH)
    (older,) = [found["href"] for found in first.all("a") if found.get("rel") == "next"]
    second = site.page(older)
    assert "p129" in first.text
    assert "p29" in second.text
    assert "p30" not in second.text
    assert "What stands now" not in second.text


@pytest.mark.parametrize(
    "path",
    [
        "/pr/acme/widgets/13", "/pr/acme/widgets/0", "/pr/acme/widgets/-7", "/pr/acme/widgets/012",
        "/pr/acme/widgets/x", "/pr/acme/widgets/" + "9" * 5_000, "/pr/acme/widgets/%D9%A3",
        "/pr/acme/widgets", "/pr/acme%252Fwidgets/12", "/pr/acme/widgets%00/12", "/pr/acme/widgets/12/x",
        "/pr/%FF/widgets/12",
        "/pr/acme/widgets/12?after=1",
    ],
)  # fmt: skip
def test_anything_else_is_not_there(site: Site, path: str) -> None:
    site.store.add(listed())
    assert site.get(path).status_code == 404


def test_a_branch_has_no_such_page(site: Site) -> None:
    site.store.add(replace(run(), number=-7, branch="main"))
    assert site.get("/pr/acme/widgets/-7").status_code == 404


def test_a_private_one_is_there_for_who_may_read_it() -> None:
    site = Site(gate=Member(frozenset({PRIVATE.id})))
    site.store.add(listed(repository=PRIVATE))
    site.store.add(listed(repository=replace(REPOSITORY, id=78, full_name="acme/other", private=True)))
    assert site.get("/pr/acme/secret/12").status_code == 200
    assert site.get("/pr/acme/other/12").status_code == 404
