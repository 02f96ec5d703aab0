"""Where a test's file is on the web."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.report.comments.source import file_url, place
from tests.report.examples import HEAD, REPOSITORY, run


def url(clone_url: str, path: str = "src/app.py", line: int | None = 7) -> str:
    return file_url(replace(run(), repository=replace(REPOSITORY, clone_url=clone_url)), path, line)


@pytest.mark.parametrize(
    ("clone_url", "page"),
    [
        pytest.param("https://github.com/acme/widgets.git", "https://github.com/acme/widgets", id="GitHub"),
        pytest.param(
            "http://127.0.0.1:8099/acme/widgets.git/", "http://127.0.0.1:8099/acme/widgets", id="local"
        ),
        pytest.param("https://x:secret@github.com/acme/widgets.git", "", id="with credentials"),
        pytest.param("git@github.com:acme/widgets.git", "", id="ssh"),
        pytest.param("file:///srv/widgets.git", "", id="a folder"),
        pytest.param("https://github.com]/x)(", "", id="nonsense"),
        pytest.param("https://[/", "", id="no address"),
        pytest.param("", "", id="not known"),
    ],
)
def test_the_repositorys_page_is_told_by_its_clone_url(clone_url: str, page: str) -> None:
    assert url(clone_url) == (page and f"{page}/blob/{HEAD}/src/app.py#L7")


@pytest.mark.parametrize(
    ("path", "line", "end"),
    [
        pytest.param("a.py", None, "a.py", id="without a line"),
        pytest.param("a.py", 0, "a.py", id="no line is the zeroth"),
        pytest.param("a b/(c)#d?.py", 3, "a%20b/%28c%29%23d%3F.py#L3", id="odd names"),
    ],
)
def test_paths_are_quoted(path: str, line: int | None, end: str) -> None:
    assert url("https://github.com/acme/widgets.git", path, line).endswith(f"/blob/{HEAD}/{end}")


def test_a_head_that_is_none_is_not_linked() -> None:
    assert file_url(replace(run(), head_sha="main) [x](y"), "a.py", 1) == ""


def test_without_an_address_the_place_is_code() -> None:
    assert place(run(), "../a.py", 3) == "`../a.py:3`"
    assert place(run(), " ", 3) == ""
