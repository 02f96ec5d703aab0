"""The pages, as a person uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.github_standin.markdown import render

if TYPE_CHECKING:
    from tests.github_standin import Pull, Repository, Standin


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.open_pull(
        "alice", branch="fix", files={"new.txt": ""}, title="Fix <it>", body="Because **so**"
    )


def test_a_pull_request_shows_its_commits_and_their_statuses(github: Standin, pull: Pull) -> None:
    first = pull.head_sha
    pull.push("alice", {"new.txt": "2"}, "Second commit")
    headers = {"Authorization": f"token {github.user('alice').token}"}
    requests.post(
        f"{github.api_url}/repos/acme/app/statuses/{first}",
        json={
            "state": "failure",
            "context": "preflight/unit",
            "description": "test failed: exit 1",
            "target_url": "http://127.0.0.1:8080/runs/1",
        },
        headers=headers,
        timeout=5,
    )
    page = requests.get(pull.html_url, timeout=5)
    assert page.status_code == 200
    for shown in (
        "Fix &lt;it&gt;",
        "<strong>so</strong>",
        "Second commit",
        first[:7],
        "preflight/unit",
        "test failed: exit 1",
        'href="http://127.0.0.1:8080/runs/1"',
        "✗",
    ):
        assert shown in page.text


def test_labels_and_the_merge_queue_are_shown(github: Standin, pull: Pull) -> None:
    pull.label("alice", "good <first>")
    group = pull.enqueue("alice")
    headers = {"Authorization": f"token {github.user('alice').token}"}
    status = {"state": "success", "context": "preflight/queued"}
    address = f"{github.api_url}/repos/acme/app/statuses/{group.head_sha}"
    requests.post(address, json=status, headers=headers, timeout=5)
    page = requests.get(pull.html_url, timeout=5).text
    for shown in ("good &lt;first&gt;", "Queued", f"pr-1-{group.base_sha}", "preflight/queued"):
        assert shown in page
    index = requests.get(github.url, timeout=5).text
    assert "good &lt;first&gt;" in index
    assert "queued" in index
    group.dequeue("alice")
    assert "Queued" not in requests.get(pull.html_url, timeout=5).text


def test_every_button_does_what_it_says(pull: Pull) -> None:
    def press(action: str, **form: str) -> str:
        page = requests.post(f"{pull.html_url}/{action}", data={"as": "mallory", **form}, timeout=5)
        assert page.status_code == 200
        return page.text

    assert "<strong>hi</strong>" in press("comment", body="**hi**\r\nthere")
    assert [(each.author, each.body) for each in pull.comments()] == [("mallory", "**hi**\nthere")]
    (comment,) = pull.comments()
    assert ">**hi**\nthere</textarea>" in requests.get(f"{pull.html_url}?edit={comment.id}", timeout=5).text
    assert "<strong>bye</strong>" in press("edit", body="**bye**", comment=str(comment.id))
    press("delete", comment=str(comment.id))
    assert pull.comments() == []
    before = pull.head_sha
    assert "notes.txt" in press("push", content="hello")
    assert pull.head_sha != before
    assert "Closed" in press("close")
    assert "Open" in press("reopen")
    assert "Draft" in press("draft")
    assert "Open" in press("ready")
    assert "Merged" in press("merge")
    assert "can&#39;t be reopened" in press("reopen")


def test_repositories_people_and_pull_requests_are_made(github: Standin) -> None:
    made = requests.post(github.url, data={"full_name": "acme/new"}, timeout=5)
    assert made.url == f"{github.url}/acme/new"
    assert "exists already" in requests.post(github.url, data={"full_name": "acme/new"}, timeout=5).text
    permitted = {"login": "zoe", "role": "write"}
    assert "zoe" in requests.post(f"{made.url}/permissions", data=permitted, timeout=5).text
    form = {"as": "mallory", "title": "Mine", "branch": "mine", "path": "x", "content": "y", "fork": "on"}
    opened = requests.post(f"{made.url}/pulls", data=form, timeout=5)
    assert opened.url.startswith(f"{github.url}/acme/new/pull/1")
    pull = github.find_repository("acme/new").pull(1).show()
    assert (pull.author, pull.head_repository, pull.draft) == ("mallory", "mallory/new", False)
    assert "already exists" in requests.post(f"{made.url}/pulls", data=form, timeout=5).text


def test_the_index_lists_repositories_and_pull_requests(github: Standin, pull: Pull) -> None:
    for address in (github.url, pull.repository.html_url):
        page = requests.get(address, timeout=5).text
        assert "acme/app" in page
        assert "/acme/app/pull/1" in page


def test_lost_pages(github: Standin, repository: Repository) -> None:
    for path in ("/nobody", "/acme/nope", "/acme/app/pull/9", "/acme/app/pull/9/close/x"):
        answer = requests.get(f"{github.url}{path}", timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (404, "text/html")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("| a | b |\n|---|:-:|\n| 1 | ~~2~~ |", '<td align="center"><s>2</s></td>'),
        ("<details><summary>log</summary>\n\n```\nx < y\n```\n\n</details>", "<summary>log</summary>"),
        ("<details><summary>log</summary>\n\n```\nx < y\n```\n\n</details>", "x &lt; y"),
        ("one\ntwo", "one<br>\ntwo"),
        ("<!-- marker -->seen", "seen"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert html in render(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
        "<details ontoggle=alert(1) open>x</details>",
        "<iframe src=x></iframe>",
        "<!-- <script>alert(1)</script> -->",
    ],
)
def test_markdown_does_no_harm(text: str) -> None:
    html = render(text)
    for harm in ("<script", "onerror", 'href="javascript', "ontoggle", "<iframe", "<!--"):
        assert harm not in html
