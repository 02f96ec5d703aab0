"""What every GitHub adapter does: the fake, and the real one with a token and as an App on the stand-in."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.models import Branch, Permission, Status, StatusState
from tests.adapters.github_stages import FILES, FakeStage, Stage, StandinStage
from tests.github_standin import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.github_standin import Standin

MARKER = "<!-- preflight -->"
PENDING = Status("preflight/unit", StatusState.PENDING, "queued", "https://preflight.example/runs/1")
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.limits(core=None, points=None, content_minute=None, content_hour=None)
        standin.repository(
            "acme/.github", permissions={"acme-admin": "admin", "preflight-bot": "read"}, private=True
        )
        standin.put_member("acme", "preflight-bot")
        yield standin
        assert standin.violations() == []


@pytest.fixture(scope="module")
def clients(standin: Standin) -> Iterator[dict[str, GitHubClient]]:
    app = standin.app("preflight", owner="acme")
    made = {
        "token": GitHubClient(standin.api_url, PersonalToken(standin.user("preflight-bot").token)),
        "app": GitHubClient(standin.api_url, AppKey(str(app.id), app.private_key)),
    }
    yield made
    for client in made.values():
        client.close()


@pytest.fixture(params=["fake", "token", "app"], scope="module")
def shared_stage(request: pytest.FixtureRequest) -> Stage:
    """One repository for all tests, each of which works on branches and pull requests of its own."""
    if request.param == "fake":
        return FakeStage()
    standin: Standin = request.getfixturevalue("standin")
    clients: dict[str, GitHubClient] = request.getfixturevalue("clients")
    there = standin.repository(
        f"acme/app-{request.param}",
        files=FILES,
        permissions={"acme-admin": "admin", "preflight-bot": "write"},
        private=True,
    )
    return StandinStage(clients[request.param], standin, there)


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    yield shared_stage
    shared_stage.heal()


@pytest.fixture
def number(stage: Stage) -> int:
    return stage.open_pull("alice", f"fix-{next(NUMBERS)}", {"src/app.py": "print(2)\n"})


@pytest.fixture
def login() -> str:
    return f"grace-{next(NUMBERS)}"


class TestReader:
    def test_a_pull_request_is_what_it_is_now(self, stage: Stage) -> None:
        number = stage.open_pull("alice", "fix/thing", {"src/app.py": "print(2)\n"}, draft=True)
        stage.label(number, "urgent")
        pull = stage.github.pull_request(stage.repository, number)
        assert pull.repository == stage.repository
        assert (pull.number, pull.author, pull.title) == (number, "alice", "fix/thing by alice")
        assert (pull.open, pull.draft, pull.labels) == (True, True, ("urgent",))
        assert (pull.head_ref, pull.base_ref) == ("fix/thing", "main")
        assert pull.head_sha == stage.github.tip(stage.repository, "fix/thing")
        assert pull.head_repository == stage.repository.full_name
        assert not pull.fork
        assert pull.updated_at.tzinfo is not None
        assert pull.comments == 0

    def test_a_repository_is_what_it_is_now_whatever_we_were_told(self, stage: Stage) -> None:
        told = replace(stage.repository, private=False, clone_url="https://evil.example/app.git")
        assert stage.github.repository(told) == stage.repository

    def test_a_closed_pull_request_is_seen_as_closed(self, stage: Stage, number: int) -> None:
        stage.close(number)
        assert not stage.github.pull_request(stage.repository, number).open

    def test_comments_are_counted(self, stage: Stage, number: int) -> None:
        stage.comment(number, "alice", "/test")
        assert stage.github.pull_request(stage.repository, number).comments == 1

    def test_there_is_no_such_pull_request(self, stage: Stage) -> None:
        with pytest.raises(GitHubNotFound):
            stage.github.pull_request(stage.repository, 4711)

    def test_a_pull_request_may_come_from_a_fork(self, stage: Stage) -> None:
        number = stage.open_pull("erin", "from-a-fork", {"src/app.py": "print(2)\n"}, fork=True)
        pull = stage.github.pull_request(stage.repository, number)
        assert pull.fork
        assert pull.head_repository == f"erin/{stage.repository.name}"
        assert stage.github.changed_files(pull).paths == ("src/app.py",)

    def test_a_forks_head_is_read_through_the_base_repository(self, stage: Stage) -> None:
        number = stage.open_pull("erin", "read-a-fork", {".github/preflight.yaml": "theirs\n"}, fork=True)
        head = stage.github.pull_request(stage.repository, number).head_sha
        assert stage.github.file(stage.repository, ".github/preflight.yaml", head) == b"theirs\n"

    @pytest.mark.parametrize("branch", ["topic", "release/1.x", "a#b", "50%", "-q", "ünï"])
    def test_a_tip_is_a_branchs_newest_commit(self, stage: Stage, branch: str) -> None:
        stage.push(branch, {"a": "1"})
        newest = stage.push(branch, {"a": "2"})
        assert stage.github.tip(stage.repository, branch) == newest

    @pytest.mark.parametrize("branch", ["no-such-branch", "mai"])
    def test_there_is_no_such_branch(self, stage: Stage, branch: str) -> None:
        with pytest.raises(GitHubNotFound):
            stage.github.tip(stage.repository, branch)

    def test_a_deleted_branch_is_not_found(self, stage: Stage) -> None:
        sha = stage.push("gone", {"a": "1"})
        assert stage.github.tip(stage.repository, "gone") == sha
        stage.delete_branch("gone")
        with pytest.raises(GitHubNotFound):
            stage.github.tip(stage.repository, "gone")

    @pytest.mark.parametrize("path", FILES)
    def test_a_file_has_the_content_of_its_commit(self, stage: Stage, path: str) -> None:
        before = stage.push("files", {path: "before\n"})
        after = stage.push("files", {path: "after\n"})
        assert stage.github.file(stage.repository, path, after) == b"after\n"
        assert stage.github.file(stage.repository, path, before) == b"before\n"

    def test_a_file_may_be_absent(self, stage: Stage) -> None:
        sha = stage.github.tip(stage.repository, "main")
        assert stage.github.file(stage.repository, "no/such/file", sha) is None

    def test_an_empty_file_is_not_absent(self, stage: Stage) -> None:
        sha = stage.push("empty", {"empty": ""})
        assert stage.github.file(stage.repository, "empty", sha) == b""

    def test_a_folder_is_no_file(self, stage: Stage) -> None:
        sha = stage.github.tip(stage.repository, "main")
        with pytest.raises(GitHubRefused, match="directory"):
            stage.github.file(stage.repository, "src", sha)

    def test_a_file_may_be_shared_by_all_repositories_of_an_owner(self, stage: Stage) -> None:
        name = f"shared-{next(NUMBERS)}.yaml"
        stage.share(name, "pipelines: {}\n")
        assert stage.github.shared_file(stage.repository, name) == b"pipelines: {}\n"

    def test_a_shared_file_may_be_absent(self, stage: Stage) -> None:
        assert stage.github.shared_file(stage.repository, "no/such.yaml") is None

    def test_an_owner_may_share_nothing(self, stage: Stage) -> None:
        elsewhere = replace(stage.repository, full_name=f"nobody-{next(NUMBERS)}/app")
        assert stage.github.shared_file(elsewhere, "preflight.yaml") is None

    def test_changed_files_are_those_of_the_pull_request(self, stage: Stage) -> None:
        number = stage.open_pull("alice", "two-files", {"src/app.py": "2\n", "docs/ünï.md": "new\n"})
        changed = stage.github.changed_files(stage.github.pull_request(stage.repository, number))
        assert sorted(changed.paths) == ["docs/ünï.md", "src/app.py"]
        assert changed.complete

    def test_changed_files_are_never_those_of_another_head(self, stage: Stage) -> None:
        branch = f"moved-{next(NUMBERS)}"
        number = stage.open_pull("alice", branch, {"src/app.py": "2\n"})
        pull = stage.github.pull_request(stage.repository, number)
        changed = stage.github.changed_files(replace(pull, head_sha="c0ffee" + "0" * 34))
        assert (changed.paths, changed.complete) == ((), False)

    def test_files_of_no_pull_request_are_not_found(self, stage: Stage, number: int) -> None:
        pull = stage.github.pull_request(stage.repository, number)
        with pytest.raises(GitHubNotFound):
            stage.github.changed_files(replace(pull, number=4711))

    @pytest.mark.parametrize("merge_group", [False, True], ids=["push", "merge_group"])
    def test_a_branch_changes_what_was_added_since_then(self, stage: Stage, merge_group: bool) -> None:  # noqa: FBT001 - a column
        name = f"gh-readonly-queue/main/{next(NUMBERS)}"
        before = stage.push(name, {"a": "1"})
        head = stage.push(name, {"b": "1", "src/app.py": "2\n"})
        changed = stage.github.changed_files(
            Branch(stage.repository, name, head, "main", before, merge_group=merge_group)
        )
        assert sorted(changed.paths) == ["b", "src/app.py"]
        assert changed.complete

    @pytest.mark.parametrize("before", ["", "0" * 40, "c0ffee" + "0" * 34, "main", "../../user"])
    def test_nobody_knows_what_a_new_branch_changes(self, stage: Stage, before: str) -> None:
        name = f"new-{next(NUMBERS)}"
        head = stage.push(name, {"a": "1"})
        changed = stage.github.changed_files(Branch(stage.repository, name, head, name, before))
        assert (changed.paths, changed.complete) == ((), False)

    def test_nor_what_a_forced_push_took_away(self, stage: Stage) -> None:
        name = f"forced-{next(NUMBERS)}"
        root = stage.push(name, {"a": "1"})
        before = stage.push(name, {"b": "1"})
        head = stage.push(name, {"c": "1"}, onto=root)
        changed = stage.github.changed_files(Branch(stage.repository, name, head, name, before))
        assert (changed.paths, changed.complete) == ((), False)


class TestPeople:
    @pytest.mark.parametrize("role", Permission)
    def test_a_role_is_told_exactly(self, stage: Stage, role: Permission) -> None:
        stage.permit(f"carol-{role.value}", role)
        assert stage.github.permission(stage.repository, f"carol-{role.value}") is role

    def test_logins_do_not_distinguish_case(self, stage: Stage) -> None:
        stage.permit("dora", Permission.WRITE)
        assert stage.github.permission(stage.repository, "Dora") is Permission.WRITE

    @pytest.mark.parametrize("login", ["nobody-of-that-name", "dependabot[bot]", ""])
    def test_who_is_unknown_may_do_nothing(self, stage: Stage, login: str) -> None:
        assert stage.github.permission(stage.repository, login) is Permission.NONE

    def test_a_member_of_the_organisation(self, stage: Stage, login: str) -> None:
        stage.join("acme", login)
        assert stage.github.member(stage.repository, login, "acme")
        assert stage.github.member(stage.repository, login.upper(), "Acme")

    def test_a_member_of_a_team(self, stage: Stage, login: str) -> None:
        stage.join("acme/ci", login)
        assert stage.github.member(stage.repository, login, "acme/ci")
        assert stage.github.member(stage.repository, login, "Acme/CI")

    def test_a_member_of_the_organisation_is_not_in_all_of_its_teams(self, stage: Stage, login: str) -> None:
        stage.join("acme/ci", "acme-admin")
        stage.join("acme", login)
        assert not stage.github.member(stage.repository, login, "acme/ci")

    def test_who_was_invited_only_is_no_member(self, stage: Stage, login: str) -> None:
        stage.join("acme/ci", login, pending=True)
        assert not stage.github.member(stage.repository, login, "acme/ci")

    def test_who_left_is_no_member(self, stage: Stage, login: str) -> None:
        for group in ("acme/ci", "acme"):
            stage.join(group, login)
            assert stage.github.member(stage.repository, login, group)
        for group in ("acme/ci", "acme"):
            stage.leave(group, login)
        stage.github.forget(stage.repository)
        assert not stage.github.member(stage.repository, login, "acme/ci")
        assert not stage.github.member(stage.repository, login, "acme")

    @pytest.mark.parametrize("group", ["acme", "acme/ci", "acme/no-such-team", "no-such-organisation", ""])
    @pytest.mark.parametrize("who", ["nobody-of-that-name", "renovate[bot]", "", "..", "a/../../b"])
    def test_who_is_unknown_is_no_member(self, stage: Stage, group: str, who: str) -> None:
        assert not stage.github.member(stage.repository, who, group)

    def test_of_another_organisation_public_members_are_known(self, stage: Stage, login: str) -> None:
        stage.join("elsewhere", login, public=True)
        stage.join("elsewhere", f"concealed-{login}")
        assert stage.github.member(stage.repository, login, "elsewhere")
        assert not stage.github.member(stage.repository, f"concealed-{login}", "elsewhere")

    def test_of_another_organisation_no_team_is_known(self, stage: Stage, login: str) -> None:
        stage.join("elsewhere/ci", login)
        assert not stage.github.member(stage.repository, login, "elsewhere/ci")


class TestWriter:
    def test_a_status_is_set(self, stage: Stage, number: int) -> None:
        sha = stage.github.pull_request(stage.repository, number).head_sha
        stage.github.set_status(stage.repository, sha, PENDING)
        done = Status("preflight/unit", StatusState.SUCCESS, "3/3 steps passed")
        stage.github.set_status(stage.repository, sha, done)
        assert stage.statuses(sha) == [
            ("preflight/unit", "pending", "queued", "https://preflight.example/runs/1"),
            ("preflight/unit", "success", "3/3 steps passed", ""),
        ]

    @pytest.mark.parametrize("state", StatusState)
    def test_every_state_can_be_set(self, stage: Stage, state: StatusState) -> None:
        sha = stage.push("states", {"state": state.value})
        stage.github.set_status(stage.repository, sha, Status("preflight/unit", state, "é" * 140))
        assert stage.statuses(sha) == [("preflight/unit", state.value, "é" * 140, "")]

    def test_a_description_of_over_140_characters_is_refused(self, stage: Stage) -> None:
        sha = stage.push("too-long", {"too": "long"})
        with pytest.raises(GitHubRefused, match="140"):
            stage.github.set_status(stage.repository, sha, Status("c", StatusState.PENDING, "x" * 141))
        assert stage.statuses(sha) == []

    def test_a_status_needs_a_commit(self, stage: Stage) -> None:
        with pytest.raises(GitHubRefused, match="commit"):
            stage.github.set_status(stage.repository, "0" * 40, PENDING)

    def test_a_comment_is_created_found_and_edited(self, stage: Stage, number: int) -> None:
        made = stage.github.create_comment(stage.repository, number, f"first {MARKER}")
        assert stage.github.find_comment(stage.repository, number, MARKER) == made
        stage.github.edit_comment(stage.repository, made, f"second {MARKER}")
        assert stage.bodies(number) == [f"second {MARKER}"]
        assert stage.github.find_comment(stage.repository, number, MARKER) == made

    def test_a_comment_keeps_every_character(self, stage: Stage, number: int) -> None:
        body = 'Grüße, \U0001f600 "quoted" `code` \\ <b>\r\n\ttab'
        stage.github.create_comment(stage.repository, number, body)
        assert stage.bodies(number) == [body]

    def test_nobody_elses_comment_is_taken_for_ours(self, stage: Stage, number: int) -> None:
        stage.comment(number, "mallory", f"I know your marker {MARKER}")
        assert stage.github.find_comment(stage.repository, number, MARKER) is None

    def test_our_comment_without_the_marker_is_another_one(self, stage: Stage, number: int) -> None:
        stage.github.create_comment(stage.repository, number, "on it")
        assert stage.github.find_comment(stage.repository, number, MARKER) is None

    def test_a_marker_that_our_comment_quotes_does_not_count(self, stage: Stage, number: int) -> None:
        stage.github.create_comment(stage.repository, number, f"a step printed\n```\n{MARKER}\n```\n")
        assert stage.github.find_comment(stage.repository, number, MARKER) is None

    def test_white_space_after_the_marker_does_not_matter(self, stage: Stage, number: int) -> None:
        made = stage.github.create_comment(stage.repository, number, f"hello\n\n{MARKER}\n")
        assert stage.github.find_comment(stage.repository, number, MARKER) == made

    def test_of_two_comments_the_oldest_is_found(self, stage: Stage, number: int) -> None:
        oldest = stage.github.create_comment(stage.repository, number, f"1 {MARKER}")
        stage.github.create_comment(stage.repository, number, f"2 {MARKER}")
        assert stage.github.find_comment(stage.repository, number, MARKER) == oldest

    def test_a_comment_needs_a_pull_request(self, stage: Stage) -> None:
        with pytest.raises(GitHubNotFound):
            stage.github.create_comment(stage.repository, 4711, "hello")
        with pytest.raises(GitHubNotFound):
            stage.github.find_comment(stage.repository, 4711, MARKER)

    def test_a_comment_may_be_too_long(self, stage: Stage, number: int) -> None:
        stage.github.create_comment(stage.repository, number, "x" * 65_536)
        with pytest.raises(GitHubRefused):
            stage.github.create_comment(stage.repository, number, "x" * 65_537)

    def test_a_deleted_comment_cannot_be_edited(self, stage: Stage, number: int) -> None:
        made = stage.github.create_comment(stage.repository, number, MARKER)
        stage.delete_comment(number, made)
        with pytest.raises(GitHubNotFound):
            stage.github.edit_comment(stage.repository, made, "again")
        assert stage.github.find_comment(stage.repository, number, MARKER) is None

    def test_a_comment_of_ours_is_deleted(self, stage: Stage, number: int) -> None:
        made = stage.github.create_comment(stage.repository, number, MARKER)
        stage.comment(number, "alice", "hello")
        stage.github.delete_comment(stage.repository, made)
        assert stage.bodies(number) == ["hello"]
        assert stage.github.find_comment(stage.repository, number, MARKER) is None

    def test_deleting_a_comment_twice_is_harmless(self, stage: Stage, number: int) -> None:
        made = stage.github.create_comment(stage.repository, number, MARKER)
        stage.github.delete_comment(stage.repository, made)
        stage.github.delete_comment(stage.repository, made)
        assert stage.bodies(number) == []

    def test_a_reaction_given_twice_is_one(self, stage: Stage, number: int) -> None:
        command = stage.comment(number, "alice", "/test")
        stage.github.react(stage.repository, command, "eyes")
        stage.github.react(stage.repository, command, "eyes")
        assert stage.reactions(number, command) == ["eyes"]

    def test_a_reaction_needs_a_comment(self, stage: Stage) -> None:
        with pytest.raises(GitHubNotFound):
            stage.github.react(stage.repository, 4711, "eyes")


def set_a_status(stage: Stage, number: int) -> None:
    sha = stage.github.pull_request(stage.repository, number).head_sha
    stage.github.set_status(stage.repository, sha, PENDING)


def post_a_comment(stage: Stage, number: int) -> None:
    stage.github.create_comment(stage.repository, number, MARKER)


class TestFailures:
    @pytest.mark.parametrize("write", [set_a_status, post_a_comment])
    def test_a_failed_write_is_not_repeated_by_the_adapter(
        self, stage: Stage, number: int, write: Callable[[Stage, int], None]
    ) -> None:
        stage.fail(executed=False)
        with pytest.raises(GitHubUnavailable):
            write(stage, number)
        sha = stage.github.pull_request(stage.repository, number).head_sha
        assert (stage.bodies(number), stage.statuses(sha)) == ([], [])

    def test_a_write_whose_answer_was_lost_was_done_once_and_can_be_found(
        self, stage: Stage, number: int
    ) -> None:
        stage.fail(executed=True)
        with pytest.raises(GitHubUnavailable):
            stage.github.create_comment(stage.repository, number, MARKER)
        assert stage.bodies(number) == [MARKER]
        assert stage.github.find_comment(stage.repository, number, MARKER) is not None

    def test_an_edit_whose_answer_was_lost_was_done(self, stage: Stage, number: int) -> None:
        made = stage.github.create_comment(stage.repository, number, MARKER)
        stage.fail(executed=True)
        with pytest.raises(GitHubUnavailable):
            stage.github.edit_comment(stage.repository, made, f"edited {MARKER}")
        assert stage.bodies(number) == [f"edited {MARKER}"]

    def test_a_limit_says_how_long_to_wait(self, stage: Stage, number: int) -> None:
        stage.limit(1)
        with pytest.raises(GitHubRateLimited) as limited:
            stage.github.create_comment(stage.repository, number, MARKER)
        assert limited.value.retry_after == 1
        time.sleep(limited.value.retry_after)
        stage.github.create_comment(stage.repository, number, MARKER)
        assert stage.bodies(number) == [MARKER]

    def test_threads_may_share_an_adapter(self, stage: Stage, number: int) -> None:
        bodies = [f"comment {each}" for each in range(16)]
        with ThreadPoolExecutor(8) as threads:
            ids = list(
                threads.map(lambda body: stage.github.create_comment(stage.repository, number, body), bodies)
            )
        assert len(set(ids)) == 16
        assert sorted(stage.bodies(number)) == sorted(bodies)
