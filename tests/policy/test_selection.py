"""Whether a pipeline cares about what a pull request changes: gitignore's patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import ChangedFiles
from bot.policy.configuration import Pipeline
from bot.policy.selection import applies, needs_files


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (["src/**"], "src/app.py", True),
        (["src/**"], "src/deep/down/app.py", True),
        (["src/**"], "lib/src/app.py", False),
        (["src/**"], "src", False),
        (["src/"], "src/app.py", True),
        (["*.py"], "deep/app.py", True),
        (["/*.py"], "deep/app.py", False),
        (["docs/*.md"], "docs/a.md", True),
        (["docs/*.md"], "docs/deep/a.md", False),
        (["a", "b"], "b", True),
        (["**/test_*.py"], "x/y/test_z.py", True),
        (["src/[ab].py"], "src/a.py", True),
        (["src/[ab].py"], "src/c.py", False),
        (["Makefile"], "makefile", False),
        (["src/a b.py"], "src/a b.py", True),
        (["ü/**"], "ü/x", True),
    ],
)
def test_matches(patterns: list[str], path: str, *, expected: bool) -> None:
    pipeline = Pipeline(dag="checks", paths=patterns)
    assert applies(pipeline, ChangedFiles(("README.md", path))) is expected


def test_without_paths_everything_matches() -> None:
    pipeline = Pipeline(dag="checks")
    assert applies(pipeline, ChangedFiles(()))
    assert not needs_files(pipeline)


def test_no_paths_at_all_match_nothing() -> None:
    assert not applies(Pipeline(dag="checks", paths=[]), ChangedFiles(("src/app.py",)))


def test_with_paths_nothing_changed_is_no_match() -> None:
    assert not applies(Pipeline(dag="checks", paths=["src/**"]), ChangedFiles(()))


def test_a_list_that_github_cut_matches_everything() -> None:
    assert applies(Pipeline(dag="checks", paths=["src/**"]), ChangedFiles(("a",), complete=False))


@given(
    patterns=st.lists(st.text(min_size=1, max_size=20), max_size=4),
    paths=st.lists(st.text(max_size=30), max_size=4),
)
def test_never_raises_for_what_the_configuration_took(patterns: list[str], paths: list[str]) -> None:
    try:
        pipeline = Pipeline(dag="checks", paths=patterns)
    except ValueError:
        return
    applies(pipeline, ChangedFiles(tuple(paths)))
