"""Which lines of which files a pull request's diff shows."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.github import GitHubClient, PersonalToken
from bot.adapters.github.diff_lines import hunks
from bot.errors import GitHubUnavailable
from tests.adapters.github_answering import PULL, REPOSITORY, Answering, Asked, Say, answering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.adapters.github_there import There

HEAD = PULL.head_sha
LINES = st.lists(st.text("ab@ +-,1 \r\f\v\x1c\x85\u2028", max_size=12), max_size=30)


def file(
    name: str, ref: str = HEAD, patch: str | None = "@@ -1 +1 @@\n-a\n+b", status: str = "modified"
) -> Say:
    shown = {"filename": name, "status": status, "contents_url": f"http://x/contents/{name}?ref={ref}"}
    return Say(body=shown if patch is None else {**shown, "patch": patch})


def page(*files: Say) -> Say:
    return Say(body=[each.body for each in files])


def lines(*says: Say) -> Mapping[str, Sequence[range]]:
    with answering(*says).running() as server:
        return GitHubClient(server.url, PersonalToken("ghp_x")).changed_lines(REPOSITORY, 3, HEAD)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param("@@ -1 +1 @@\n-a\n+b", [range(1, 2)], id="a line"),
        pytest.param("@@ -0,0 +1,3 @@\n+a\n+b\n+c", [range(1, 4)], id="a new file"),
        pytest.param("@@ -1,2 +0,0 @@\n-a\n-b", [], id="an emptied file"),
        pytest.param("@@ -3,2 +2,0 @@\n-a\n-b", [], id="lines taken away without context"),
        pytest.param(
            "@@ -1,3 +1,4 @@ def f():\n a\n+b\n c\n d\n@@ -90,2 +91,3 @@ class A:\n x\n+y\n z",
            [range(1, 5), range(91, 94)],
            id="two hunks with context",
        ),
        pytest.param("@@ -1 +1 @@\n-a\n+@@ -1 +50,9 @@", [range(1, 2)], id="a header in the file"),
        pytest.param("@@ -1 +1 @@\n-a\n+x\r@@ -1 +50,9 @@", [range(1, 2)], id="a header behind a return"),
        pytest.param(
            "@@ -1 +1 @@\n-a\n+x\u2028@@ -1 +50,9 @@", [range(1, 2)], id="a header behind a separator"
        ),
        pytest.param("@@ -1 +99999999999999999999 @@", [], id="a line that no file has"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_hunks_are_the_new_lines(patch: str, expected: list[range]) -> None:
    assert list(hunks(patch)) == expected


@given(LINES, LINES)
def test_every_added_line_is_in_a_hunk_and_no_hunk_leaves_the_file(
    before: list[str], after: list[str]
) -> None:
    diff = list(unified_diff(before, after, lineterm=""))[2:]
    shown = {line for each in hunks("\n".join(diff)) for line in each}
    assert shown <= set(range(1, len(after) + 1))
    kept = [line for line in diff if line[:1] in "+ "]
    assert [after[line - 1] for line in sorted(shown)] == [line[1:] for line in kept]


class TestProof:
    """GitHub's list may be of another head: each file says for itself which one it is of."""

    def test_files_of_the_head_count(self) -> None:
        assert lines(page(file("a"), file("b"))) == {"a": (range(1, 2),), "b": (range(1, 2),)}

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(file("b", ref="decaf"), id="of another head"),
            pytest.param(file("b", status="removed"), id="removed"),
            pytest.param(file("b", patch=None), id="without a textual diff"),
            pytest.param(file("b", patch="@@ -1,2 +0,0 @@\n-a\n-b"), id="emptied"),
            pytest.param(Say(body={"filename": "b", "patch": "@@ -1 +1 @@\n-a\n+b"}), id="of no head"),
        ],
    )
    def test_others_do_not(self, other: Say) -> None:
        assert lines(page(file("a"), other)) == {"a": (range(1, 2),)}

    def test_a_diff_that_takes_github_too_long_has_none(self) -> None:
        assert lines(Say(422, {"message": "Sorry, this diff is taking too long to generate."})) == {}

    def test_an_outage_is_told_as_such(self) -> None:
        with pytest.raises(GitHubUnavailable):
            lines(Say(503))


class TestRequests:
    def test_each_hundred_files_take_one_and_3000_are_all(self) -> None:
        def answer(asked: Asked) -> Say:
            number = int(asked.path.partition("?page=")[2].partition("&")[0])
            files = [file(f"{number}/{each}").body for each in range(100)]
            return Say(body=files, headers={"Link": f'<{server.url}/x?page={number + 1}>; rel="next"'})

        server = Answering(answer)
        with server.running():
            found = GitHubClient(server.url, PersonalToken("ghp_x")).changed_lines(REPOSITORY, 3, HEAD)
        assert (len(found), len(server.asked)) == (3000, 30)

    def test_they_are_kept_for_an_hour_and_none_for_ten_seconds(self) -> None:
        now = [1000.0]
        with answering(page(), page(file("a"))).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"), clock=lambda: now[0])
            for _ in range(2):
                assert github.changed_lines(REPOSITORY, 3, HEAD) == {}
            now[0] += 10
            for _ in range(2):
                assert list(github.changed_lines(REPOSITORY, 3, HEAD)) == ["a"]
            assert len(server.asked) == 2
            now[0] += 3600
            github.changed_lines(REPOSITORY, 3, HEAD)
            assert len(server.asked) == 3
            github.forget(REPOSITORY)
            github.changed_lines(REPOSITORY, 3, HEAD)
            assert len(server.asked) == 4

    def test_after_the_changed_files_they_cost_nothing_of_the_hour(self, there: There) -> None:
        there.github.changed_files(there.view)
        before = there.github.quota(there.known)
        assert there.github.changed_lines(there.known, there.pull.number, there.sha) == {
            "src/app.py": (range(1, 2),)
        }
        after = there.github.quota(there.known)
        assert before is not None
        assert after is not None
        assert after.remaining == before.remaining
