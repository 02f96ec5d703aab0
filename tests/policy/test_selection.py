"""Whether a pipeline applies: by event, branch, labels and changed files."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Branch, ChangedFiles
from bot.policy.configuration import parse
from bot.policy.selection import listens, skip_reason
from tests.examples import HEAD, REPOSITORY, pull
from tests.policy.test_configuration_keys import pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from bot.policy.configuration import Pipeline

NO_FILES = "no matching files"


def skips(one: Pipeline, *paths: str, complete: bool = True) -> str | None:
    """Why the pipeline does not apply where these files change."""
    return skip_reason(one, pull(), lambda: ChangedFiles(paths, complete))


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern matches the changed file."""
    return skips(pipeline(paths=[pattern]), path) is None


def unasked() -> ChangedFiles:
    raise AssertionError("nobody needs to know the changed files")


class TestEvents:
    def test_by_default_pull_requests_and_merge_groups(self) -> None:
        heard = [
            event for event in ("pull_request", "merge_group", "push", "ping") if listens(pipeline(), event)
        ]
        assert heard == ["pull_request", "merge_group"]

    def test_else_those_that_are_named(self) -> None:
        one = pipeline(on=["push"])
        assert listens(one, "push")
        assert not listens(one, "pull_request")


class TestBranches:
    @pytest.mark.parametrize(
        ("pattern", "branch", "expected"),
        [
            ("main", "main", True),
            ("main", "main2", False),
            ("main", "x/main", False),
            ("main", "main/x", False),
            ("main", "Main", False),
            ("release/*", "release/1", True),
            ("release/*", "release/1/x", False),
            ("release/*", "release", False),
            ("release/**", "release/1", True),
            ("release/**", "release/1/x", True),
            ("release/**", "release", False),
            ("**", "a/b/c", True),
            ("*", "main", True),
            ("*", "a/b", False),
            ("**/x", "x", True),
            ("**/x", "a/b/x", True),
            ("a/**/z", "a/z", True),
            ("a/**/z", "a/b/c/z", True),
            ("a/**/z", "a/b/c/y", False),
            ("v[0-9].?", "v1.x", True),
            ("v[!0-9]", "v1", False),
            ("ü*", "über", True),
            ("a+b", "a+b", True),
            ("a.b", "axb", False),
        ],
    )
    def test_patterns(self, pattern: str, branch: str, *, expected: bool) -> None:
        said = skip_reason(pipeline(branches=[pattern]), pull(base_ref=branch), unasked)
        assert said == (None if expected else f"not for branch {branch}")
        ignored = skip_reason(pipeline(branches_ignore=[pattern]), pull(base_ref=branch), unasked)
        assert (ignored is not None) is expected

    def test_one_of_several_is_enough(self) -> None:
        assert (
            skip_reason(pipeline(branches=["main", "release/**"]), pull(base_ref="release/1"), unasked)
            is None
        )

    def test_to_be_ignored_weighs_more(self) -> None:
        one = pipeline(branches=["release/**"], branches_ignore=["release/old"])
        assert skip_reason(one, pull(base_ref="release/old"), unasked) == "not for branch release/old"

    def test_of_the_patterns_that_match_the_last_counts(self) -> None:
        one = pipeline(branches=["release/**", "!release/old*", "release/older"])
        said = {
            name: skip_reason(one, pull(base_ref=f"release/{name}"), unasked)
            for name in ("1", "old", "older")
        }
        assert said == {"1": None, "old": "not for branch release/old", "older": None}

    def test_a_merge_group_counts_by_where_it_goes_and_a_push_by_itself(self) -> None:
        one = pipeline(branches=["main"])
        group = Branch(REPOSITORY, "gh-readonly-queue/main/pr-1", HEAD, "main", merge_group=True)
        assert skip_reason(one, group, unasked) is None
        assert skip_reason(one, Branch(REPOSITORY, "dev", HEAD, "dev"), unasked) == "not for branch dev"


class TestLabels:
    @pytest.mark.parametrize(
        ("wanted", "there", "said"),
        [
            (["e2e"], ("e2e",), None),
            (["e2e"], ("E2E", "x"), None),
            (["e2e", "slow"], ("slow",), None),
            (["e2e"], (), "no label e2e"),
            (["e2e", "slow"], ("x",), "no label e2e or slow"),
        ],
    )
    def test_one_of_them_must_be_there(
        self, wanted: list[str], there: tuple[str, ...], said: str | None
    ) -> None:
        assert skip_reason(pipeline(labels=wanted), pull(labels=there), unasked) == said

    def test_a_branch_has_none_and_is_not_asked(self) -> None:
        group = Branch(REPOSITORY, "gh-readonly-queue/main/pr-1", HEAD, "main", merge_group=True)
        assert skip_reason(pipeline(labels=["e2e"]), group, unasked) is None


PATTERNS = [
    ("src/**", "src/app.py", True),
    ("src/**", "src/deep/down/app.py", True),
    ("src/**", "lib/src/app.py", False),
    ("src/**", "src", False),
    ("src/", "src/app.py", True),
    ("src/", "lib/src/app.py", True),
    ("src/", "src", False),
    ("src", "src", True),
    ("src", "lib/src/app.py", True),
    ("/src", "lib/src/app.py", False),
    ("*.py", "deep/app.py", True),
    ("/*.py", "deep/app.py", False),
    ("*.py", "x.py/y", True),
    ("docs/*.md", "docs/a.md", True),
    ("docs/*.md", "docs/deep/a.md", False),
    ("docs/*", "docs/deep/a.md", True),
    ("docs/*/", "docs/a.md", False),
    ("docs/*/", "docs/deep/a.md", True),
    ("**/test_*.py", "x/y/test_z.py", True),
    ("**/test_*.py", "test_z.py", True),
    ("**/a/b", "x/a/b/c", True),
    ("**/a/b", "a/x/b", False),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/x/y/b", True),
    ("a/**/b", "b", False),
    ("a/**/b/**/c", "a/1/b/2/3/c", True),
    ("a/**/b/**/c", "a/1/c/2/b", False),
    ("**", "a/b", True),
    ("**/", "a", False),
    ("**/", "a/b", True),
    ("a/**/", "a/b", False),
    ("a/**/", "a/b/c", True),
    ("a**b", "axxb", True),
    ("a**b", "ax/xb", False),
    ("***", "a/b", True),
    ("src/[ab].py", "src/a.py", True),
    ("src/[ab].py", "src/c.py", False),
    ("src/[!ab].py", "src/c.py", True),
    ("src/[^ab].py", "src/a.py", False),
    ("[]x]", "]", True),
    ("[a-]", "-", True),
    ("[[:digit:]]*", "7up", True),
    ("[[:alpha:]_]", "_", True),
    ("[\\]]", "]", True),
    ("?at", "cat", True),
    ("?at", "at", False),
    ("a?b", "a/b", False),
    ("Makefile", "makefile", False),
    ("src/a b.py", "src/a b.py", True),
    ("a ", "a", True),
    ("a\\ ", "a ", True),
    ("\\#a", "#a", True),
    ("\\!a", "!a", True),
    ("\\*", "*", True),
    ("\\*", "a", False),
    ("a.c", "abc", False),
    ("*a*b*c*", "xxaxxbxxcxx", True),
    ("*a*b", "abab", True),
    ("*ab", "aab", True),
    ("(a|b)+$", "(a|b)+$", True),
    ("src/**/*.py", "src/app.py", True),
    ("src/**/*.py", "src/a/b/app.py", True),
    ("src/**/*.py", "src/app.pyc", False),
]


class TestPaths:
    @pytest.mark.parametrize(("pattern", "path", "expected"), PATTERNS)
    def test_patterns(self, pattern: str, path: str, *, expected: bool) -> None:
        assert matches(pattern, path) is expected
        assert (skips(pipeline(paths_ignore=[pattern]), path) == NO_FILES) is expected

    def test_one_file_is_enough(self) -> None:
        assert skips(pipeline(paths=["src/**"]), "README.md", "src/a") is None
        assert skips(pipeline(paths=["src/**"]), "README.md", "lib/a") == NO_FILES

    def test_one_pattern_is_enough(self) -> None:
        assert skips(pipeline(paths=["src/**", "*.md"]), "README.md") is None

    def test_one_file_that_is_not_ignored_is_enough(self) -> None:
        one = pipeline(paths_ignore=["docs/**", "*.md"])
        assert skips(one, "docs/a", "README.md") == NO_FILES
        assert skips(one, "docs/a", "README.md", "src/a") is None

    def test_with_both_a_file_must_match_one_and_not_the_other(self) -> None:
        one = pipeline(paths=["src/**"], paths_ignore=["*.md"])
        assert skips(one, "src/README.md", "lib/a.py") == NO_FILES
        assert skips(one, "src/README.md", "src/a.py") is None

    @pytest.mark.parametrize(
        ("patterns", "path", "expected"),
        [
            (["docs/**", "!docs/*.png"], "docs/a.png", False),
            (["docs/**", "!docs/*.png"], "docs/deep/a.png", True),
            (["docs/**", "!*.png"], "docs/deep/a.png", False),
            (["docs/**", "!*.png", "docs/logo.png"], "docs/logo.png", True),
            (["src/**", "!src/vendor/"], "src/vendor/a.py", False),
            (["src/**", "!lib/**"], "src/a.py", True),
            (["src/**", "\\!src"], "!src", True),
        ],
    )
    def test_of_the_patterns_that_match_the_last_counts(
        self, patterns: list[str], path: str, *, expected: bool
    ) -> None:
        assert (skips(pipeline(paths=patterns), path) is None) is expected
        assert (skips(pipeline(paths_ignore=patterns), path) is None) is not expected

    def test_nothing_changed_is_no_match(self) -> None:
        assert skips(pipeline(paths=["**"])) == NO_FILES
        assert skips(pipeline(paths_ignore=["docs"])) == NO_FILES

    def test_a_list_that_github_cut_matches_everything(self) -> None:
        assert skips(pipeline(paths=["src/**"]), "a", complete=False) is None
        assert skips(pipeline(paths_ignore=["**"]), "a", complete=False) is None

    def test_without_them_the_files_are_not_asked_for(self) -> None:
        assert skip_reason(pipeline(), pull(), unasked) is None

    def test_nor_where_something_else_rules_the_pipeline_out(self) -> None:
        assert skip_reason(pipeline(paths=["a"], labels=["x"]), pull(), unasked) == "no label x"


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository."""
    place = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", "."], cwd=place, check=True)
    return place


def test_git_agrees(git: Path) -> None:
    """Every pattern of the table against every path of it, by git itself."""
    paths = sorted({path for _, path, _ in PATTERNS})
    for pattern in sorted({pattern for pattern, _, _ in PATTERNS}):
        (git / ".gitignore").write_text(pattern + "\n")
        told = subprocess.run(
            ["git", "check-ignore", "--no-index", "-z", "--stdin"],
            cwd=git,
            input="\0".join(paths).encode(),
            capture_output=True,
            check=False,
        )
        assert told.returncode in (0, 1), told.stderr
        ignored = set(told.stdout.decode().split("\0")) - {""}
        assert {path for path in paths if matches(pattern, path)} == ignored, pattern


NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.md", "src", "docs"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
GLOBS = st.tuples(
    st.sampled_from(["", "/"]),
    st.lists(
        st.sampled_from(["a", "ab", "*", "**", "a*", "*.py", "?", "[ab]", "src"]), min_size=1, max_size=4
    ).map("/".join),
    st.sampled_from(["", "/"]),
).map("".join)
ANY_GLOBS = st.lists(GLOBS, min_size=1, max_size=4)


@given(paths=ANY_GLOBS, ignored=st.none() | ANY_GLOBS, files=st.lists(PATHS, max_size=8), data=st.data())
def test_order_and_duplicates_do_not_matter(
    paths: list[str], ignored: list[str] | None, files: list[str], data: st.DataObject
) -> None:
    said = skips(pipeline(paths=paths, paths_ignore=ignored), *files)
    mixed = data.draw(st.permutations([*files, *files[:2]]))
    again = data.draw(st.permutations([*paths, *paths[:1]]))
    assert skips(pipeline(paths=again, paths_ignore=ignored), *mixed) == said


@given(globs=ANY_GLOBS, files=st.lists(PATHS, max_size=8))
def test_many_files_match_as_each_by_itself_does(globs: list[str], files: list[str]) -> None:
    one, other = pipeline(paths=globs), pipeline(paths_ignore=globs)
    matched = [any(matches(glob, file) for glob in globs) for file in files]
    assert (skips(one, *files) is None) == any(matched)
    assert (skips(other, *files) is None) == (not all(matched))


@given(st.lists(st.text(max_size=30), max_size=4))
def test_any_file_names(paths: list[str]) -> None:
    skips(pipeline(paths=["src/**", "*.py", "a*b*c"], paths_ignore=["**/x"]), *paths)


def test_fifty_pipelines_and_three_thousand_files() -> None:
    """How many milliseconds it takes is for the benchmark to say; here only that it does not explode."""
    file = "pipelines:\n" + "".join(
        f"  p{at}: {{dag: x, paths: ['svc{at}/**', '*.x{at}', 'a/**/b{at}/**/*c', '*a*a*a*a*b{at}']}}\n"
        for at in range(50)
    )
    files = ChangedFiles(tuple(f"{'a' * 200}/{number % 50}/{'a' * 50}{number}" for number in range(3000)))
    began = time.process_time()
    said = {skip_reason(one, pull(), lambda: files) for one in parse(file.encode()).pipelines.values()}
    assert said == {NO_FILES}
    assert time.process_time() - began < 20, "seconds of processor time"
