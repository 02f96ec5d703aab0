"""What the GitHub adapter remembers: new names of repositories, permissions, files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import GitHubClient, PersonalToken
from bot.errors import GitHubUnavailable
from bot.models import Permission, Repository
from tests.adapters.github_there import MARKER, NUMBERS, PENDING, There

if TYPE_CHECKING:
    from tests.github_standin.client import Role


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

    def test_a_tip_is_not_remembered(self, there: There) -> None:
        there.github.tip(there.known, "main")
        newest = there.repository.push("alice", {"new": "1"})
        assert there.github.tip(there.known, "main") == newest

    def test_unless_it_need_not_be_newer(self, there: There) -> None:
        old = there.github.tip(there.known, "main")
        there.clock.now += 5
        newest = there.repository.push("alice", {"new": "1"})
        mark = there.standin.mark()
        assert there.github.tip(there.known, "main", within=6) == old
        assert there.requests(mark) == []
        assert there.github.tip(there.known, "main", within=4) == newest
        assert there.github.tip(there.known, "main", within=1) == newest
        assert len(there.requests(mark)) == 1

    def test_nor_after_it_was_forgotten(self, there: There) -> None:
        there.github.tip(there.known, "main")
        newest = there.repository.push("alice", {"new": "1"})
        there.github.forget(there.known)
        assert there.github.tip(there.known, "main", within=60) == newest
