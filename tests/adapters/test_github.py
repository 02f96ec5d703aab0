"""The GitHub adapter on the stand-in GitHub: how many requests each call costs, and PyGithub's traps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import GitHubClient, Identity, PersonalToken
from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Branch, ChangedFiles, Status, StatusState
from tests.adapters.github_answering import REPOSITORY, Answering, Say, answering
from tests.adapters.github_there import MARKER, PENDING, There

if TYPE_CHECKING:
    from collections.abc import Callable


class TestRequests:
    """What each call costs, with nothing remembered."""

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            pytest.param(
                lambda at: at.github.pull_request(at.known, 1), "GET /repos/{}/pulls/1", id="pull_request"
            ),
            pytest.param(
                lambda at: at.github.permission(at.known, "alice"),
                "GET /repos/{}/collaborators/alice/permission",
                id="permission",
            ),
            pytest.param(
                lambda at: at.github.tip(at.known, "main"), "GET /repos/{}/git/ref/heads/main", id="tip"
            ),
            pytest.param(
                lambda at: at.github.file(at.known, "src/app.py", at.sha),
                "GET /repos/{}/contents/src/app.py",
                id="file",
            ),
            pytest.param(
                lambda at: at.github.changed_files(at.view),
                "GET /repos/{}/pulls/1/files",
                id="changed_files of a pull request",
            ),
            pytest.param(
                lambda at: at.github.changed_files(
                    Branch(at.known, "fix", at.sha, "fix", at.repository.tip("main"))
                ),
                "GET /repos/{}/compare/{main}...{sha}",
                id="changed_files of a branch",
            ),
            pytest.param(
                lambda at: at.github.shared_file(at.known, "preflight.yaml"),
                "GET /repos/acme/.github/contents/preflight.yaml",
                id="shared_file",
            ),
            pytest.param(
                lambda at: at.github.member(at.known, "alice", "acme"),
                "GET /orgs/acme/members/alice",
                id="member of an organisation",
            ),
            pytest.param(
                lambda at: at.github.member(at.known, "alice", "acme/ci"),
                "GET /orgs/acme/teams/ci/memberships/alice",
                id="member of a team",
            ),
            pytest.param(
                lambda at: at.github.delete_comment(at.known, 4711),
                "DELETE /repos/{}/issues/comments/4711",
                id="delete_comment",
            ),
            pytest.param(
                lambda at: at.github.set_status(at.known, at.sha, PENDING),
                "POST /repos/{}/statuses/{sha}",
                id="set_status",
            ),
            pytest.param(
                lambda at: at.github.create_comment(at.known, 1, "hello"),
                "POST /repos/{}/issues/1/comments",
                id="create_comment",
            ),
        ],
    )
    def test_one_request(self, there: There, call: Callable[[There], object], expected: str) -> None:
        mark = there.standin.mark()
        call(there)
        main = there.repository.tip("main")
        assert there.requests(mark) == [expected.format(there.repository.full_name, sha=there.sha, main=main)]

    def test_edit_and_react_take_one_request_each(self, there: There) -> None:
        comment = there.github.create_comment(there.known, 1, "hello")
        mark = there.standin.mark()
        there.github.edit_comment(there.known, comment, "hello again")
        there.github.react(there.known, comment, "eyes")
        at = f"/repos/{there.repository.full_name}/issues/comments/{comment}"
        assert there.requests(mark) == [f"PATCH {at}", f"POST {at}/reactions"]

    def test_finding_a_comment_asks_once_who_we_are(self, there: There) -> None:
        mark = there.standin.mark()
        there.github.find_comment(there.known, 1, MARKER)
        there.github.find_comment(there.known, 1, MARKER)
        comments = f"GET /repos/{there.repository.full_name}/issues/1/comments"
        assert there.requests(mark) == ["GET /user", comments, comments]

    def test_250_changed_files_take_three_requests(self, there: There) -> None:
        pull = there.repository.open_pull(
            "alice", branch="many", files={f"many/{number:03}": f"{number}\n" for number in range(250)}
        )
        view = there.github.pull_request(there.known, pull.number)
        mark = there.standin.mark()
        changed = there.github.changed_files(view)
        assert (len(changed.paths), changed.complete) == (250, True)
        assert len(there.requests(mark)) == 3

    def test_a_comment_is_looked_for_no_further_than_it_is(self, there: There) -> None:
        for number in range(60):
            there.pull.comment("alice", f"comment {number}")
        early = there.github.create_comment(there.known, 1, f"early {MARKER}")
        for number in range(60):
            there.pull.comment("alice", f"comment {number}")
        late = there.github.create_comment(there.known, 1, "late <!-- other -->")
        there.github.identity()
        mark = there.standin.mark()
        assert there.github.find_comment(there.known, 1, MARKER) == early
        assert len(there.requests(mark)) == 1
        assert there.github.find_comment(there.known, 1, "<!-- other -->") == late
        assert len(there.requests(mark)) == 3


class TestWrites:
    """A write is done once, and who sent it is told what became of it."""

    def test_a_comment_whose_answer_was_502_is_not_posted_again(self, there: There) -> None:
        there.standin.fault("/issues/1/comments", method="POST", status=502, executed=True)
        mark = there.standin.mark()
        with pytest.raises(GitHubUnavailable):
            there.github.create_comment(there.known, 1, MARKER)
        assert len(there.requests(mark)) == 1
        assert len(there.pull.comments()) == 1

    def test_a_comment_whose_connection_was_cut_is_not_posted_again(self, there: There) -> None:
        there.standin.fault("/issues/1/comments", method="POST", drop=True, executed=True)
        mark = there.standin.mark()
        with pytest.raises(GitHubUnavailable):
            there.github.create_comment(there.known, 1, MARKER)
        assert len(there.requests(mark)) == 1
        assert len(there.pull.comments()) == 1

    @pytest.mark.parametrize("status", [403, 429])
    def test_an_edit_that_is_limited_says_so(self, there: There, status: int) -> None:
        comment = there.github.create_comment(there.known, 1, "hello")
        there.standin.fault(
            f"/issues/comments/{comment}", method="PATCH", status=status, headers={"Retry-After": "17"}
        )
        mark = there.standin.mark()
        with pytest.raises(GitHubRateLimited) as limited:
            there.github.edit_comment(there.known, comment, "hello again")
        assert limited.value.retry_after == 17
        assert len(there.requests(mark)) == 1

    def test_while_github_wants_us_to_slow_down_nothing_is_sent(self, there: There) -> None:
        there.standin.fault("/statuses/", status=403, headers={"Retry-After": "17"})
        with pytest.raises(GitHubRateLimited):
            there.github.set_status(there.known, there.sha, PENDING)
        mark = there.standin.mark()
        with pytest.raises(GitHubRateLimited) as limited:
            there.github.tip(there.known, "main")
        assert limited.value.retry_after == 17
        assert there.requests(mark) == []
        there.clock.now += 17
        there.github.set_status(there.known, there.sha, PENDING)
        assert len(there.requests(mark)) == 1

    def test_429_without_a_time_asks_for_a_minute(self, there: There) -> None:
        there.standin.fault("/statuses/", status=429)
        with pytest.raises(GitHubRateLimited) as limited:
            there.github.set_status(there.known, there.sha, PENDING)
        assert limited.value.retry_after == 60

    def test_a_limit_of_content_is_not_waited_for(self, there: There) -> None:
        there.standin.limits(content_minute=2, retry_after=60)
        there.github.create_comment(there.known, 1, "1")
        there.github.create_comment(there.known, 1, "2")
        with pytest.raises(GitHubRateLimited) as limited:
            there.github.create_comment(there.known, 1, "3")
        assert limited.value.retry_after == 60

    def test_a_spent_quota_says_when_it_is_filled_again(self, there: There) -> None:
        there.standin.limits(core=1)
        there.github.tip(there.known, "main")
        with pytest.raises(GitHubRateLimited) as limited:
            there.github.tip(there.known, "fix")
        assert limited.value.retry_after is not None
        assert 3000 < limited.value.retry_after <= 3600

    def test_a_description_that_is_too_long_is_not_even_sent(self, there: There) -> None:
        mark = there.standin.mark()
        with pytest.raises(GitHubRefused, match="141 characters"):
            there.github.set_status(there.known, "c0ffee", Status("c", StatusState.ERROR, "x" * 141))
        assert there.requests(mark) == []

    def test_a_refusal_carries_githubs_words(self, there: There) -> None:
        with pytest.raises(GitHubRefused, match="http"):
            there.github.set_status(
                there.known, there.sha, Status("c", StatusState.ERROR, "x", "gopher://example")
            )


class TestReads:
    def test_a_renamed_file_counts_with_both_names(self, there: There) -> None:
        text = "old text, long enough to be seen as renamed\n"
        pull = there.repository.open_pull(
            "alice", branch="move", files={"docs/old.md": None, "docs/new.md": text}
        )
        view = there.github.pull_request(there.known, pull.number)
        assert there.github.changed_files(view).paths == ("docs/old.md", "docs/new.md")
        branch = Branch(there.known, "move", view.head_sha, "move", there.repository.tip())
        assert there.github.changed_files(branch).paths == ("docs/old.md", "docs/new.md")

    @pytest.mark.parametrize("fork", [False, True], ids=["ours", "a fork's"])
    def test_removed_files_only_are_compared(self, there: There, fork: bool) -> None:  # noqa: FBT001 - a column
        pull = there.repository.open_pull("bob", branch="remove", files={"docs/old.md": None}, fork=fork)
        view = there.github.pull_request(there.known, pull.number)
        there.repository.push("alice", {"src/app.py": "onward"})
        mark = there.standin.mark()
        assert there.github.changed_files(view) == ChangedFiles(("docs/old.md",))
        name = there.repository.full_name
        assert there.requests(mark) == [
            f"GET /repos/{name}/pulls/{pull.number}/files",
            f"GET /repos/{name}/compare/main...{view.head_sha}",
        ]

    def test_a_head_that_was_pushed_over_keeps_its_own_files(self, there: There) -> None:
        """A push that only deletes, in the middle of a decision, must not hide what the head changes."""
        view = there.view
        there.repository.push("alice", {"src/app.py": "print(1)\n", "docs/old.md": None}, branch="fix")
        assert there.github.changed_files(view) == ChangedFiles(("src/app.py",))
        assert there.github.changed_files(there.view) == ChangedFiles(("docs/old.md",))

    def test_a_pull_request_from_a_fork(self, there: There) -> None:
        opened = there.repository.open_pull("bob", branch="fix", files={"a": "1"}, fork=True)
        pull = there.github.pull_request(there.known, opened.number)
        assert pull.fork
        assert pull.head_repository == f"bob/{there.known.name}"

    @pytest.mark.parametrize(("size", "read"), [(1_000_000, True), (1_000_001, False), (1_500_000, False)])
    def test_a_large_file_is_refused(self, there: There, size: int, read: bool) -> None:  # noqa: FBT001 - a column
        sha = there.repository.push("alice", {"large": "x" * size})
        if read:
            assert there.github.file(there.known, "large", sha) == b"x" * size
            return
        with pytest.raises(GitHubRefused, match=f"large has {size} bytes"):
            there.github.file(there.known, "large", sha)

    def test_lag_is_told_as_not_found(self, there: There) -> None:
        there.standin.fault("/pulls/1$", status=404)
        with pytest.raises(GitHubNotFound):
            there.github.pull_request(there.known, 1)
        assert there.github.pull_request(there.known, 1).number == 1

    def test_an_outage_is_told_as_such(self, there: There) -> None:
        there.standin.outage(30)
        with pytest.raises(GitHubUnavailable, match="503"):
            there.github.tip(there.known, "main")

    def test_bad_credentials_are_told_as_such(self, there: There) -> None:
        github = GitHubClient(there.standin.api_url, PersonalToken("ghp_s3cret"))
        with pytest.raises(GitHubRefused, match="PREFLIGHT_GITHUB_TOKEN") as refused:
            github.tip(there.known, "main")
        assert "s3cret" not in str(refused.value)

    def test_a_token_has_an_identity_but_no_owner(self, there: There) -> None:
        bot = there.standin.user("preflight-bot")
        assert there.github.identity() == Identity("preflight-bot", bot.id)
        assert there.github.owner() is None


class TestAnswersTheStandinDoesNotGive:
    def ask(self, *says: Say) -> tuple[Answering, GitHubClient]:
        server = answering(*says)
        return server, GitHubClient(f"{server.url}/api/v3", PersonalToken("ghp_x"))

    @pytest.mark.parametrize("kind", ["symlink", "submodule"])
    def test_what_only_looks_like_a_file_is_refused(self, kind: str) -> None:
        server, github = self.ask(Say(body={"type": kind, "name": "x", "path": "x", "size": 3}))
        with server.running(), pytest.raises(GitHubRefused, match=f"x is a {kind}"):
            github.file(REPOSITORY, "x", "c0ffee")

    def test_a_commit_that_github_does_not_see_yet_is_no_absent_file(self) -> None:
        server, github = self.ask(Say(404, {"message": "No commit found for the ref c0ffee"}))
        with server.running(), pytest.raises(GitHubNotFound):
            github.file(REPOSITORY, "x", "c0ffee")

    def test_a_pull_request_may_outlive_its_fork_and_its_author(self) -> None:
        repository = {
            "id": 7,
            "url": "http://x/repos/acme/app",
            "full_name": "acme/app",
            "private": False,
            "clone_url": "http://x/acme/app.git",
        }
        pull = {
            "url": "http://x/repos/acme/app/pulls/3",
            "number": 3,
            "state": "open",
            "draft": False,
            "title": "orphan",
            "user": None,
            "labels": [],
            "comments": 0,
            "updated_at": "2026-01-01T00:00:00Z",
            "base": {"ref": "main", "sha": "b", "repo": repository},
            "head": {"ref": "fix", "sha": "c0ffee", "repo": None},
        }
        server, github = self.ask(Say(body=pull))
        with server.running():
            found = github.pull_request(REPOSITORY, 3)
        assert (found.author, found.head_repository, found.fork) == ("ghost", None, True)
        assert len(server.asked) == 1

    def test_a_comment_of_a_deleted_account_is_not_ours(self) -> None:
        nobodys = {"id": 1, "url": "http://x", "body": MARKER, "user": None}
        server, github = self.ask(Say(body={"login": "bot", "id": 5}), Say(body=[nobodys]))
        with server.running():
            assert github.find_comment(REPOSITORY, 3, MARKER) is None

    def test_a_circle_of_redirects_ends(self) -> None:
        away = Say(307, headers={"Location": "/api/v3/repositories/7/issues/3/comments"})
        server, github = self.ask(away, Say(body={"full_name": "acme/app"}), away)
        with server.running(), pytest.raises(GitHubRefused, match="redirects"):
            github.create_comment(REPOSITORY, 3, "hello")
        assert len(server.asked) == 3
