"""The GitHub adapter on the stand-in GitHub: how many requests each call costs, and PyGithub's traps."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bot.adapters.github import GitHubClient, Identity, PersonalToken
from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Branch, ChangedFiles, Permission, PullRequest, Repository, Status, StatusState
from tests.adapters.github_answering import PULL, REPOSITORY, Answering, Say, answering
from tests.github_standin import Pull, Standin, running
from tests.github_standin import Repository as StandinRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.github_standin.client import Role

MARKER = "<!-- preflight -->"
PENDING = Status("preflight/unit", StatusState.PENDING, "queued")
NUMBERS = itertools.count(1)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class There(NamedTuple):
    """A repository with one pull request, and a fresh adapter to see it through."""

    standin: Standin
    repository: StandinRepository
    pull: Pull
    github: GitHubClient
    clock: Clock

    @property
    def known(self) -> Repository:
        """The repository as the bot knows it."""
        return Repository(self.repository.id, self.repository.full_name)

    @property
    def sha(self) -> str:
        """The pull request's head."""
        return self.pull.head_sha

    @property
    def view(self) -> PullRequest:
        """The pull request as the bot knows it."""
        return replace(PULL, repository=self.known, number=self.pull.number, head_sha=self.sha)

    def requests(self, mark: int) -> list[str]:
        """Method and path, below the repository's, of what was asked since a mark."""
        return [f"{each.method} {each.path}" for each in self.standin.requests(mark)]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.put_member("acme", "preflight-bot")
        standin.put_member("acme", "acme-admin", role="admin")
        yield standin
        assert standin.violations() == []


@pytest.fixture
def there(standin: Standin) -> Iterator[There]:
    standin.limits(core=None, points=None, content_minute=None, content_hour=None)
    repository = standin.repository(
        f"acme/app-{next(NUMBERS)}",
        files={"src/app.py": "print(1)\n", "docs/old.md": "old text, long enough to be seen as renamed\n"},
        permissions={"alice": "write", "preflight-bot": "write"},
    )
    pull = repository.open_pull("alice", branch="fix", files={"src/app.py": "print(2)\n"})
    clock = Clock()
    github = GitHubClient(standin.api_url, PersonalToken(standin.user("preflight-bot").token), clock=clock)
    yield There(standin, repository, pull, github, clock)
    github.close()
    standin.clear_faults()


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


class TestRenamed:
    """The bot knows an old name: 301 on reads, and 307 on writes, which PyGithub takes for success."""

    def test_a_write_is_done_once_at_the_new_name(self, there: There) -> None:
        known = there.known
        there.repository.rename("renamed-" + known.name)
        mark = there.standin.mark()
        there.github.create_comment(known, 1, MARKER)
        assert [comment.body for comment in there.pull.comments()] == [MARKER]
        assert [each.partition(" ")[0] for each in there.requests(mark)] == ["POST", "GET", "POST"]

    def test_the_new_name_is_remembered(self, there: There) -> None:
        known, sha = there.known, there.sha
        there.repository.rename("renamed-" + known.name)
        there.github.set_status(known, sha, PENDING)
        mark = there.standin.mark()
        there.github.set_status(known, sha, PENDING)
        there.github.create_comment(known, 1, MARKER)
        new = there.repository.full_name
        assert there.requests(mark) == [
            f"POST /repos/{new}/statuses/{sha}",
            f"POST /repos/{new}/issues/1/comments",
        ]

    def test_every_call_follows(self, there: There) -> None:
        known, sha, view = there.known, there.sha, there.view
        comment = there.github.create_comment(known, 1, MARKER)
        there.repository.rename("renamed-" + known.name)

        def fresh() -> GitHubClient:
            return GitHubClient(
                there.standin.api_url, PersonalToken(there.standin.user("preflight-bot").token)
            )

        assert fresh().pull_request(known, 1).repository.full_name == there.repository.full_name
        assert fresh().permission(known, "alice") is Permission.WRITE
        assert fresh().tip(known, "fix") == sha
        assert fresh().file(known, "src/app.py", sha) == b"print(2)\n"
        assert fresh().changed_files(view).paths == ("src/app.py",)
        assert fresh().find_comment(known, 1, MARKER) == comment
        fresh().edit_comment(known, comment, "edited")
        fresh().react(known, comment, "eyes")
        shown = there.pull.comments()[0]
        assert (shown.body, shown.reactions) == ("edited", ["eyes"])
        fresh().delete_comment(known, comment)
        assert there.pull.comments() == []

    def test_who_took_over_the_old_name_is_not_mistaken_for_us(self, there: There) -> None:
        known, sha = there.known, there.sha
        there.repository.rename("renamed-" + known.name)
        impostor = there.standin.repository(known.full_name, permissions={"mallory": "admin"})
        impostor.open_pull("mallory", branch="fix", files={"evil": "x"})
        assert there.github.pull_request(known, 1).head_sha == sha


class TestRemembered:
    """What is asked once, and for how long an answer is believed."""

    def test_a_yes_is_believed_for_five_minutes(self, there: There) -> None:
        assert there.github.permission(there.known, "alice").can_write
        there.repository.permit("alice", "read")
        there.clock.now += 299
        assert there.github.permission(there.known, "Alice").can_write
        there.clock.now += 2
        assert there.github.permission(there.known, "alice") is Permission.READ

    @pytest.mark.parametrize("role", ["none", "read", "triage"])
    def test_a_no_is_believed_for_one_minute(self, there: There, role: Role) -> None:
        there.repository.permit("bob", role)
        assert not there.github.permission(there.known, "bob").can_write
        there.repository.permit("bob", "write")
        there.clock.now += 59
        assert not there.github.permission(there.known, "bob").can_write
        there.clock.now += 2
        assert there.github.permission(there.known, "bob").can_write

    def test_a_failure_is_not_remembered(self, there: There) -> None:
        there.standin.fault("/permission", status=503)
        with pytest.raises(GitHubUnavailable):
            there.github.permission(there.known, "alice")
        assert there.github.permission(there.known, "alice").can_write

    def test_a_file_at_a_commit_is_read_once(self, there: There) -> None:
        assert there.github.file(there.known, "src/app.py", there.sha) == b"print(2)\n"
        mark = there.standin.mark()
        there.clock.now += 3600
        assert there.github.file(there.known, "src/app.py", there.sha) == b"print(2)\n"
        assert there.requests(mark) == []

    def test_an_absent_file_is_looked_for_again_after_a_minute(self, there: There) -> None:
        assert there.github.file(there.known, "no", there.sha) is None
        mark = there.standin.mark()
        there.clock.now += 59
        assert there.github.file(there.known, "no", there.sha) is None
        assert there.requests(mark) == []
        there.clock.now += 2
        assert there.github.file(there.known, "no", there.sha) is None
        assert len(there.requests(mark)) == 1

    @pytest.mark.parametrize("group", ["acme", "acme/ci"])
    def test_a_member_is_believed_for_five_minutes_and_a_stranger_for_one(
        self, there: There, group: str
    ) -> None:
        login = f"grace-{next(NUMBERS)}"
        there.standin.put_team_member("acme", "ci", "acme-admin")
        assert not there.github.member(there.known, login, group)
        there.standin.put_team_member("acme", "ci", login)
        there.clock.now += 59
        assert not there.github.member(there.known, login, group)
        there.clock.now += 2
        assert there.github.member(there.known, login, group)
        there.standin.remove_member("acme", login)
        there.clock.now += 299
        assert there.github.member(there.known, login.upper(), group.upper())
        there.clock.now += 2
        assert not there.github.member(there.known, login, group)

    def test_a_shared_file_is_believed_for_one_minute_by_all_repositories(self, there: There) -> None:
        owner = f"sharing-{next(NUMBERS)}"
        ours = Repository(there.known.id, f"{owner}/app")
        other = Repository(there.known.id + 1, f"{owner}/other")
        assert there.github.shared_file(ours, "preflight.yaml") is None
        shared = there.standin.repository(f"{owner}/.github", files={"preflight.yaml": "1"})
        there.clock.now += 59
        assert there.github.shared_file(other, "preflight.yaml") is None
        there.clock.now += 2
        assert there.github.shared_file(ours, "preflight.yaml") == b"1"
        shared.push(owner, {"preflight.yaml": "2"})
        assert there.github.shared_file(other, "preflight.yaml") == b"1"
        there.clock.now += 61
        assert there.github.shared_file(other, "preflight.yaml") == b"2"

    def test_changed_files_are_those_of_a_head_onto_a_base(self, there: There) -> None:
        view, mark = there.view, there.standin.mark()
        there.github.changed_files(view)
        there.clock.now += 299
        there.github.changed_files(replace(view, title="another title"))
        assert len(there.requests(mark)) == 1
        there.github.changed_files(replace(view, base_ref="release"))
        assert len(there.requests(mark)) == 2
        there.clock.now += 2
        there.github.changed_files(view)
        assert len(there.requests(mark)) == 3
        assert not there.github.changed_files(replace(view, head_sha="c0ffee")).complete

    def test_threads_that_want_the_same_ask_once(self, there: There) -> None:
        mark = there.standin.mark()
        sha = there.sha
        with ThreadPoolExecutor(8) as threads:
            roles = [threads.submit(there.github.permission, there.known, "alice") for _ in range(8)]
            files = [threads.submit(there.github.file, there.known, "src/app.py", sha) for _ in range(8)]
            identities = [threads.submit(there.github.identity) for _ in range(8)]
            assert {each.result() for each in roles} == {Permission.WRITE}
            assert {each.result() for each in files} == {b"print(2)\n"}
            assert len({each.result() for each in identities}) == 1
        assert len(there.requests(mark)) == 3

    def test_a_tip_is_never_remembered(self, there: There) -> None:
        there.github.tip(there.known, "main")
        newest = there.repository.push("alice", {"new": "1"})
        assert there.github.tip(there.known, "main") == newest


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
