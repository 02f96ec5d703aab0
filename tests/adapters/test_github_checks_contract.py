"""What every GitHub adapter does with check runs: the fake, and the real one as an App on the stand-in."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, GitHubClient
from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Annotation, AnnotationLevel, Check, CheckButton, Conclusion
from tests.adapters.github_stages import FILES, FakeStage, Stage, StandinStage
from tests.github_standin import running

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = itertools.count(1)
QUEUED = Check(
    name="preflight/unit",
    external_id="12:" + "a" * 32 + ":",
    conclusion=None,
    started=False,
    title="queued",
    summary="It waits for its turn.",
    details_url="https://preflight.example/runs/1",
)
RUNNING = replace(QUEUED, started=True, title="3/8 steps, about 4 min left", text="| step |")
FAILED = replace(
    RUNNING,
    conclusion=Conclusion.FAILURE,
    title="1 of 8 steps failed",
    started_at=datetime(2026, 1, 1, 12, 0, tzinfo=timezone(timedelta(hours=2))),
    completed_at=datetime(2026, 1, 1, 10, 5, tzinfo=UTC),
    buttons=(CheckButton("Retry failed", "retry", "Run again what did not pass"),),
)


def annotation(line: int, path: str = "src/app.py") -> Annotation:
    return Annotation(path, line, line + 1, AnnotationLevel.FAILURE, f"assert {line} == 0", "test_x")


@pytest.fixture(params=["fake", "app"], scope="module")
def shared_stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.limits(core=None, points=None, content_minute=None, content_hour=None)
        app = standin.app("preflight", owner="acme")
        github = GitHubClient(standin.api_url, AppKey(str(app.id), app.private_key))
        there = standin.repository("acme/app", files=FILES, permissions={"acme-admin": "admin"}, private=True)
        yield StandinStage(github, standin, there)
        github.close()
        assert standin.violations() == []


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    yield shared_stage
    shared_stage.heal()


@pytest.fixture
def sha(stage: Stage) -> str:
    """A commit of its own: what shows the same, made in the same second, has the same SHA."""
    return stage.push(f"checks-{next(NUMBERS)}", {"number": f"{next(NUMBERS)}\n"})


class TestShowing:
    def test_we_may(self, stage: Stage) -> None:
        assert stage.github.can_check()

    def test_it_goes_from_queued_to_its_end(self, stage: Stage, sha: str) -> None:
        made = stage.github.create_check(stage.repository, sha, QUEUED)
        (shown,) = stage.checks(sha)
        assert (shown.status, shown.conclusion, shown.title) == ("queued", None, "queued")
        stage.github.update_check(stage.repository, made, RUNNING)
        (shown,) = stage.checks(sha)
        assert (shown.status, shown.conclusion, shown.text) == ("in_progress", None, "| step |")
        stage.github.update_check(stage.repository, made, FAILED)
        (shown,) = stage.checks(sha)
        assert (shown.status, shown.conclusion) == ("completed", "failure")
        assert shown.buttons == [("Retry failed", "retry", "Run again what did not pass")]

    def test_it_has_all_that_we_say(self, stage: Stage, sha: str) -> None:
        stage.github.create_check(stage.repository, sha, FAILED)
        (shown,) = stage.checks(sha)
        assert shown[:2] == ("preflight/unit", FAILED.external_id)
        assert shown[4:8] == (FAILED.title, FAILED.summary, FAILED.text, FAILED.details_url)
        assert shown.annotations == []

    @pytest.mark.parametrize("conclusion", Conclusion)
    def test_it_may_be_completed_at_once(self, stage: Stage, sha: str, conclusion: Conclusion) -> None:
        stage.github.create_check(stage.repository, sha, replace(FAILED, conclusion=conclusion))
        assert [(each.status, each.conclusion) for each in stage.checks(sha)] == [
            ("completed", conclusion.value)
        ]

    def test_what_it_no_longer_has_is_taken_away(self, stage: Stage, sha: str) -> None:
        made = stage.github.create_check(stage.repository, sha, FAILED)
        stage.github.update_check(stage.repository, made, replace(FAILED, text="", buttons=()))
        (shown,) = stage.checks(sha)
        assert (shown.text, shown.buttons) == ("", [])

    def test_every_character_is_kept(self, stage: Stage, sha: str) -> None:
        words = 'Grüße, \U0001f600 "quoted" `code` \\ <b>\n\ttab'
        stage.github.create_check(stage.repository, sha, replace(FAILED, summary=words, text=words))
        (shown,) = stage.checks(sha)
        assert (shown.summary, shown.text) == (words, words)

    def test_it_needs_a_commit(self, stage: Stage) -> None:
        with pytest.raises(GitHubRefused, match="commit"):
            stage.github.create_check(stage.repository, "0" * 40, QUEUED)

    def test_one_that_is_gone_is_not_found(self, stage: Stage) -> None:
        with pytest.raises(GitHubNotFound):
            stage.github.update_check(stage.repository, 4711, RUNNING)
        with pytest.raises(GitHubNotFound):
            stage.github.annotation_count(stage.repository, 4711)


class TestAnnotations:
    def test_they_are_appended(self, stage: Stage, sha: str) -> None:
        made = stage.github.create_check(stage.repository, sha, FAILED)
        stage.github.update_check(stage.repository, made, FAILED, [annotation(1), annotation(2)])
        stage.github.update_check(stage.repository, made, FAILED)
        assert stage.github.annotation_count(stage.repository, made) == 2
        stage.github.update_check(stage.repository, made, FAILED, [annotation(3, "docs/ünï.md")])
        (shown,) = stage.checks(sha)
        assert shown.annotations[::2] == [
            ("src/app.py", 1, 2, "failure", "assert 1 == 0", "test_x"),
            ("docs/ünï.md", 3, 4, "failure", "assert 3 == 0", "test_x"),
        ]
        assert stage.github.annotation_count(stage.repository, made) == 3

    def test_one_needs_no_title_and_may_be_a_warning(self, stage: Stage, sha: str) -> None:
        made = stage.github.create_check(stage.repository, sha, FAILED)
        plain = Annotation("a", 1, 1, AnnotationLevel.WARNING, "look")
        stage.github.update_check(stage.repository, made, FAILED, [plain])
        assert stage.checks(sha)[0].annotations == [("a", 1, 1, "warning", "look", "")]

    def test_fifty_go_at_once_and_no_more(self, stage: Stage, sha: str) -> None:
        made = stage.github.create_check(stage.repository, sha, FAILED)
        stage.github.update_check(stage.repository, made, FAILED, [annotation(n) for n in range(1, 51)])
        with pytest.raises(ValueError, match="50"):
            stage.github.update_check(stage.repository, made, FAILED, [annotation(n) for n in range(1, 52)])
        assert stage.github.annotation_count(stage.repository, made) == 50


class TestLimits:
    """What GitHub takes, to the last character or byte, and what is refused."""

    @pytest.mark.parametrize(
        ("most", "more"),
        [
            pytest.param({"title": "é" * 255}, {"title": "é" * 256}, id="title"),
            pytest.param({"summary": "x" * 65_535}, {"summary": "x" * 65_536}, id="summary"),
            pytest.param({"summary": "x" + "é" * 32_767}, {"summary": "é" * 32_768}, id="summary in bytes"),
            pytest.param({"text": "x" * 65_535}, {"text": "x" * 65_536}, id="text"),
            pytest.param({"text": "x" + "é" * 32_767}, {"text": "é" * 32_768}, id="text in bytes"),
            pytest.param(
                {"buttons": (CheckButton("l" * 20, "i" * 20, "d" * 40),) * 3},
                {"buttons": (CheckButton("l", "i", "d"),) * 4},
                id="buttons",
            ),
            pytest.param({}, {"buttons": (CheckButton("l" * 21, "i", "d"),)}, id="label"),
            pytest.param({}, {"buttons": (CheckButton("l", "i" * 21, "d"),)}, id="identifier"),
            pytest.param({}, {"buttons": (CheckButton("l", "i", "d" * 41),)}, id="description"),
        ],
    )
    def test_of_a_check_run(
        self, stage: Stage, sha: str, most: dict[str, object], more: dict[str, object]
    ) -> None:
        made = stage.github.create_check(stage.repository, sha, replace(FAILED, **most))  # type: ignore[arg-type]  # fields vary
        too_long = replace(FAILED, **more)  # type: ignore[arg-type]  # fields vary
        with pytest.raises(GitHubRefused):
            stage.github.create_check(stage.repository, sha, too_long)
        with pytest.raises(GitHubRefused):
            stage.github.update_check(stage.repository, made, too_long)
        assert len(stage.checks(sha)) == 1

    @pytest.mark.parametrize(
        ("most", "more"),
        [
            pytest.param({"message": "x" * 65_535}, {"message": "é" * 32_768}, id="message in bytes"),
            pytest.param({"title": "é" * 255}, {"title": "é" * 256}, id="title"),
            pytest.param({"start_line": 1, "end_line": 1}, {"start_line": 0, "end_line": 0}, id="no line"),
            pytest.param({}, {"start_line": 2, "end_line": 1}, id="backwards"),
        ],
    )
    def test_of_an_annotation(
        self, stage: Stage, sha: str, most: dict[str, object], more: dict[str, object]
    ) -> None:
        made = stage.github.create_check(stage.repository, sha, FAILED)
        stage.github.update_check(stage.repository, made, FAILED, [replace(annotation(1), **most)])  # type: ignore[arg-type]  # fields vary
        with pytest.raises(GitHubRefused):
            stage.github.update_check(stage.repository, made, FAILED, [replace(annotation(1), **more)])  # type: ignore[arg-type]  # fields vary
        assert stage.github.annotation_count(stage.repository, made) == 1


class TestFinding:
    def test_the_newest_of_that_name_and_id_is_found(self, stage: Stage, sha: str) -> None:
        stage.github.create_check(stage.repository, sha, FAILED)
        newest = stage.github.create_check(stage.repository, sha, QUEUED)
        stage.github.create_check(stage.repository, sha, replace(QUEUED, external_id="12::"))
        stage.github.create_check(stage.repository, sha, replace(QUEUED, name="preflight/lint"))
        assert stage.github.find_check(stage.repository, sha, RUNNING) == newest

    @pytest.mark.parametrize("other", [{"name": "preflight/lint"}, {"external_id": "12::"}])
    def test_none_is_taken_for_another(self, stage: Stage, sha: str, other: dict[str, str]) -> None:
        stage.github.create_check(stage.repository, sha, QUEUED)
        wanted = replace(QUEUED, **other)  # type: ignore[arg-type]  # fields vary
        assert stage.github.find_check(stage.repository, sha, wanted) is None

    def test_one_of_another_commit_is_not_found(self, stage: Stage, sha: str) -> None:
        stage.github.create_check(stage.repository, sha, QUEUED)
        other = stage.push(f"checks-{next(NUMBERS)}", {"a": "1"})
        assert stage.github.find_check(stage.repository, other, QUEUED) is None


class TestFailures:
    def test_a_check_run_whose_answer_was_lost_can_be_found(self, stage: Stage, sha: str) -> None:
        stage.fail(executed=True)
        with pytest.raises(GitHubUnavailable):
            stage.github.create_check(stage.repository, sha, QUEUED)
        assert len(stage.checks(sha)) == 1
        assert stage.github.find_check(stage.repository, sha, QUEUED) is not None

    def test_annotations_whose_answer_was_lost_were_appended_once(self, stage: Stage, sha: str) -> None:
        made = stage.github.create_check(stage.repository, sha, FAILED)
        stage.fail(executed=True)
        with pytest.raises(GitHubUnavailable):
            stage.github.update_check(stage.repository, made, FAILED, [annotation(1)])
        assert stage.github.annotation_count(stage.repository, made) == 1

    def test_a_failed_write_is_not_repeated(self, stage: Stage, sha: str) -> None:
        stage.fail(executed=False)
        with pytest.raises(GitHubUnavailable):
            stage.github.create_check(stage.repository, sha, QUEUED)
        assert stage.checks(sha) == []

    def test_a_limit_is_told_as_such(self, stage: Stage, sha: str) -> None:
        stage.limit(0)
        with pytest.raises(GitHubRateLimited):
            stage.github.create_check(stage.repository, sha, QUEUED)
        assert stage.checks(sha) == []


class TestLines:
    def test_of_a_pull_request(self, stage: Stage) -> None:
        number = stage.open_pull(
            "alice", f"lines-{next(NUMBERS)}", {"src/app.py": "1\n2\n", "new": "1\n2\n3\n"}
        )
        head = stage.github.pull_request(stage.repository, number).head_sha
        lines = stage.github.changed_lines(stage.repository, number, head)
        assert {path: list(ranges) for path, ranges in lines.items()} == {
            "src/app.py": [range(1, 3)],
            "new": [range(1, 4)],
        }

    def test_of_another_head_none_are_known(self, stage: Stage) -> None:
        number = stage.open_pull("alice", f"lines-{next(NUMBERS)}", {"src/app.py": "1\n2\n"})
        assert stage.github.changed_lines(stage.repository, number, "c0ffee" + "0" * 34) == {}


class TestQuota:
    def test_reads_are_counted_and_writes_are_not(self, stage: Stage, sha: str) -> None:
        stage.github.tip(stage.repository, "main")
        stage.github.spent(stage.repository)
        stage.github.create_check(stage.repository, sha, QUEUED)
        stage.github.tip(stage.repository, "main")
        stage.github.tip(stage.repository, "main")
        assert stage.github.spent(stage.repository) == 2
        assert stage.github.spent(stage.repository) == 0

    def test_an_account_is_the_owner_s(self, stage: Stage) -> None:
        assert stage.github.account(stage.repository) == "acme"
