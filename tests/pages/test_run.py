"""`/runs/ID`: one run, plain and readable, whatever strangers wrote into it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.errors import AirflowRefused, AirflowUnavailable, StoreUnavailable
from bot.models import Audit, LogLine, Outcome, Phase, Rules, Run, RunRef, Step, StepResult, StepState
from bot.pages import run as run_pages
from bot.pages.logs import LogReader
from tests.examples import HEAD, REPOSITORY, TIP, at, branch, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from werkzeug.test import TestResponse

    from bot.models import Branch, DagRun

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}"
RUN_ID = "0123456789abcdef" * 2


@dataclass
class Airflow:
    """Keeps the logs."""

    lines: list[str] = field(default_factory=list)
    error: Exception | None = None
    reads: int = 0

    def look(self, refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        raise AssertionError(f"the worker follows runs, a page does not: {refs}")

    def xcom(self, ref: RunRef, step: Step, key: str) -> object | None:
        raise AssertionError(f"the worker reads XComs, a page does not: {ref} {step} {key}")

    def log(self, ref: RunRef, step: Step) -> Iterator[LogLine]:
        assert ref.dag_run_id
        assert step.try_number
        self.reads += 1
        if self.error is not None:
            raise self.error
        yield from map(LogLine, self.lines)


@dataclass
class Site:
    """The web process's public side."""

    runs: dict[str, Run] = field(default_factory=dict)
    decided: list[Audit] = field(default_factory=list)
    airflow: Airflow = field(default_factory=Airflow)
    down: bool = False

    def __post_init__(self) -> None:
        app = Flask("bot.pages", static_folder=None)
        app.register_blueprint(
            run_pages.blueprint(
                self,
                LogReader(self.airflow, ["our-own-secret"]),
                lambda: at(90),
                github_url="https://github.example",
                airflow_url="https://airflow.example",
            )
        )
        self.client = app.test_client()

    def run(self, run_id: str) -> Run | None:
        if self.down:
            raise StoreUnavailable("the database does not answer: 10.0.0.7")
        return self.runs.get(run_id)

    def audits(self, run: Run) -> Sequence[Audit]:
        assert run.id in self.runs
        return self.decided

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        return {}

    def check(self) -> None:
        return None

    def show(self, one: Run) -> str:
        self.runs[one.id] = one
        response = self.client.get(f"/runs/{one.id}")
        assert response.status_code == 200
        return response.text


def ended(*steps: Step, **changed: object) -> Run:
    one = replace(
        run(run_id=RUN_ID, attempt=2),
        phase=Phase.FINISHED,
        outcome=Outcome.FAILURE,
        reason="lint failed: exit 1 after 42s",
        dag_run_id="preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~2",
        steps=steps,
        started_at=at(0),
        finished_at=at(60),
    )
    return replace(one, **changed)  # type: ignore[arg-type]  # names are the test's


def failed(name: str = "lint", *, index: int = 0, tries: int = 2, result: StepResult | None = None) -> Step:
    return Step("run", index, name, StepState.FAILED, tries, at(0), at(42), result, ("E501 Line too long",))


class Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def site() -> Site:
    return Site()


class TestThePage:
    def test_says_all_about_the_run(self, site: Site) -> None:
        result = StepResult(1, "exit 1 after 42s", "git clone x && ruff check .", "/bin/ruff check .")
        site.airflow.lines = ["checking", "E501 Line too long"]
        page = site.show(
            ended(Step("clone", -1, "clone", StepState.SUCCEEDED, 1, at(0), at(3)), failed(result=result))
        )
        text = html.unescape(page)
        for expected in (
            "unit", "acme/widgets #12", HEAD, TIP, "main", "checks", "alice", "lint failed: exit 1 after 42s",
            "clone", "succeeded", "lint", "failed", "42s", "git clone x && ruff check .", "/bin/ruff check .",
            "checking\nE501 Line too long",
        ):  # fmt: skip
            assert expected in text, expected

    def test_counts_tries(self, site: Site) -> None:
        assert re.search(r"<td>7</td>", site.show(ended(failed(tries=7))))

    def test_links_to_the_pull_request_and_to_airflow(self, site: Site) -> None:
        attributes = Tags(site.show(ended())).attributes
        assert ("href", "https://github.example/acme/widgets/pull/12") in attributes
        link = "https://airflow.example/dags/checks/runs/preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~2"
        assert ("href", link) in attributes

    def test_has_an_anchor_for_each_step_that_statuses_link_to(self, site: Site) -> None:
        attributes = Tags(site.show(ended(failed("lint", index=0), failed("test", index=1)))).attributes
        anchors = {value for name, value in attributes if name == "id"}
        links = {value for name, value in attributes if name == "href" and value and value.startswith("#")}
        assert len(links) == 2
        assert {link[1:] for link in links if link} <= anchors

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
        assert "refresh" in site.show(one)

    def test_of_a_run_that_is_over_does_not(self, site: Site) -> None:
        assert 'http-equiv="refresh"' not in site.show(ended())

    @pytest.mark.parametrize("state", StepState, ids=lambda state: state.value)
    def test_shows_every_state(self, site: Site, state: StepState) -> None:
        page = site.show(ended(Step("t", -1, "t", state, 1, at(0))))
        assert state.value in page

    @pytest.mark.parametrize("outcome", Outcome, ids=lambda outcome: outcome.value)
    def test_shows_every_outcome(self, site: Site, outcome: Outcome) -> None:
        assert site.show(ended(outcome=outcome))

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
        assert said in page
        assert str(subject.number) not in page
        assert "/pull/" not in page
        assert ("href", f"https://github.example/acme/widgets/commit/{HEAD}") in Tags(page).attributes

    def test_says_what_was_asked_for(self, site: Site) -> None:
        rules = Rules(timeout=1800, optional=True, needs=("unit", "docs"))
        page = site.show(
            ended(pipeline="e2e", inputs={"gpu": 2, "fast": True}, rules=rules, resumed_at=at(30))
        )
        text = Tags(page).text
        for expected in (
            "e2e (fast=true, gpu=2)", "fast=true", "gpu=2", "30m", "docs", "not held against", "Resumed",
            "2026-03-04 12:00:30 UTC",
        ):  # fmt: skip
            assert expected in text, expected

    def test_says_nothing_of_what_was_not(self, site: Site) -> None:
        text = Tags(site.show(ended())).text
        for unexpected in ("Inputs", "Resumed", "Timeout", "Needs", "Optional", "DRY RUN"):
            assert unexpected not in text


class TestADryRun:
    def printed(self, **changed: object) -> Run:
        steps = (
            Step("clone", -1, "clone", StepState.SUCCEEDED, 1, at(0), at(1), StepResult(argv="git clone x")),
            Step("wait", -1, "wait", StepState.SUCCEEDED, 1, at(1), at(2), StepResult()),
        )
        return ended(*steps, **{"dryrun": True, "outcome": Outcome.SUCCESS, "reason": ""} | changed)

    def test_is_called_so_and_shows_the_commands(self, site: Site) -> None:
        tags = Tags(site.show(self.printed()))
        assert "DRY RUN" in tags.text
        assert "Nothing was run." in tags.text
        assert "would run" in tags.text
        assert "git clone x" in tags.text
        assert "no command" in tags.text
        assert "passed" not in tags.text
        assert "succeeded" not in tags.text

    def test_that_goes_on_is_called_so_too(self, site: Site) -> None:
        text = Tags(site.show(self.printed(outcome=None, phase=Phase.ACTIVE))).text
        assert "DRY RUN" in text
        assert "Nothing is run" in text

    def test_that_failed_says_why(self, site: Site) -> None:
        reason = "list failed: no file .preflight/checks.yaml"
        text = Tags(site.show(self.printed(outcome=Outcome.FAILURE, reason=reason))).text
        assert "DRY RUN" in text
        assert reason in text

    def test_shows_a_command_as_it_is_but_for_what_deceives(self, site: Site) -> None:
        token = "ghp_" + "a1B2" * 9
        argv = f"git clone https://x:{token}@h.example our-own-secret \u202egpj <b>"
        step = Step("clone", -1, "clone", StepState.SUCCEEDED, 1, at(0), at(1), StepResult(argv=argv))
        page = site.show(ended(step, dryrun=True))
        assert token not in page
        assert "our-own-secret" not in page
        assert "&lt;U+202E&gt;gpj &lt;b&gt;" in page


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
        site.decided = [
            self.audit(actor="hubot", kind="run", reason="approved", what="approve 1a2b3c4d5e6f"),
            self.audit(actor="mallory", kind="wait", reason="mallory has no write access", what=""),
        ]
        text = Tags(site.show(ended())).text
        for expected in (
            "2026-03-04 12:00:05 UTC", "hubot", "approve 1a2b3c4d5e6f", "approved", "mallory", "wait",
            "mallory has no write access",
        ):  # fmt: skip
            assert expected in text, expected

    def test_may_be_unknown(self, site: Site) -> None:
        assert "None is known." in site.show(ended())

    def test_of_private_repositories_are_not_shown(self, site: Site) -> None:
        site.decided = [self.audit(reason="something of theirs")]
        site.runs[RUN_ID] = ended(repository=replace(REPOSITORY, private=True))
        response = site.client.get(f"/runs/{RUN_ID}")
        assert response.status_code == 404
        assert "theirs" not in response.text


class TestHostile:
    @pytest.mark.parametrize(
        "changed",
        [{}, {"dryrun": True}, {"number": -7, "branch": EVIL}, {"number": -7, "branch": "x"}],
        ids=["a run", "a dry run", "of a branch", "of a merge group"],
    )
    def test_text_is_only_text(self, site: Site, changed: dict[str, object]) -> None:
        evil_step = Step(
            EVIL, 0, EVIL, StepState.FAILED, 1, at(0), at(1), StepResult(1, EVIL, EVIL, EVIL), (EVIL,)
        )
        site.airflow.lines = [EVIL, "\x1b[31mred\x1b[0m"]
        site.decided = [Audit(EVIL, EVIL, EVIL, EVIL, EVIL, at(1)), Audit(EVIL, EVIL, EVIL, "", "", at(1))]
        page = site.show(
            ended(
                evil_step,
                pipeline=EVIL,
                reason=EVIL,
                actor=EVIL,
                base_ref=EVIL,
                dag_id=EVIL,
                dag_run_id=EVIL,
                conf={"PULL_BASE_SHA": EVIL},
                repository=replace(REPOSITORY, full_name=f"a/{EVIL}"),
                inputs={EVIL: EVIL},
                rules=Rules(needs=(EVIL,)),
                **changed,
            )
        )
        tags = Tags(page)
        assert not {"script", "img", "iframe", "object", "form"} & set(tags.tags)
        assert not [name for name, _ in tags.attributes if name.startswith("on")]
        assert "alert(1)" in tags.text
        assert "49" not in page
        assert "\x1b" not in page
        for name, value in tags.attributes:
            if name in {"href", "src"}:
                assert str(value).startswith(("https://", "/static/", "#")), value

    def test_secrets_in_logs_are_redacted(self, site: Site) -> None:
        token = "ghp_" + "a1B2" * 9
        site.airflow.lines = [f"token {token}", "password our-own-secret here"]
        page = site.show(ended(failed()))
        assert token not in page
        assert "our-own-secret" not in page

    def test_a_long_log_is_cut(self, site: Site) -> None:
        site.airflow.lines = [f"line {number} " + "x" * 200 for number in range(20_000)]
        page = site.show(ended(failed()))
        assert "line 19999" in page
        assert "line 5 " not in page
        assert len(page) < 1_000_000


class TestLogs:
    @pytest.mark.parametrize(
        "error", [AirflowUnavailable("down"), AirflowRefused("gone")], ids=["down", "gone"]
    )
    def test_that_can_not_be_read_leave_what_was_kept(self, site: Site, error: Exception) -> None:
        site.airflow.error = error
        page = site.show(ended(failed()))
        assert "E501 Line too long" in page
        assert "Airflow" in page

    def test_of_finished_steps_are_read_once(self, site: Site) -> None:
        site.airflow.lines = ["x"]
        one = ended(failed())
        site.show(one)
        reads = site.airflow.reads
        site.show(one)
        assert site.airflow.reads == reads

    def test_of_steps_that_never_began_are_not_asked_for(self, site: Site) -> None:
        site.show(ended(Step("t", -1, "t", StepState.BLOCKED), Step("u", -1, "u", StepState.WAITING)))
        assert site.airflow.reads == 0


class TestProtection:
    def get(self, site: Site, path: str) -> TestResponse:
        return site.client.get(path)

    @pytest.mark.parametrize(
        "run_id",
        [
            "f" * 32,
            "F" * 32,
            RUN_ID.upper(),
            RUN_ID[:-1],
            RUN_ID + "0",
            "x" * 32,
            "..%2f..%2fetc%2fpasswd",
            "%00",
            "'",
            " " * 32,
            f"{RUN_ID}%0a",
        ],
    )
    def test_an_unknown_or_malformed_id_is_not_found(self, site: Site, run_id: str) -> None:
        site.show(ended())
        assert self.get(site, f"/runs/{run_id}").status_code == 404

    def test_a_private_run_is_not_found_and_looks_like_any_other(self, site: Site) -> None:
        site.runs[RUN_ID] = ended(repository=replace(REPOSITORY, private=True))
        private, unknown = self.get(site, f"/runs/{RUN_ID}"), self.get(site, f"/runs/{'f' * 32}")
        assert private.status_code == 404
        assert private.data == unknown.data
        assert "widgets" not in private.text

    @pytest.mark.parametrize("path", [f"/runs/{RUN_ID}", "/runs/x", "/nowhere"])
    def test_the_policy_is_strict_everywhere(self, site: Site, path: str) -> None:
        site.show(ended())
        headers = self.get(site, path).headers
        policy = dict(
            part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'none'"
        assert "script-src" not in policy
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers

    def test_there_is_no_script_and_no_inline_style(self, site: Site) -> None:
        tags = Tags(site.show(ended(failed())))
        assert "script" not in tags.tags
        assert "style" not in tags.tags
        assert "style" not in {name for name, _ in tags.attributes}

    def test_its_style_is_served(self, site: Site) -> None:
        hrefs = [value for name, value in Tags(site.show(ended())).attributes if name == "href" and value]
        (style,) = [href for href in hrefs if href.endswith(".css")]
        response = self.get(site, style)
        assert response.status_code == 200
        assert response.mimetype == "text/css"

    def test_while_the_database_is_down_it_says_so_without_details(self, site: Site) -> None:
        site.down = True
        response = self.get(site, f"/runs/{RUN_ID}")
        assert response.status_code == 503
        assert "10.0.0.7" not in response.text
