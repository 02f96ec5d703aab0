"""Check runs as Apps write them and anybody reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.github_standin import check_input
from tests.github_standin import checks as rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_standin import Pull, Repository, Standin

    from .conftest import Api

Body = dict[str, Any]
OUTPUT: Body = {"title": "2 failed", "summary": "See **below**"}


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.open_pull("alice", branch="fix", files={"new.txt": ""})


def make(checks: Api, pull: Pull, **body: object) -> Body:
    """A check run `unit` at the head."""
    answer = checks.post("/check-runs", **{"name": "unit", "head_sha": pull.head_sha, **body})
    assert answer.status_code == 201, answer.text
    made: Body = answer.json()
    return made


def remark(line: int, **more: object) -> Body:
    return {
        "path": "src/app.py",
        "start_line": line,
        "end_line": line,
        "annotation_level": "failure",
        "message": f"line {line} is wrong",
        **more,
    }


class TestACheckRun:
    def test_holds_what_was_written(self, checks: Api, pull: Pull) -> None:
        action = {"label": "Retry", "description": "Run it again", "identifier": "retry"}
        made = make(
            checks,
            pull,
            external_id="pf:1",
            details_url="https://preflight.example/runs/1",
            status="in_progress",
            started_at="2026-01-02T03:04:05Z",
            output={**OUTPUT, "text": "long", "annotations": [remark(3, title="Wrong")]},
            actions=[action],
        )
        assert made["output"] | OUTPUT == made["output"]
        assert (made["started_at"], made["completed_at"]) == ("2026-01-02T03:04:05Z", None)
        assert (made["app"]["slug"], made["external_id"]) == ("preflight", "pf:1")
        assert checks.get(f"/check-runs/{made['id']}").json() == made
        (shown,) = pull.check_runs()
        assert (shown.name, shown.title, shown.summary, shown.text) == ("unit", *OUTPUT.values(), "long")
        assert [(each.start_line, each.title) for each in shown.annotations] == [(3, "Wrong")]
        assert [each.identifier for each in shown.actions] == ["retry"]

    def test_begins_queued(self, checks: Api, pull: Pull) -> None:
        made = make(checks, pull)
        assert (made["status"], made["conclusion"], made["external_id"]) == ("queued", None, "")
        assert made["started_at"]
        assert made["details_url"].endswith("/apps/preflight")

    def test_is_completed_by_its_conclusion(self, checks: Api, pull: Pull) -> None:
        made = make(checks, pull, conclusion="timed_out")
        assert (made["status"], made["conclusion"]) == ("completed", "timed_out")
        assert made["completed_at"]
        assert pull.conclusion_of("unit") == "timed_out"

    def test_has_no_conclusion_once_it_goes_on(self, checks: Api, pull: Pull) -> None:
        made = make(checks, pull, conclusion="failure", output=OUTPUT)
        again = checks.patch(f"/check-runs/{made['id']}", status="in_progress").json()
        assert (again["status"], again["conclusion"], again["completed_at"]) == ("in_progress", None, None)
        assert again["output"]["title"] == OUTPUT["title"]
        assert pull.conclusion_of("unit") is None

    def test_keeps_what_an_update_leaves_out(self, checks: Api, pull: Pull) -> None:
        action = {"label": "Retry", "description": "Run it again", "identifier": "retry"}
        made = make(checks, pull, external_id="1", details_url="http://x/1", actions=[action])
        checks.patch(f"/check-runs/{made['id']}", conclusion="success")
        shown = pull.check("unit")
        assert shown
        assert (shown.external_id, shown.details_url, len(shown.actions)) == ("1", "http://x/1", 1)
        checks.patch(f"/check-runs/{made['id']}", name="all", actions=[])
        shown = pull.check("all")
        assert shown
        assert (shown.conclusion, shown.actions) == ("success", [])

    def test_takes_its_text_from_the_newest_update(self, checks: Api, pull: Pull) -> None:
        made = make(checks, pull, output={**OUTPUT, "text": "long"})
        checks.patch(f"/check-runs/{made['id']}", output={"title": "1 failed", "summary": "less"})
        shown = pull.check("unit")
        assert shown
        assert (shown.title, shown.summary, shown.text) == ("1 failed", "less", None)

    def test_can_be_of_a_fork_whose_pull_request_is_not_named(
        self, checks: Api, pull: Pull, repository: Repository
    ) -> None:
        forked = repository.open_pull("mallory", branch="theirs", files={"new.txt": "x"}, fork=True)
        assert [each["number"] for each in make(checks, pull)["pull_requests"]] == [pull.number]
        assert make(checks, forked)["pull_requests"] == []


class TestAnnotations:
    def test_are_added_to_those_before(self, checks: Api, pull: Pull) -> None:
        made = make(checks, pull, output={**OUTPUT, "annotations": [remark(n) for n in range(1, 51)]})
        more = {**OUTPUT, "annotations": [remark(n) for n in range(51, 101)]}
        updated = checks.patch(f"/check-runs/{made['id']}", output=more).json()
        assert updated["output"]["annotations_count"] == 100
        address = f"/check-runs/{made['id']}/annotations"
        lines = [each["start_line"] for each in checks.get(f"{address}?per_page=60&page=2").json()]
        assert lines == list(range(61, 101))
        first = checks.get(address)
        assert (len(first.json()), 'rel="next"' in first.headers["Link"]) == (30, True)
        assert first.json()[0]["blob_href"].endswith(f"/acme/app/blob/{pull.head_sha}/src/app.py")

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"end_line": 2}, "none of a file"),
            ({"start_line": 0}, "none of a file"),
            ({"end_line": 4, "start_column": 1}, "Columns"),
            ({"message": "ü" * 32_768}, "64 KB"),
            ({"title": "x" * 256}, "Only 255 characters"),
            ({"path": ""}, '"path" wasn\'t supplied'),
        ],
    )
    def test_have_limits(self, checks: Api, pull: Pull, wrong: Body, why: str) -> None:
        output = {**OUTPUT, "annotations": [remark(3, **wrong)]}
        answer = checks.post("/check-runs", name="unit", head_sha=pull.head_sha, output=output)
        assert answer.status_code == 422
        assert why in answer.json()["message"]


WRONG: dict[str, tuple[Body, str]] = {
    "no conclusion": ({"status": "completed"}, '"conclusion" wasn\'t supplied'),
    "only a time": ({"completed_at": "2026-01-02T03:04:05Z"}, '"conclusion" wasn\'t supplied'),
    "GitHub's conclusion": ({"conclusion": "stale"}, "stale is not a member"),
    "an unknown conclusion": ({"conclusion": "green"}, "green is not a member"),
    "an unknown status": ({"status": "waiting"}, "waiting is not a member"),
    "no title": ({"output": {"summary": "x"}}, '"title" wasn\'t supplied'),
    "no summary": ({"output": {"title": "x"}}, '"summary" wasn\'t supplied'),
    "a long summary": ({"output": {"title": "x", "summary": "x" * 65_536}}, "Only 65535 characters"),
    "a long text": ({"output": {**OUTPUT, "text": "x" * 65_536}}, "Only 65535 characters"),
    "many bytes": ({"output": {**OUTPUT, "text": "ü" * 32_768}}, "Validation Failed"),
    "51 annotations": ({"output": {**OUTPUT, "annotations": [remark(1)] * 51}}, "No more than 50 items"),
    "4 actions": (
        {"actions": [{"label": "x", "description": "x", "identifier": f"{n}"} for n in range(4)]},
        "No more than 3 items",
    ),
    "a long label": (
        {"actions": [{"label": "x" * 21, "description": "x", "identifier": "x"}]},
        "Only 20 characters",
    ),
    "a long description": (
        {"actions": [{"label": "x", "description": "x" * 41, "identifier": "x"}]},
        "Only 40 characters",
    ),
    "a long identifier": (
        {"actions": [{"label": "x", "description": "x", "identifier": "x" * 21}]},
        "Only 20 characters",
    ),
    "another scheme": ({"details_url": "ftp://x"}, "http(s) scheme"),
    "no time": ({"started_at": "yesterday"}, "not a date-time"),
}
"""What GitHub takes neither in a new check run nor in an update."""


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_is_refused(github: Standin, checks: Api, pull: Pull, wrong: Body, why: str) -> None:
    made = make(checks, pull)
    new = checks.post("/check-runs", name="unit", head_sha=pull.head_sha, **wrong)
    changed = checks.patch(f"/check-runs/{made['id']}", **wrong)
    for answer in (new, changed):
        assert (answer.status_code, why in answer.json()["message"]) == (422, True), answer.text
    assert checks.get(f"/check-runs/{made['id']}").json() == made
    github.violations(forget=True)


def test_the_longest_there_is(checks: Api, pull: Pull) -> None:
    longest = {"title": "x", "summary": "x" * 65_535, "text": "ü" * 32_767}
    assert make(checks, pull, output=longest)["output"]["summary"] == longest["summary"]


@pytest.mark.parametrize(
    ("body", "why"), [({"head_sha": "1" * 40}, "No commit found"), ({"name": " "}, "name")]
)
def test_a_check_run_needs_a_name_and_a_commit(checks: Api, pull: Pull, body: Body, why: str) -> None:
    answer = checks.post("/check-runs", **{"name": "unit", "head_sha": pull.head_sha, **body})
    assert (answer.status_code, why in answer.json()["message"]) == (422, True)


NOT_YOURS = "check run can only be modified by the GitHub App that created it."


class TestWhoMay:
    def test_write(self, github: Standin, api: Callable[[str], Api], checks: Api, pull: Pull) -> None:
        reader = github.app("reader", permissions={"checks": "read", "metadata": "read"})
        other = github.app("other")
        tokens = {
            "alice": (github.user("alice").token, 403, "You must authenticate via a GitHub App."),
            "nobody": ("", 401, "Requires authentication"),
            "reader": (
                github.installation_token(reader.installations["acme"]),
                403,
                "Resource not accessible by integration",
            ),
            "other": (
                github.installation_token(other.installations["acme"]),
                403,
                f"Invalid app_id `{other.id}` - {NOT_YOURS}",
            ),
        }
        made = make(checks, pull)
        for who, (token, status, message) in tokens.items():
            answer = api(token).patch(f"/check-runs/{made['id']}", conclusion="success")
            assert (answer.status_code, answer.json()["message"]) == (status, message), who
            answer = api(token).post("/check-runs", name="unit", head_sha=pull.head_sha)
            assert (answer.status_code == 201) is (who == "other"), who

    def test_read(self, github: Standin, api: Callable[[str], Api], checks: Api, pull: Pull) -> None:
        blind = github.app("blind", permissions={"metadata": "read"}).installations["acme"]
        address = f"/check-runs/{make(checks, pull)['id']}"
        tokens = (github.user("mallory").token, "", github.installation_token(blind))
        assert [api(token).get(address).status_code for token in tokens] == [200, 200, 403]
        assert checks.get("/check-runs/1").status_code == 404


class TestLists:
    def names(self, checks: Api, pull: Pull, query: str = "") -> list[str]:
        answer = checks.get(f"/commits/{pull.head_sha}/check-runs{query}").json()
        assert answer["total_count"] >= len(answer["check_runs"])
        return [f"{each['name']} {each['conclusion']}" for each in answer["check_runs"]]

    def test_of_a_name_the_newest_counts(self, checks: Api, pull: Pull) -> None:
        make(checks, pull, conclusion="failure")
        make(checks, pull, name="lint", conclusion="success")
        make(checks, pull)
        assert self.names(checks, pull) == ["unit None", "lint success"]
        assert self.names(checks, pull, "?filter=all") == ["unit None", "lint success", "unit failure"]
        assert self.names(checks, pull, "?filter=all&check_name=unit") == ["unit None", "unit failure"]
        assert self.names(checks, pull, "?status=completed") == ["lint success"]
        assert self.names(checks, pull, "?filter=all&per_page=2&page=2") == ["unit failure"]
        assert [each.conclusion for each in pull.check_runs(every=True)] == ["failure", "success", None]

    def test_of_several_apps(
        self, github: Standin, api: Callable[[str], Api], checks: Api, pull: Pull
    ) -> None:
        other = github.app("other")
        make(checks, pull, conclusion="failure")
        make(api(github.installation_token(other.installations["acme"])), pull, conclusion="success")
        assert self.names(checks, pull) == ["unit success", "unit failure"]
        assert self.names(checks, pull, f"?app_id={other.id}") == ["unit success"]
        suites = checks.get("/commits/fix/check-suites").json()["check_suites"]
        assert [(each["app"]["slug"], each["conclusion"]) for each in suites] == [
            ("preflight", "failure"),
            ("other", "success"),
        ]
        one = checks.get(f"/commits/{pull.head_sha}/check-suites?app_id={other.id}&check_name=unit").json()
        assert one["total_count"] == 1
        assert checks.get("/commits/fix/check-suites?check_name=lint").json()["total_count"] == 0

    def test_of_an_unknown_commit(self, checks: Api) -> None:
        assert checks.get(f"/commits/{'1' * 40}/check-runs").status_code == 422

    def test_hold_so_many_of_one_name(self, checks: Api, pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
        assert rules.MOST_OF_ONE_NAME == 1000
        monkeypatch.setattr(rules, "MOST_OF_ONE_NAME", 2)
        made = [make(checks, pull)["id"] for _ in range(3)]
        assert [each.id for each in pull.check_runs(every=True)] == made[1:]


@pytest.mark.parametrize(
    ("conclusions", "together"),
    [
        (("success", "skipped"), "success"),
        (("neutral", "skipped"), "neutral"),
        (("success", "cancelled"), "cancelled"),
        (("timed_out", "failure"), "failure"),
        (("success", None), None),
    ],
)
def test_a_suite_is_what_its_check_runs_are_together(
    checks: Api, pull: Pull, conclusions: tuple[str | None, ...], together: str | None
) -> None:
    for number, conclusion in enumerate(conclusions):
        make(checks, pull, name=f"check {number}", **({"conclusion": conclusion} if conclusion else {}))
    (suite,) = checks.get(f"/commits/{pull.head_sha}/check-suites").json()["check_suites"]
    assert suite["conclusion"] == together
    assert suite["status"] == ("completed" if together else "in_progress")


def test_every_conclusion_has_its_place() -> None:
    assert sorted(check_input.CONCLUSIONS) == sorted(rules.WORST_FIRST)
