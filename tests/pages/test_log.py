"""`/runs/ID/log/STEP`: a step's whole log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import AirflowUnavailable
from bot.models import LogLine, StepState
from bot.pages.logs import DOWN
from tests.pages.showing import (
    EVIL,
    RUN_ID,
    SECRET,
    TOKEN,
    Member,
    Site,
    active,
    ended,
    failed,
    listed,
    step,
)

PATH = f"/runs/{RUN_ID}/log/lint"


@pytest.fixture
def site() -> Site:
    site = Site()
    site.store.add(ended(step("lint", StepState.FAILED)))
    site.airflow.lines = [f"line {number}" for number in range(1, 11)]
    return site


class TestLines:
    def test_have_numbers_and_anchors(self, site: Site) -> None:
        page = site.page(PATH)
        assert "line 7" in page.text
        assert "L7" in page.values("id")
        assert "#L7" in page.values("href")
        assert page.values("data-number") == [str(number) for number in range(1, 11)]

    def test_of_a_long_log_come_in_parts_the_last_first(self, site: Site) -> None:
        site.airflow.lines = [f"line {number}." for number in range(1, 2_301)]
        last = site.page(PATH)
        assert "line 2300." in last.text
        assert "line 1300." not in last.text
        assert f"{PATH}?from=301" in last.values("href")
        middle = site.page(f"{PATH}?from=301")
        assert "line 301." in middle.text
        assert "line 1301." not in middle.text
        assert {f"{PATH}?from=1", f"{PATH}?from=1301"} <= set(middle.values("href"))

    @pytest.mark.parametrize("start", ["0", "-4", "99999999999999", "x", "%00", "٣", ""])
    def test_from_anywhere_are_a_page(self, site: Site, start: str) -> None:
        assert site.get(f"{PATH}?from={start}").status_code == 200

    def test_can_come_with_airflow_s_remarks(self, site: Site) -> None:
        site.airflow.lines = [LogLine("Task started", "airflow.task"), "line 1"]
        page = site.page(PATH)
        assert "Task started" not in page.text
        assert f"{PATH}?remarks=1" in page.values("href")
        assert "Task started" in site.page(f"{PATH}?remarks=1").text

    def test_of_a_mapped_step_are_its_own(self, site: Site) -> None:
        site.store.add(ended(failed("lint", index=0), failed("test", index=1)))
        assert (
            "test"
            in site.page(f"/runs/{RUN_ID}/log/run~1").all("main")[0]["data-state"]
            + site.page(f"/runs/{RUN_ID}/log/run~1").text
        )
        assert site.get(f"/runs/{RUN_ID}/log/run~2").status_code == 404
        assert site.get(f"/runs/{RUN_ID}/log/run").status_code == 404

    def test_may_be_none(self, site: Site) -> None:
        site.airflow.lines = []
        assert "Nothing was printed." in site.page(PATH).text

    def test_are_what_was_kept_while_airflow_is_down(self, site: Site) -> None:
        site.store.add(ended(failed()))
        site.airflow.error = AirflowUnavailable("10.0.0.8 is down")
        page = site.page(f"/runs/{RUN_ID}/log/run~0")
        assert DOWN in page.text
        assert "E501 Line too long" in page.text
        assert "10.0.0.8" not in page.source
        assert page.values("data-number") == []


class TestSearch:
    def test_shows_matching_lines_with_some_around(self, site: Site) -> None:
        page = site.page(f"{PATH}?q=LINE+5")
        assert page.all("mark")
        assert "1 line holds “LINE 5”" in page.text
        assert page.values("data-number") == ["3", "4", "5", "6", "7"]

    def test_leads_from_a_line_to_its_place(self, site: Site) -> None:
        page = site.page(f"{PATH}?q=line+5")
        assert f"{PATH}?from=1#L5" in page.values("href")
        assert page.values("id").count("L5") == 0

    def test_may_find_nothing(self, site: Site) -> None:
        assert "0 lines hold “zzz”" in site.page(f"{PATH}?q=zzz").text

    def test_is_a_form_that_works_alone(self, site: Site) -> None:
        page = site.page(f"{PATH}?remarks=1&q=x")
        (form,) = page.all("form")
        assert (form["method"], form["action"], form["role"]) == ("get", PATH, "search")
        assert [(found["name"], found["value"]) for found in page.all("input")] == [
            ("q", "x"),
            ("remarks", "1"),
        ]
        assert "q" in page.values("for")

    @pytest.mark.parametrize("wanted", ["(", "%00", "%0a", "a" * 5_000, "%FF", "%E2%80%AE"])
    def test_for_anything_is_a_page(self, site: Site, wanted: str) -> None:
        assert site.get(f"{PATH}?q={wanted}").status_code == 200

    def test_in_lines_that_were_kept(self, site: Site) -> None:
        site.store.add(ended(failed()))
        site.airflow.error = AirflowUnavailable("down")
        assert "1 line holds" in site.page(f"/runs/{RUN_ID}/log/run~0?q=e501").text


class TestLive:
    @pytest.mark.parametrize(
        ("query", "live"), [("", True), ("?from=1", False), ("?q=line", False), ("?remarks=1", True)]
    )
    def test_a_running_step_s_log_grows(self, site: Site, query: str, *, live: bool) -> None:
        site.store.add(active(step("lint", StepState.RUNNING)))
        (main,) = site.page(PATH + query).all("main")
        assert main["data-refresh"] == "3"
        assert ("data-live" in main) is live

    def test_a_finished_one_s_does_not(self, site: Site) -> None:
        (main,) = site.page(PATH).all("main")
        assert "data-refresh" not in main
        assert "data-live" not in main

    def test_viewers_share_what_is_read(self, site: Site) -> None:
        site.store.add(active(step("lint", StepState.RUNNING)))
        for _ in range(5):
            site.page(PATH)
        assert site.airflow.reads == 1


class TestHostile:
    def test_lines_are_only_text(self, site: Site) -> None:
        site.store.add(ended(step("lint", name=EVIL)))
        site.airflow.lines = [EVIL, f"\x1b[31m{TOKEN}\x1b[0m", SECRET]
        for query in (
            "",
            "?q=" + EVIL.replace("%", "%25").replace("+", "%2B").replace("#", "%23"),
            "?q=script",
        ):
            page = site.page(PATH + query)
            assert len(page.all("script")) == 1
            assert not page.all("img")
            assert "49" not in page.text
            for unseen in (TOKEN, SECRET, "\x1b", "\u202e"):
                assert unseen not in page.source

    def test_of_a_private_run_there_is_none(self, site: Site) -> None:
        private = replace(listed().repository, id=77, private=True)
        site.store.add(ended(step("lint"), repository=private))
        missing = site.get(f"/runs/{'f' * 32}/log/lint")
        hidden = site.get(PATH)
        assert (hidden.status_code, hidden.data) == (404, missing.data)
        assert site.airflow.reads == 0
        member = Site(store=site.store, airflow=site.airflow, gate=Member(frozenset({77})))
        assert "line 1" in member.page(PATH).text

    @pytest.mark.parametrize("name", ["nope", "..", "%2e%2e%2f", "lint/x", "lint~0", "%00", "LINT"])
    def test_of_another_step_there_is_none(self, site: Site, name: str) -> None:
        assert site.get(f"/runs/{RUN_ID}/log/{name}").status_code == 404

    def test_a_step_may_be_called_anything(self, site: Site) -> None:
        odd = "a b/c?d#e~%"
        site.store.add(ended(step("x", task_id=odd, name=odd)))
        (link,) = [href for href in site.page(f"/runs/{RUN_ID}").values("href") if "/log/" in href]
        assert "line 3" in site.page(link).text
