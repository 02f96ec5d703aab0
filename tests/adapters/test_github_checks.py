"""Check runs on the stand-in GitHub as an App: what each call costs and sends, and what a token may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, GitHubClient
from bot.errors import GitHubNotFound, GitHubRefused
from bot.models import Annotation, AnnotationLevel, Check, Conclusion
from tests.adapters.github_there import NUMBERS, There

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.github_standin import Standin
    from tests.github_standin.records import App

CHECK = Check(
    name="preflight/unit",
    external_id="1::",
    conclusion=Conclusion.SUCCESS,
    started=True,
    title="3/3 steps passed",
    summary="All is well.",
    started_at=datetime(2026, 1, 1, 12, 0, 30, tzinfo=timezone(timedelta(hours=2))),
    completed_at=datetime(2026, 1, 1, 10, 5, tzinfo=UTC),
)
ANNOTATION = Annotation("src/app.py", 1, 1, AnnotationLevel.FAILURE, "assert")


@pytest.fixture(scope="module")
def app(standin: Standin) -> App:
    return standin.app("checking", owner="acme")


@pytest.fixture
def ours(there: There, app: App) -> Iterator[There]:
    """Seen as an App that knows already who it is and has a token."""
    github = GitHubClient(there.standin.api_url, AppKey(str(app.id), app.private_key), clock=there.clock)
    github.identity()
    github.tip(there.known, "main")
    yield there._replace(github=github)
    github.close()


class TestRequests:
    def test_each_takes_one_request(self, ours: There) -> None:
        mark = ours.standin.mark()
        made = ours.github.create_check(ours.known, ours.sha, CHECK)
        ours.github.update_check(ours.known, made, CHECK, [ANNOTATION])
        assert ours.github.annotation_count(ours.known, made) == 1
        assert ours.github.find_check(ours.known, ours.sha, CHECK) == made
        at = f"/repos/{ours.known.full_name}"
        assert ours.requests(mark) == [
            f"POST {at}/check-runs",
            f"PATCH {at}/check-runs/{made}",
            f"GET {at}/check-runs/{made}",
            f"GET {at}/commits/{ours.sha}/check-runs",
        ]

    def test_times_are_told_in_utc(self, ours: There) -> None:
        ours.github.create_check(ours.known, ours.sha, CHECK)
        (shown,) = ours.repository.check_runs(ours.sha)
        assert shown.started_at == datetime(2026, 1, 1, 10, 0, 30, tzinfo=UTC).timestamp()
        assert shown.completed_at == datetime(2026, 1, 1, 10, 5, tzinfo=UTC).timestamp()

    def test_what_has_not_ended_has_no_end(self, ours: There) -> None:
        ours.github.create_check(ours.known, ours.sha, replace(CHECK, conclusion=None))
        (shown,) = ours.repository.check_runs(ours.sha)
        assert (shown.status, shown.completed_at) == ("in_progress", None)

    def test_what_github_does_not_take_is_not_even_sent(self, ours: There) -> None:
        mark = ours.standin.mark()
        with pytest.raises(GitHubRefused, match="a title of 256"):
            ours.github.create_check(ours.known, ours.sha, replace(CHECK, title="x" * 256))
        with pytest.raises(ValueError, match="50"):
            ours.github.update_check(ours.known, 1, CHECK, [ANNOTATION] * 51)
        with pytest.raises(GitHubRefused, match="no lines 0 to 1"):
            ours.github.update_check(ours.known, 1, CHECK, [replace(ANNOTATION, start_line=0)])
        assert ours.requests(mark) == []

    def test_ours_is_found_among_more_than_a_page(self, ours: There) -> None:
        oldest = ours.github.create_check(ours.known, ours.sha, CHECK)
        for number in range(101):
            ours.github.create_check(ours.known, ours.sha, replace(CHECK, external_id=f"{number}"))
        mark = ours.standin.mark()
        assert ours.github.find_check(ours.known, ours.sha, CHECK) == oldest
        assert len(ours.requests(mark)) == 2


class TestOthers:
    @pytest.fixture
    def theirs(self, there: There) -> Iterator[There]:
        other = there.standin.app(f"other-{next(NUMBERS)}", owner="acme")
        github = GitHubClient(there.standin.api_url, AppKey(str(other.id), other.private_key))
        yield there._replace(github=github)
        github.close()

    def test_another_app_s_is_not_taken_for_ours(self, ours: There, theirs: There) -> None:
        theirs.github.create_check(theirs.known, theirs.sha, CHECK)
        assert ours.github.find_check(ours.known, ours.sha, CHECK) is None

    def test_another_app_s_can_not_be_changed(self, ours: There, theirs: There) -> None:
        made = theirs.github.create_check(theirs.known, theirs.sha, CHECK)
        with pytest.raises(GitHubRefused, match="forbids"):
            ours.github.update_check(ours.known, made, CHECK)

    def test_an_app_may_be_known_by_its_client_id(self, there: There, app: App) -> None:
        """GitHub's list of check runs wants the number, which is asked for."""
        github = GitHubClient(there.standin.api_url, AppKey(app.client_id, app.private_key))
        made = github.create_check(there.known, there.sha, CHECK)
        assert github.find_check(there.known, there.sha, CHECK) == made
        github.close()

    @pytest.mark.parametrize(
        "call",
        [
            pytest.param(lambda at: at.github.create_check(at.known, at.sha, CHECK), id="create"),
            pytest.param(lambda at: at.github.update_check(at.known, 1, CHECK), id="update"),
            pytest.param(lambda at: at.github.find_check(at.known, at.sha, CHECK), id="find"),
        ],
    )
    def test_a_token_may_not_and_does_not_try(self, there: There, call: Callable[[There], object]) -> None:
        assert not there.github.can_check()
        mark = there.standin.mark()
        with pytest.raises(GitHubRefused, match="only a GitHub App"):
            call(there)
        assert there.requests(mark) == []


def test_a_renamed_repository_keeps_its_check_runs(ours: There) -> None:
    known, sha = ours.known, ours.sha
    made = ours.github.create_check(known, sha, CHECK)
    ours.repository.rename("renamed-" + known.name)
    ours.github.update_check(known, made, CHECK, [ANNOTATION])
    assert ours.github.annotation_count(known, made) == 1
    with pytest.raises(GitHubNotFound):
        ours.github.update_check(known, made + 10_000, CHECK)
