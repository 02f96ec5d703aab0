"""Reads that GitHub answered before are asked about with their ETag: "not modified" costs nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.adapters.github.conditional import LARGEST_KEPT, KeptAnswers
from bot.errors import GitHubNotFound, GitHubRefused
from tests.adapters.github_answering import REPOSITORY, Answering, Asked, Say, answering
from tests.adapters.github_there import MARKER, There


def ref(sha: str) -> dict[str, object]:
    return {"ref": "refs/heads/main", "url": "u", "object": {"type": "commit", "sha": sha, "url": "u"}}


def tagged(sha: str, etag: str) -> Say:
    return Say(body=ref(sha), headers={"ETag": etag})


def tip(server: Answering, times: int) -> list[str]:
    github = GitHubClient(server.url, PersonalToken("ghp_x"))
    return [github.tip(REPOSITORY, "main") for _ in range(times)]


def asked_about(server: Answering) -> list[str | None]:
    return [asked.headers.get("If-None-Match") for asked in server.asked]


class TestAnswers:
    def test_the_remembered_one_holds_until_another_comes(self) -> None:
        says = (tagged("1", '"a"'), Say(304), tagged("2", 'W/"b"'), Say(304))
        with answering(*says).running() as server:
            assert tip(server, 4) == ["1", "1", "2", "2"]
        assert asked_about(server) == [None, '"a"', '"a"', 'W/"b"']

    def test_without_an_etag_nothing_is_remembered(self) -> None:
        with answering(Say(body=ref("1")), Say(body=ref("2"))).running() as server:
            assert tip(server, 2) == ["1", "2"]
        assert asked_about(server) == [None, None]

    def test_not_modified_is_no_answer_to_who_remembers_nothing(self) -> None:
        with answering(Say(304)).running() as server, pytest.raises(GitHubRefused):
            tip(server, 1)

    def test_what_is_gone_is_gone(self) -> None:
        with answering(tagged("1", '"a"'), Say(404)).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"))
            github.tip(REPOSITORY, "main")
            with pytest.raises(GitHubNotFound):
                github.tip(REPOSITORY, "main")

    def test_another_address_is_another_answer(self) -> None:
        with answering(tagged("1", '"a"'), tagged("2", '"b"')).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"))
            assert (github.tip(REPOSITORY, "main"), github.tip(REPOSITORY, "next")) == ("1", "2")
        assert asked_about(server) == [None, None]

    def test_writes_are_not_conditional(self) -> None:
        said = Say(body={"id": 1, "url": "u", "body": "x"}, headers={"ETag": '"a"'})
        with answering(said).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"))
            for _ in range(2):
                github.edit_comment(REPOSITORY, 1, "x")
        assert asked_about(server) == [None, None]

    def test_the_next_page_of_a_remembered_list_is_still_known(self) -> None:
        def comment(number: int, body: str) -> dict[str, object]:
            return {"id": number, "url": "u", "body": body, "user": {"login": "bot", "id": 5, "url": "u"}}

        def answer(asked: Asked) -> Say:
            if asked.path == "/user":
                return Say(body={"login": "bot", "id": 5})
            if "page=2" in asked.path:
                return Say(body=[comment(2, MARKER)])
            if "If-None-Match" in asked.headers:
                return Say(304)
            following = f'<{server.url}/repos/acme/app/issues/3/comments?page=2>; rel="next"'
            return Say(body=[comment(1, "")], headers={"ETag": '"a"', "Link": following})

        server = Answering(answer)
        with server.running():
            github = GitHubClient(server.url, PersonalToken("ghp_x"))
            assert github.find_comment(REPOSITORY, 3, MARKER) == 2
            assert github.find_comment(REPOSITORY, 3, MARKER) == 2


class TestOnTheStandin:
    def test_not_modified_costs_nothing_of_the_hour(self, there: There) -> None:
        there.github.tip(there.known, "main")
        before = there.github.quota(there.known)
        for _ in range(3):
            assert there.github.tip(there.known, "main") == there.repository.tip("main")
        after = there.github.quota(there.known)
        assert before is not None
        assert after is not None
        assert after.remaining == before.remaining

    def test_what_was_forgotten_is_asked_and_seen_anew(self, there: There) -> None:
        assert not there.github.permission(there.known, "bob").can_write
        there.repository.permit("bob", "write")
        there.github.forget(there.known)
        assert there.github.permission(there.known, "bob").can_write

    def test_a_token_that_was_refused_is_replaced_and_the_answer_still_good(self, there: There) -> None:
        app = there.standin.app("conditional", owner="acme")
        github = GitHubClient(there.standin.api_url, AppKey(str(app.id), app.private_key))
        first = github.tip(there.known, "main")
        there.standin.revoke_tokens()
        assert github.tip(there.known, "main") == first
        assert github.tip(there.known, "main") == first
        github.close()

    def test_threads_may_ask_the_same(self, there: There) -> None:
        with ThreadPoolExecutor(8) as threads:
            tips = set(threads.map(lambda _: there.github.tip(there.known, "main"), range(32)))
        assert tips == {there.repository.tip("main")}


class TestKept:
    KEY = ("token", "https://x/a", "json")

    def put(self, kept: KeptAnswers, name: str, size: int, etag: str = '"a"', status: int = 200) -> None:
        kept.put(("token", name, "json"), status, {"etag": etag}, "x" * size)

    def knows(self, kept: KeptAnswers, *names: str) -> list[bool]:
        return [kept.get(("token", name, "json")) is not None for name in names]

    def test_what_was_wanted_longest_ago_goes_first(self) -> None:
        kept = KeptAnswers(50_000)
        self.put(kept, "a", 20_000)
        self.put(kept, "b", 20_000)
        assert self.knows(kept, "a")
        self.put(kept, "c", 20_000)
        assert self.knows(kept, "a", "b", "c") == [True, False, True]

    def test_each_counts_whatever_its_size(self) -> None:
        kept = KeptAnswers(1_000_000)
        for number in range(1_000):
            self.put(kept, f"{number}", 0)
        assert sum(self.knows(kept, *map(str, range(1_000)))) < 500

    def test_wide_characters_count_for_what_they_take(self) -> None:
        kept = KeptAnswers(50_000)
        kept.put(self.KEY, 200, {"etag": '"a"'}, "\U0001f600" * 20_000)
        assert kept.get(self.KEY) is None

    def test_what_is_too_large_drives_nothing_out(self) -> None:
        kept = KeptAnswers()
        self.put(kept, "a", 10)
        self.put(kept, "b", LARGEST_KEPT)
        assert self.knows(kept, "a", "b") == [True, False]

    @pytest.mark.parametrize(("etag", "status"), [("", 200), ('"a"', 201), ('"a"', 204)])
    def test_an_answer_that_can_not_be_asked_about_replaces_one_that_can(
        self, etag: str, status: int
    ) -> None:
        kept = KeptAnswers()
        self.put(kept, "a", 10)
        self.put(kept, "a", 10, etag, status)
        assert self.knows(kept, "a") == [False]

    def test_credentials_do_not_share(self) -> None:
        kept = KeptAnswers()
        kept.put(("installation 1", "u", "json"), 200, {"etag": '"a"'}, "secret")
        assert kept.get(("installation 2", "u", "json")) is None
