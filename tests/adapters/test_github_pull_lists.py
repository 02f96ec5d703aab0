"""GitHub's lists of pull requests, and what they show, on the stand-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, GitHubClient, GitHubPullLists
from bot.errors import GitHubNotFound, GitHubRefused, GitHubUnavailable
from bot.models import Repository, Status, StatusState

if TYPE_CHECKING:
    from tests.adapters.github_there import There

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def lists(there: There) -> GitHubPullLists:
    return GitHubPullLists(there.github)


def open_more(there: There, count: int) -> list[int]:
    """So many pull requests more; their numbers."""
    more = (there.repository.open_pull("alice", branch=f"more-{n}", files={f"{n}": ""}) for n in range(count))
    return [pull.number for pull in more]


class TestRepository:
    def test_is_found_by_its_name(self, there: There, lists: GitHubPullLists) -> None:
        found = lists.repository(there.repository.full_name)
        url = there.repository.clone_url
        assert found == Repository(there.repository.id, there.repository.full_name, clone_url=url)

    def test_is_found_by_the_name_that_it_had(self, there: There, lists: GitHubPullLists) -> None:
        before = there.repository.full_name
        there.repository.rename(f"{before.partition('/')[2]}-renamed")
        assert lists.repository(before).full_name == there.repository.full_name

    def test_that_is_not_there(self, lists: GitHubPullLists) -> None:
        with pytest.raises(GitHubNotFound):
            lists.repository("acme/nothing")

    def test_that_an_app_is_not_installed_on(self, there: There) -> None:
        app = there.standin.app(f"app-{there.repository.id}", owner="globex")
        client = GitHubClient(there.standin.api_url, AppKey(str(app.id), app.private_key))
        with pytest.raises(GitHubRefused, match="not installed"):
            GitHubPullLists(client).repository(there.repository.full_name)
        client.close()

    def test_of_an_app(self, there: There) -> None:
        app = there.standin.app(f"app-{there.repository.id}", owner="acme")
        client = GitHubClient(there.standin.api_url, AppKey(str(app.id), app.private_key))
        lists = GitHubPullLists(client)
        other = there.standin.repository(f"acme/other-{there.repository.id}")
        for each in (there.repository, other):
            assert lists.repository(each.full_name).id == each.id
        client.close()


class TestPullsSince:
    def test_are_all_that_changed_the_latest_first(self, there: There, lists: GitHubPullLists) -> None:
        first, second = open_more(there, 2)
        there.pull.close("alice")

        found = lists.pulls_since(there.known, LONG_AGO)

        is_open = {each.number: each.open for each in found}
        assert is_open == {there.pull.number: False, first: True, second: True}
        times = [each.updated_at for each in found]
        assert times == sorted(times, reverse=True)
        (closed,) = (each for each in found if not each.open)
        assert (closed.head_sha, closed.base_ref, closed.draft) == (there.sha, "main", False)

    def test_what_did_not_change_since_is_left_out(self, there: There, lists: GitHubPullLists) -> None:
        assert lists.pulls_since(there.known, datetime.now(UTC) + timedelta(minutes=1)) == []

    def test_many_pages(self, there: There, lists: GitHubPullLists) -> None:
        numbers = open_more(there, 120)
        mark = there.standin.mark()

        found = lists.pulls_since(there.known, LONG_AGO)

        assert sorted(each.number for each in found) == sorted([there.pull.number, *numbers])
        asked = [each.query for each in there.standin.requests(mark, path="/pulls$")]
        assert len(asked) == 3, "two pages, and the first again: what changed meanwhile is on it"

    def test_a_renamed_repository_is_followed(self, there: There, lists: GitHubPullLists) -> None:
        known = there.known
        there.repository.rename(f"{known.name}-renamed")
        there.standin.repository(known.full_name).open_pull("alice", files={"x": ""})
        assert [each.number for each in lists.pulls_since(known, LONG_AGO)] == [there.pull.number]

    def test_what_may_pass_is_said_so(self, there: There, lists: GitHubPullLists) -> None:
        there.standin.fault("/pulls", status=503, times=2)
        with pytest.raises(GitHubUnavailable):
            lists.pulls_since(there.known, LONG_AGO)


def test_when_a_commit_was_made(there: There, lists: GitHubPullLists) -> None:
    (pull,) = lists.pulls_since(there.known, LONG_AGO)
    made = lists.committed_at(there.known, there.sha)
    assert made is not None
    assert LONG_AGO < made <= datetime.now(UTC)
    assert LONG_AGO < pull.created_at <= pull.updated_at
    assert lists.committed_at(there.known, "0" * 40) is None


def test_open_pulls_are_those_that_are_open(there: There, lists: GitHubPullLists) -> None:
    numbers = open_more(there, 2)
    there.pull.close("alice")
    assert [each.number for each in lists.open_pulls(there.known)] == numbers


class TestShown:
    def test_the_latest_status_of_each_context(self, there: There, lists: GitHubPullLists) -> None:
        passed = Status("preflight/unit", StatusState.SUCCESS, "passed", "https://preflight.example/runs/1")
        for status in (Status("preflight/unit", StatusState.PENDING, "queued"), passed):
            there.github.set_status(there.known, there.sha, status)
        assert lists.statuses(there.known, there.sha) == {"preflight/unit": passed}

    def test_many_contexts(self, there: There, lists: GitHubPullLists) -> None:
        for number in range(110):
            there.github.set_status(there.known, there.sha, Status(f"c/{number}", StatusState.SUCCESS, ""))
        assert len(lists.statuses(there.known, there.sha)) == 110

    def test_a_comment(self, there: There, lists: GitHubPullLists) -> None:
        comment = there.github.create_comment(there.known, there.pull.number, "hello")
        assert lists.has_comment(there.known, comment)
        there.github.delete_comment(there.known, comment)
        assert not lists.has_comment(there.known, comment)
