"""How much was asked of GitHub, what it says is left, and whose limits these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.errors import GitHubRateLimited, GitHubUnavailable
from bot.models import Quota, Repository
from tests.adapters.github_answering import REPOSITORY, Say, answering
from tests.adapters.github_there import NUMBERS, PENDING, Clock, There

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = {"ref": "refs/heads/main", "url": "u", "object": {"type": "commit", "sha": "c0ffee", "url": "u"}}
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
MIDNIGHT = 1_767_225_600


def left(remaining: int, *, limit: int = 5000, seconds: int = 600, **other: str) -> Say:
    headers = {
        "Date": DATE,
        "X-RateLimit-Limit": f"{limit}",
        "X-RateLimit-Remaining": f"{remaining}",
        "X-RateLimit-Reset": f"{MIDNIGHT + seconds}",
        **{f"X-RateLimit-{name}": value for name, value in other.items()},
    }
    return Say(body=REF, headers=headers)


class TestQuota:
    def ask(self, *says: Say, times: int = 1) -> tuple[Quota | None, GitHubClient, Clock]:
        clock = Clock()
        with answering(*says).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"), clock=clock)
            for _ in range(times):
                github.tip(REPOSITORY, "main")
        return github.quota(REPOSITORY), github, clock

    def test_it_is_what_the_last_answer_said_by_githubs_own_clock(self) -> None:
        quota, github, clock = self.ask(left(4999), left(17), times=2)
        assert quota == Quota(5000, 17, 600)
        clock.now += 250
        assert github.quota(REPOSITORY) == Quota(5000, 17, 350)

    def test_it_is_unknown_once_the_hour_is_over(self) -> None:
        _, github, clock = self.ask(left(17))
        clock.now += 600
        assert github.quota(REPOSITORY) is None

    @pytest.mark.parametrize(
        "say",
        [
            pytest.param(Say(body=REF), id="no headers: a server without limits"),
            pytest.param(left(3, Resource="search"), id="another limit"),
            pytest.param(left(3, Remaining="many"), id="no number"),
            pytest.param(left(3, Reset="soon"), id="no time"),
        ],
    )
    def test_it_is_unknown_where_no_answer_says(self, say: Say) -> None:
        assert self.ask(say)[0] is None

    def test_a_refusal_says_it_too(self) -> None:
        refusal = left(0)
        with answering(Say(403, {"message": "no"}, refusal.headers)).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"), clock=Clock())
            with pytest.raises(GitHubRateLimited):
                github.tip(REPOSITORY, "main")
        assert github.quota(REPOSITORY) == Quota(5000, 0, 600)

    def test_the_standin_s_is_known(self, there: There) -> None:
        there.standin.limits(core=100)
        assert there.github.quota(there.known) is None
        there.github.tip(there.known, "main")
        quota = there.github.quota(there.known)
        assert quota is not None
        assert (quota.limit, quota.remaining) == (100, 99)
        assert 3500 < quota.resets_in <= 3601


class TestSpent:
    def test_each_request_of_a_read_counts_and_no_write_does(self, there: There) -> None:
        there.github.identity()
        there.github.tip(there.known, "main")
        there.github.tip(there.known, "main")  # 304, and it counts
        there.github.set_status(there.known, there.sha, PENDING)
        there.github.create_comment(there.known, there.pull.number, "hello")
        assert there.github.spent(there.known) == 3
        assert there.github.spent(there.known) == 0

    def test_one_that_failed_was_sent(self, there: There) -> None:
        there.standin.outage(30)
        with pytest.raises(GitHubUnavailable):
            there.github.tip(there.known, "main")
        there.standin.clear_faults()
        assert there.github.spent(there.known) == 1

    def test_one_that_is_held_back_was_not(self, there: There) -> None:
        there.standin.fault("/git/ref/", status=403, headers={"Retry-After": "17"})
        for _ in range(3):
            with pytest.raises(GitHubRateLimited):
                there.github.tip(there.known, "main")
        assert there.github.spent(there.known) == 1


class TestAccounts:
    @pytest.fixture
    def app(self, there: There) -> Iterator[GitHubClient]:
        made = there.standin.app(f"accounts-{next(NUMBERS)}", owner="acme")
        there.standin.install(made, "elsewhere")
        github = GitHubClient(there.standin.api_url, AppKey(str(made.id), made.private_key))
        yield github
        github.close()

    def test_a_token_is_one_account(self, there: There) -> None:
        other = Repository(1, "elsewhere/app")
        assert there.github.account(there.known) == there.github.account(other) == "token"

    def test_an_app_has_one_for_each_owner_and_knows_it_unasked(
        self, there: There, app: GitHubClient
    ) -> None:
        mark = there.standin.mark()
        assert app.account(Repository(1, "Acme/other")) == app.account(there.known) == "acme"
        assert app.account(Repository(1, "elsewhere/app")) == "elsewhere"
        assert (app.quota(there.known), app.spent(there.known)) == (None, 0)
        assert there.requests(mark) == []

    def test_each_counts_for_itself(self, there: There, app: GitHubClient) -> None:
        there.standin.limits(core=100)
        made = there.standin.repository(f"elsewhere/app-{next(NUMBERS)}", private=True)
        elsewhere = Repository(made.id, made.full_name)
        for _ in range(3):
            app.tip(there.known, "main")
        app.tip(elsewhere, "main")
        assert (app.spent(there.known), app.spent(elsewhere)) == (3, 1)
        assert app.spent(Repository(1, "acme/unknown")) == 0

    def test_repositories_of_an_owner_share(self, there: There, app: GitHubClient) -> None:
        app.tip(there.known, "main")
        assert app.quota(Repository(1, "acme/never-asked-about")) is not None
        assert app.spent(Repository(1, "acme/never-asked-about")) == 1


class TestTold:
    def test_what_is_left_is_told_with_each_answer(self) -> None:
        told: list[tuple[int, int]] = []
        with answering(left(4999), Say(body=REF), left(4998)).running() as server:
            github = GitHubClient(
                server.url, PersonalToken("ghp_x"), on_quota=lambda *said: told.append(said), clock=Clock()
            )
            for _ in range(3):
                github.tip(REPOSITORY, "main")
        assert told == [(4999, 5000), (4998, 5000)]

    def test_of_many_installations_it_is_the_smallest_share(self, there: There) -> None:
        told: list[tuple[int, int]] = []
        made = there.standin.app(f"told-{next(NUMBERS)}", owner="acme")
        there.standin.install(made, "elsewhere")
        other = there.standin.repository(f"elsewhere/app-{next(NUMBERS)}", private=True)
        there.standin.limits(core=100)
        github = GitHubClient(
            there.standin.api_url,
            AppKey(str(made.id), made.private_key),
            on_quota=lambda *said: told.append(said),
        )
        github.tip(there.known, "main")
        github.tip(there.known, "fix")
        github.tip(Repository(other.id, other.full_name), "main")
        github.close()
        assert told == [(99, 100), (98, 100), (98, 100)]
