"""CODEOWNERS, by GitHub's rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.codeowners import owners

FILE = """\
# Everybody is asked about what nobody else owns.
*       @acme/everybody

*.js    @js-owner # its author
/docs/  @doctor @acme/writers
apps/   @octocat
/apps/github
docs/*  docs@example.com
/scripts/ @doctor @octocat
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", ("@acme/everybody",)),
        ("lib/a.js", ("@js-owner",)),
        ("docs/a.md", ()),
        ("docs/deep/a.md", ("@doctor", "@acme/writers")),
        ("lib/docs/a.md", ("@acme/everybody",)),
        ("lib/apps/a.md", ("@octocat",)),
        ("apps/a.js", ("@octocat",)),
        ("apps/github/a.md", ()),
        ("scripts/x", ("@doctor", "@octocat")),
    ],
)
def test_the_last_line_that_matches_counts(path: str, expected: tuple[str, ...]) -> None:
    assert owners(FILE, [path]) == expected


def test_each_file_has_its_own_line() -> None:
    assert set(owners(FILE, ["a.js", "README.md"])) == {"@js-owner", "@acme/everybody"}


def test_who_owns_most_comes_first() -> None:
    content = "/a @one\n/b/ @two\n"
    assert owners(content, ["a", "b/1", "b/2"]) == ("@two", "@one")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("* @alice", ("@alice",)),
        ("*\t@alice\t@bob\r", ("@alice", "@bob")),
        ("* @alice @alice @Alice", ("@alice",)),
        ("* @acme/ci", ("@acme/ci",)),
        ("* alice", ()),
        ("* @", ()),
        ("* @a/b/c", ()),
        ("* @alice#x", ()),
        ("* alice@example.com", ()),
        ("* @alice # @bob", ("@alice",)),
        ("#* @alice", ()),
        ("!x @alice", ()),
        ("[a-z] @alice", ()),
        ("\\#x @alice", ()),
        ("", ()),
        ("my\\ file @alice", ("@alice",)),
    ],
)
def test_lines(line: str, expected: tuple[str, ...]) -> None:
    assert owners(line, ["x", "my file"]) == expected


def test_a_line_that_github_does_not_read_changes_nothing() -> None:
    assert owners("* @alice\n!x\n../x @bob\n[x] @bob\n", ["x"]) == ("@alice",)


@pytest.mark.parametrize(
    ("content", "paths"),
    [("", ["x"]), ("* @alice", []), ("* @alice\n" * 400_000, ["x"])],
    ids=["no-file", "no-paths", "huge"],
)
def test_nobody(content: str, paths: list[str]) -> None:
    assert owners(content, paths) == ()


def test_there_are_never_more_than_twenty() -> None:
    assert len(owners("* " + " ".join(f"@u{number}" for number in range(100)), ["x"])) == 20


@given(
    st.text(alphabet="*/ab@#! []\\\n", max_size=60), st.lists(st.text(alphabet="ab/", max_size=6), max_size=4)
)
def test_whatever_the_file_says_only_owners_come_out(content: str, paths: list[str]) -> None:
    assert all(owner.startswith("@") for owner in owners(content, paths))
