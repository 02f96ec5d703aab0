"""`/runs/ID`: one run, plain and readable, whatever strangers wrote into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowRefused, AirflowUnavailable
from bot.models import (
    ARTIFACTS_PATH,
    Artifact,
    Audit,
    FlakyTest,
    Outcome,
    Past,
    Phase,
    Rules,
    Run,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
)
from tests.examples import HEAD, REPOSITORY, TIP, at, branch, run
from tests.pages.showing import (
    EVIL,
    RUN_ID,
    SECRET,
    TOKEN,
    Artifacts,
    Page,
    Site,
    active,
    ended,
    failed,
    step,
)

if TYPE_CHECKING:
    from bot.models import Branch


@pytest.fixture
def site() -> Site:
    return Site()


class TestThePage:
    def test_says_all_about_the_run(self, site: Site) -> None:
        result = StepResult(1, "exit 1 after 42s", "git clone x && ruff check .", "/bin/ruff check .")
        site.airflow.lines = ["checking", "E501 Line too long"]
        page = site.show(ended(step("clone"), failed(result=result)))
        for expected in (
            "unit", "acme/widgets #12", HEAD[:12], TIP[:12], "main", "checks", "alice", "clone", "succeeded",
            "lint failed: exit 1 after 42s", "lint", "failed", "42s", "git clone x && ruff check .",
            "/bin/ruff check .", "checking E501 Line too long", "try 2",
        ):  # fmt: skip
            assert expected in page.text, expected
        assert {HEAD, TIP} <= set(page.values("title"))

    def test_leads_to_the_pull_request_its_other_runs_and_airflow(self, site: Site) -> None:
        assert {
            "https://github.example/acme/widgets/pull/12",
            f"https://github.example/acme/widgets/commit/{HEAD}",
            "https://airflow.example/dags/checks/runs/preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~2",
            "/pr/acme/widgets/12",
            "/?repository=acme/widgets",
        } <= set(site.show(ended()).values("href"))

    def test_has_an_anchor_for_each_step_that_statuses_link_to(self, site: Site) -> None:
        page = site.show(ended(failed("lint", index=0), failed("test", index=1), step("clone")))
        assert [found["id"] for found in page.all("details")] == ["step-run-0", "step-run-1", "step-clone"]
        assert {"#step-run-0", "#step-run-1", "#step-clone"} <= set(page.values("href"))

    def test_unfolds_what_failed_and_what_is_running(self, site: Site) -> None:
        states = (StepState.SUCCEEDED, StepState.FAILED, StepState.RUNNING, StepState.WAITING)
        page = site.show(active(*(step(state.value, state) for state in states)))
        opened = [found["id"] for found in page.all("details") if "open" in found]
        assert opened == ["step-failed", "step-running"]

    def test_shows_the_steps_as_bars_on_one_scale(self, site: Site) -> None:
        page = site.show(ended(step("clone"), failed(), step("wait", StepState.BLOCKED, started_at=None)))
        bars = [found for found in page.all("rect") if "x" in found]
        assert [(bar["x"], bar["width"]) for bar in bars] == [("0", "71"), ("0", "1000")]
        assert "ended after 42s" in page.values("aria-label")

    @pytest.mark.parametrize(
        "one",
        [
            run(run_id=RUN_ID),
            replace(run(run_id=RUN_ID), phase=Phase.ACTIVE, dag_run_id="preflight~x"),
            replace(run(run_id=RUN_ID), phase=Phase.RESUMING, dag_run_id="preflight~x"),
        ],
        ids=["wanted", "active", "resuming"],
    )
    def test_is_there_before_the_first_step_and_renews_itself(self, site: Site, one: Run) -> None:
        page = site.show(one)
        assert page.all("main")[0]["data-refresh"] == "5"
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.source
        assert "No step has begun yet." in page.text

    def test_of_a_run_that_is_over_does_not(self, site: Site) -> None:
        page = site.show(ended())
        assert "data-refresh" not in page.all("main")[0]
        assert "noscript" not in page.names()

    @pytest.mark.parametrize("state", StepState, ids=lambda state: state.value)
    def test_shows_every_state(self, site: Site, state: StepState) -> None:
        assert state.value in site.show(ended(step("t", state))).text

    @pytest.mark.parametrize(
        ("outcome", "word"),
        [
            (Outcome.SUCCESS, "passed"),
            (Outcome.FAILURE, "failed"),
            (Outcome.ERROR, "error"),
            (Outcome.CANCELLED, "cancelled"),
            (Outcome.TIMED_OUT, "timed out"),
        ],
    )
    def test_shows_every_outcome(self, site: Site, outcome: Outcome, word: str) -> None:
        page = site.show(ended(outcome=outcome))
        assert page.all("main")[0]["data-state"] == word
        assert f"unit {word} · acme/widgets #12 · Preflight" in page.text

    @pytest.mark.parametrize(
        ("subject", "said"),
        [
            (branch("release/1"), "acme/widgets, branch release/1"),
            (
                branch("gh-readonly-queue/main/pr-12-x", merge_group=True),
                "acme/widgets, merge group gh-readonly",
            ),
        ],
        ids=["pushed", "merge group"],
    )
    def test_of_a_branch_leads_to_its_commit(self, site: Site, subject: Branch, said: str) -> None:
        base = "main" if subject.merge_group else subject.name
        page = site.show(ended(number=subject.number, branch=subject.name, base_ref=base))
        assert said in page.text
        assert str(subject.number) not in page.source
        assert "/pull/" not in page.source
        assert f"https://github.example/acme/widgets/commit/{HEAD}" in page.values("href")

    def test_says_what_was_asked_for(self, site: Site) -> None:
        rules = Rules(timeout=1800, optional=True, needs=("unit", "docs"))
        text = site.show(
            ended(pipeline="e2e", inputs={"gpu": 2, "fast": True}, rules=rules, resumed_at=at(30))
        ).text
        for expected in (
            "e2e (fast=true, gpu=2)", "fast=true", "gpu=2", "30m", "docs", "not held against", "Resumed",
            "2026-03-04 12:00:30 UTC",
        ):  # fmt: skip
            assert expected in text, expected

    def test_says_nothing_of_what_was_not(self, site: Site) -> None:
        text = site.show(ended()).text
        for unexpected in (
            "Inputs",
            "Resumed",
            "Needs",
            "Optional",
            "DRY RUN",
            "Tests",
            "Artifacts",
        ):
            assert unexpected not in text

    def test_says_how_long_it_usually_takes(self, site: Site) -> None:
        site.store.pasts[RUN_ID] = Past(usual=300)
        assert "Took 1m (usually 5m)" in site.show(ended()).text
        assert "about 4 min left" in site.show(active(step("test", StepState.RUNNING))).text


class TestTests:
    def results(self, **changed: object) -> TestResults:
        one = TestResults(
            128,
            2,
            4,
            41.2,
            (
                TestFailure(
                    "tests/test_a.py::test_add", "assert 41 == 42\nwhere", "tests/test_a.py", 12, 1.5
                ),
                TestFailure("com.acme.AppTest.adds"),
            ),
        )
        return replace(one, **changed)  # type: ignore[arg-type]  # names are the test's

    def show(self, site: Site, results: TestResults) -> Page:
        return site.show(ended(failed("test", result=StepResult(1, "exit 1", tests=results))))

    def test_are_counted_and_failures_shown_with_message_and_place(self, site: Site) -> None:
        page = self.show(site, self.results())
        for expected in (
            "2 failed, 122 passed, 4 skipped", "tests/test_a.py::test_add", "assert 41 == 42",
            "tests/test_a.py:12", "com.acme.AppTest.adds", "41s",
        ):  # fmt: skip
            assert expected in page.text, expected
        assert f"https://github.example/acme/widgets/blob/{HEAD}/tests/test_a.py#L12" in page.values("href")

    def test_that_are_not_named_are_counted(self, site: Site) -> None:
        assert (
            "… and 9,998 more that failed" in self.show(site, self.results(total=20_000, failed=10_000)).text
        )

    def test_may_be_flaky_within_their_step_or_among_runs(self, site: Site) -> None:
        site.store.pasts[RUN_ID] = Past(flaky=(FlakyTest("test", "test_net", 3, 50),))
        text = self.show(site, self.results(flaky=("test_retry",))).text
        assert "test_net (step test): failed in 3 of its last 50 runs" in text
        assert "test_retry" in text

    def test_that_could_not_be_read_are_a_note(self, site: Site) -> None:
        text = self.show(site, TestResults(notes=("junit.xml is not well-formed",))).text
        assert "junit.xml is not well-formed" in text
        assert "no tests" in text

    @pytest.mark.parametrize("file", ["/etc/x", "../x", "a/../b", "javascript:alert(1)", "a\\b", "//evil"])
    def test_only_files_of_the_repository_are_linked(self, site: Site, file: str) -> None:
        page = self.show(site, self.results(failures=(TestFailure("t", "", file, 3),)))
        assert f"{file}:3" in page.text
        assert "/blob/" not in page.source


class TestArtifacts:
    def site(self, *files: Artifact) -> Site:
        return Site(artifacts=Artifacts(list(files)))

    def stored(self, **changed: object) -> Run:
        return ended(conf={ARTIFACTS_PATH: "pr-logs/pull/acme_widgets/12/unit/x"}, **changed)

    def test_are_listed_with_their_sizes(self) -> None:
        site = self.site(Artifact("build-log.txt", 1_234_567), Artifact("artifacts/lint/a b?.xml", 812))
        page = site.show(self.stored())
        assert "1.2 MB" in page.text
        assert "812 B" in page.text
        assert {
            f"/runs/{RUN_ID}/artifacts/build-log.txt",
            f"/runs/{RUN_ID}/artifacts/artifacts/lint/a%20b%3F.xml",
        } <= set(page.values("href"))
        assert site.artifacts is not None
        assert site.artifacts.folders == ["pr-logs/pull/acme_widgets/12/unit/x"]
        assert "artifacts" in page.values("id")

    def test_of_many_the_first_are_listed(self) -> None:
        page = self.site(*(Artifact(f"{number:03}.txt", 1) for number in range(300))).show(self.stored())
        assert "199.txt" in page.text
        assert "200.txt" not in page.text
        assert "There are more" in page.text

    def test_that_were_not_kept_are_told(self) -> None:
        dropped = failed("test", result=StepResult(1, dropped="3 files, 120 MB: over the limit"))
        assert (
            "Not kept of test: 3 files, 120 MB: over the limit"
            in self.site().show(self.stored(steps=(dropped,))).text
        )

    def test_that_can_not_be_listed_leave_the_rest_of_the_page(self) -> None:
        site = Site(artifacts=Artifacts(down=True))
        text = site.show(self.stored()).text
        assert "The list of artifacts can't be read right now" in text
        assert "bucket" not in text

    @pytest.mark.parametrize("conf", [{}, {ARTIFACTS_PATH: ""}, {ARTIFACTS_PATH: 5}])
    def test_without_a_folder_are_none(self, conf: dict[str, object]) -> None:
        assert "Artifacts" not in self.site(Artifact("x", 1)).show(ended(conf=conf)).text

    def test_of_a_run_that_left_none_so_far_are_not_asked_for(self) -> None:
        site = self.site(Artifact("x", 1))
        conf = {ARTIFACTS_PATH: "x"}
        assert "Artifacts" not in site.show(active(step("t", StepState.RUNNING), conf=conf)).text
        left = step("t", result=StepResult(0, artifacts=1))
        assert "Artifacts" in site.show(active(left, conf=conf)).text


class TestADryRun:
    def printed(self, **changed: object) -> Run:
        steps = (
            step("clone", result=StepResult(argv="git clone x")),
            step("wait", result=StepResult()),
        )
        return ended(*steps, **{"dryrun": True, "outcome": Outcome.SUCCESS, "reason": ""} | changed)

    def test_is_called_so_and_shows_the_commands(self, site: Site) -> None:
        page = site.show(self.printed())
        for expected in ("DRY RUN", "Nothing was run.", "would run", "git clone x", "no command", "printed"):
            assert expected in page.text, expected
        for unexpected in ("passed", "succeeded", "Whole log"):
            assert unexpected not in page.text, unexpected
        assert [found["id"] for found in page.all("details") if "open" in found] == ["step-clone"]
        assert site.airflow.reads == 0

    def test_that_goes_on_is_called_so_too(self, site: Site) -> None:
        text = site.show(self.printed(outcome=None, phase=Phase.ACTIVE)).text
        assert "DRY RUN" in text
        assert "Nothing is run" in text

    def test_that_failed_says_why(self, site: Site) -> None:
        reason = "list failed: no file .preflight/checks.yaml"
        text = site.show(self.printed(outcome=Outcome.FAILURE, reason=reason)).text
        assert "DRY RUN" in text
        assert reason in text

    def test_shows_a_command_as_it_is_but_for_what_deceives(self, site: Site) -> None:
        argv = f"git clone https://x:{TOKEN}@h.example {SECRET} \u202egpj <b>"
        page = site.show(ended(step("clone", result=StepResult(argv=argv)), dryrun=True))
        assert TOKEN not in page.source
        assert SECRET not in page.source
        assert "&lt;U+202E&gt;gpj &lt;b&gt;" in page.source


class TestDecisions:
    def audit(self, **changed: str) -> Audit:
        said = {
            "actor": "alice",
            "kind": "run",
            "reason": "/test unit",
            "what": "start unit",
            "head_sha": HEAD,
        }
        return Audit(**said | changed, decided_at=at(5))

    def test_say_when_who_what_and_why(self, site: Site) -> None:
        site.store.decided = [
            self.audit(actor="bob", kind="run", reason="approved", what="approve 1a2b3c4d5e6f"),
            self.audit(actor="mallory", kind="wait", reason="mallory has no write access", what=""),
        ]
        text = site.show(ended()).text
        for expected in (
            "2026-03-04 12:00:05 UTC", "bob", "approve 1a2b3c4d5e6f", "approved", "mallory", "wait",
            "mallory has no write access",
        ):  # fmt: skip
            assert expected in text, expected

    def test_may_be_unknown(self, site: Site) -> None:
        assert "None is known." in site.show(ended()).text


class TestHostile:
    @pytest.mark.parametrize(
        "changed",
        [{}, {"dryrun": True}, {"number": -7, "branch": EVIL}, {"number": -7, "branch": "x"}],
        ids=["a run", "a dry run", "of a branch", "of a merge group"],
    )
    def test_text_is_only_text(self, changed: dict[str, object]) -> None:
        site = Site(artifacts=Artifacts([Artifact(EVIL, 1)]))
        evil = f"{EVIL} {TOKEN} {SECRET}"
        tests = TestResults(9, 1, 0, 1, (TestFailure(evil, f"{evil}\n{evil}", evil, 3),), (evil,), (evil,))
        evil_step = Step(
            EVIL, 0, evil, StepState.FAILED, 1, at(0), at(1),
            StepResult(1, evil, evil, evil, tests, 3, evil), (evil,),
        )  # fmt: skip
        site.airflow.lines = [evil, "\x1b[31mred\x1b[0m"]
        site.store.pasts[RUN_ID] = Past(flaky=(FlakyTest(evil, evil, 1, 2),))
        site.store.decided = [
            Audit(evil, evil, evil, evil, evil, at(1)),
            Audit(evil, evil, evil, "", "", at(1)),
        ]
        page = site.show(
            ended(
                evil_step,
                pipeline=EVIL,
                reason=evil,
                actor=evil,
                base_ref=evil,
                dag_id=EVIL,
                dag_run_id=EVIL,
                conf={"PULL_BASE_SHA": evil, ARTIFACTS_PATH: "x"},
                repository=replace(REPOSITORY, full_name=f"a/{EVIL}"),
                inputs={EVIL: evil},
                rules=Rules(needs=(evil,)),
                **changed,
            )
        )
        assert not {"img", "iframe", "object"} & page.names()
        assert len(page.all("script")) == 1
        assert not [name for _, found in page.tags for name in found if name.startswith("on")]
        assert "alert(1)" in page.text
        assert "49" not in page.text
        for unseen in ("\x1b", TOKEN, SECRET, "\u202e"):
            assert unseen not in page.source
        for value in (*page.values("href"), *page.values("src")):
            assert value.startswith(("https://", "/", "#")), value
            assert not value.startswith("//")

    def test_many_steps_with_long_logs_are_a_page_of_bounded_size(self, site: Site) -> None:
        site.airflow.lines = [f"line {number} " + "x" * 5_000 for number in range(1_000)]
        page = site.show(ended(*(failed(f"s{index}", index=index) for index in range(300))))
        assert "line 999 " in page.text
        assert "line 5 " not in page.text
        assert site.airflow.reads <= 8
        assert len(page.source) < 2_000_000


class TestLogs:
    @pytest.mark.parametrize(
        "error", [AirflowUnavailable("down"), AirflowRefused("gone")], ids=["down", "gone"]
    )
    def test_that_can_not_be_read_leave_what_was_kept(self, site: Site, error: Exception) -> None:
        site.airflow.error = error
        text = site.show(ended(failed())).text
        assert text.count("E501 Line too long") == 1
        assert "Airflow" in text

    def test_of_what_failed_are_read_first(self, site: Site) -> None:
        site.airflow.lines = ["x"]
        steps = [step(f"s{index}") for index in range(20)]
        page = site.show(ended(*steps, failed("lint", excerpt=None)))
        assert site.airflow.reads == 8
        assert "Log x" in Page(page.source.partition('id="step-run-0"')[2]).text

    def test_are_a_click_away(self, site: Site) -> None:
        page = site.show(ended(failed(), step("clone"), step("deploy", StepState.BLOCKED, try_number=0)))
        links = [href for href in page.values("href") if "/log/" in href]
        assert links == [f"/runs/{RUN_ID}/log/run~0", f"/runs/{RUN_ID}/log/clone"]

    def test_of_finished_steps_are_read_once(self, site: Site) -> None:
        site.airflow.lines = ["x"]
        for _ in range(3):
            site.show(ended(failed()))
        assert site.airflow.reads == 1
