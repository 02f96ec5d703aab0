"""Which files are changed: lists that are cut, late, or about something else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import GitHubClient, PersonalToken
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.models import Branch, ChangedFiles
from tests.adapters.github_answering import PULL, REPOSITORY, Answering, Asked, Say, answering

if TYPE_CHECKING:
    from bot.models import Subject

BEFORE, HEAD = "b" * 40, "c0ffee" + "0" * 34
BRANCH = Branch(REPOSITORY, "main", HEAD, "main", BEFORE)
UNKNOWN = ChangedFiles((), complete=False)
TOO_SLOW = Say(422, {"message": "Server Error: Sorry, this diff is taking too long to generate."})


def client(server: Answering) -> GitHubClient:
    return GitHubClient(server.url, PersonalToken("ghp_x"))


def changed(subject: Subject, *says: Say) -> ChangedFiles:
    with answering(*says).running() as server:
        return client(server).changed_files(subject)


def file(name: str, ref: str, status: str = "modified") -> dict[str, str]:
    return {
        "filename": name,
        "status": status,
        "contents_url": f"http://x/repos/acme/app/contents/{name}?ref={ref}",
    }


def compared(*names: str, status: str = "ahead") -> Say:
    return Say(body={"status": status, "files": [{"filename": name} for name in names]})


def files_of(count: int, ref: str, status: str = "modified") -> list[dict[str, str]]:
    return [file(f"{number}", ref, status) for number in range(count)]


def in_pages(*pages: list[dict[str, str]], comparison: Say) -> Answering:
    """GitHub with these pages of a pull request's files, and one answer to every comparison."""

    def answer(asked: Asked) -> Say:
        if "/compare/" in asked.path:
            return comparison
        number = int(asked.path.partition("?page=")[2].partition("&")[0])
        following = f'<{server.url}/x?page={number + 1}>; rel="next"'
        return Say(body=pages[number - 1], headers={"Link": following} if number < len(pages) else {})

    server = Answering(answer)
    return server


class TestPullRequest:
    """Its list is believed where each page has a file that names the head, and none that names another."""

    COMPARISON = compared("really")

    @pytest.mark.parametrize(
        ("count", "complete"), [(2999, True), (3000, False), (3500, False)], ids=["2999", "3000", "3500"]
    )
    def test_a_list_that_was_cut_is_not_complete(self, count: int, complete: bool) -> None:  # noqa: FBT001 - a column
        files = files_of(count, "c0ffee")
        pages = [files[first : first + 100] for first in range(0, count, 100)]
        with in_pages(*pages, comparison=self.COMPARISON).running() as server:
            found = client(server).changed_files(PULL)
        assert (len(found.paths), found.complete) == (min(count, 3000), complete)
        assert len(server.asked) == 30

    @pytest.mark.parametrize(
        "pages",
        [
            pytest.param([[file("a", "c0ffee")]], id="of the head"),
            pytest.param([[file("a", "c0ffee"), file("b", "decaf", "removed")]], id="with a removed file"),
            pytest.param([files_of(100, "c0ffee"), [file("a", "c0ffee")]], id="two pages of the head"),
        ],
    )
    def test_a_list_that_proves_its_head_is_enough(self, pages: list[list[dict[str, str]]]) -> None:
        with in_pages(*pages, comparison=self.COMPARISON).running() as server:
            found = client(server).changed_files(PULL)
        assert found == ChangedFiles(tuple(each["filename"] for page in pages for each in page))
        assert len(server.asked) == len(pages)

    UNPROVED = pytest.mark.parametrize(
        "pages",
        [
            pytest.param([[file("a", "decaf")]], id="of the head before"),
            pytest.param([[file("a", "c0ffee"), file("b", "decaf")]], id="of two heads"),
            pytest.param([[file("b", "decaf", "removed")]], id="removed files only"),
            pytest.param([[file("b", "c0ffee", "removed")]], id="removed files only, whatever they name"),
            pytest.param([[{"filename": "a"}]], id="of an unnamed head"),
            pytest.param([[]], id="of nothing"),
            pytest.param([files_of(100, "c0ffee"), [file("a", "decaf")]], id="a later page of another head"),
            pytest.param([files_of(100, "c0ffee"), []], id="a later page of nothing"),
            pytest.param(
                [files_of(100, "c0ffee"), [file("a", "decaf", "removed")]],
                id="a later page of removed files only",
            ),
            pytest.param(
                [files_of(100, "decaf", "removed"), [file("a", "c0ffee")]],
                id="a first page of removed files only",
            ),
        ],
    )

    @UNPROVED
    @pytest.mark.parametrize("status", ["ahead", "diverged", "behind", "identical"])
    def test_else_the_head_is_compared_with_the_base(
        self, pages: list[list[dict[str, str]]], status: str
    ) -> None:
        with in_pages(*pages, comparison=compared("really", status=status)).running() as server:
            assert client(server).changed_files(replace(PULL, base_ref="v1/#x")) == ChangedFiles(("really",))
        assert len(server.asked) == len(pages) + 1
        assert server.asked[-1].path == "/repos/acme/app/compare/v1/%23x...c0ffee?page=1&per_page=1"

    @UNPROVED
    @pytest.mark.parametrize(
        "comparison",
        [
            pytest.param(Say(404, {"message": "Not Found"}), id="a head that GitHub does not see yet"),
            pytest.param(Say(body={"status": "ahead"}), id="no files"),
            pytest.param(TOO_SLOW, id="too slow"),
        ],
    )
    def test_what_can_not_be_proved_skips_nothing(
        self, pages: list[list[dict[str, str]]], comparison: Say
    ) -> None:
        with in_pages(*pages, comparison=comparison).running() as server:
            assert client(server).changed_files(PULL) == UNKNOWN

    @pytest.mark.parametrize(("count", "complete"), [(299, True), (300, False)])
    def test_many_removed_files_are_as_many_as_a_comparison_tells(self, count: int, complete: bool) -> None:  # noqa: FBT001 - a column
        removed = files_of(count, "decaf", "removed")
        pages = [removed[first : first + 100] for first in range(0, count, 100)]
        whole = compared(*(each["filename"] for each in removed))
        with in_pages(*pages, comparison=whole).running() as server:
            found = client(server).changed_files(PULL)
        assert (len(found.paths), found.complete) == (count, complete)

    def test_a_pull_request_that_changes_nothing_is_known_to(self) -> None:
        with in_pages([], comparison=compared(status="identical")).running() as server:
            assert client(server).changed_files(PULL) == ChangedFiles(())

    def test_a_renamed_file_counts_with_both_names(self) -> None:
        moved = {**file("new", "c0ffee", "renamed"), "previous_filename": "old"}
        assert changed(PULL, Say(body=[moved])).paths == ("old", "new")

    def test_it_is_kept(self) -> None:
        with answering(Say(body=[file("a", PULL.head_sha)])).running() as server:
            github = client(server)
            assert github.changed_files(PULL) is github.changed_files(PULL)
        assert len(server.asked) == 1

    def test_what_nobody_could_tell_is_soon_asked_again(self) -> None:
        now = [1000.0]
        unseen, seen = (Say(body=[]), Say(404, {"message": "Not Found"})), Say(body=[file("a", "c0ffee")])
        with answering(*unseen, seen).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"), clock=lambda: now[0])
            assert github.changed_files(PULL) == UNKNOWN
            assert github.changed_files(PULL) == UNKNOWN  # the same decision asks twice
            assert len(server.asked) == 2
            now[0] += 10
            assert github.changed_files(PULL) == ChangedFiles(("a",))

    def test_a_diff_that_takes_github_too_long(self) -> None:
        assert changed(PULL, TOO_SLOW) == UNKNOWN


class TestBranch:
    def test_is_asked_for_once_and_without_its_commits(self) -> None:
        with answering(compared("a")).running() as server:
            github = client(server)
            assert github.changed_files(BRANCH) == ChangedFiles(("a",))
            assert github.changed_files(replace(BRANCH, merge_group=True)) == ChangedFiles(("a",))
        (asked,) = server.asked
        assert asked.path == f"/repos/acme/app/compare/{BEFORE}...{HEAD}?page=1&per_page=1"

    def test_a_renamed_file_counts_with_both_names(self) -> None:
        moved = {"filename": "new", "previous_filename": "old", "status": "renamed"}
        assert changed(BRANCH, Say(body={"status": "ahead", "files": [moved]})).paths == ("old", "new")

    @pytest.mark.parametrize(("count", "complete"), [(299, True), (300, False)])
    def test_a_list_that_was_cut_is_not_complete(self, count: int, complete: bool) -> None:  # noqa: FBT001 - a column
        found = changed(BRANCH, compared(*(f"{number}" for number in range(count))))
        assert (len(found.paths), found.complete) == (count, complete)

    def test_without_a_change_nothing_is_changed(self) -> None:
        assert changed(BRANCH, compared(status="identical")) == ChangedFiles(())

    @pytest.mark.parametrize("status", ["diverged", "behind"])
    def test_what_a_forced_push_took_away_is_in_no_list(self, status: str) -> None:
        assert changed(BRANCH, compared("a", status=status)) == UNKNOWN

    @pytest.mark.parametrize(
        "says",
        [
            pytest.param(Say(404, {"message": "Not Found"}), id="before is gone"),
            pytest.param(
                Say(404, {"message": "No common ancestor between b and c."}), id="nothing in common"
            ),
            pytest.param(Say(body={"status": "ahead"}), id="no files"),
            pytest.param(TOO_SLOW, id="too slow"),
        ],
    )
    def test_what_can_not_be_compared_skips_nothing(self, says: Say) -> None:
        assert changed(BRANCH, says) == UNKNOWN

    @pytest.mark.parametrize("before", ["", "0" * 40, "0" * 64, "main", "b" * 39, f"{BEFORE}..", "../x"])
    def test_without_a_commit_to_compare_with_nothing_is_asked(self, before: str) -> None:
        with answering(Say(500)).running() as server:
            assert client(server).changed_files(replace(BRANCH, before=before)) == UNKNOWN
        assert server.asked == []

    @pytest.mark.parametrize(("says", "error"), [(Say(500), GitHubUnavailable), (Say(403), GitHubRefused)])
    def test_no_answer_is_told_as_such(self, says: Say, error: type[Exception]) -> None:
        with pytest.raises(error):
            changed(BRANCH, says)
