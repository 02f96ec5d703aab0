"""The pages, as a person uses them."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import pytest
import requests

from tests.github_standin.markdown import render

from .test_checks import make

if TYPE_CHECKING:
    from tests.github_standin import Pull, Repository, Standin

    from .conftest import Api, Receiver


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


def test_check_runs_are_shown_with_all_they_say(github: Standin, checks: Api, pull: Pull) -> None:
    remark = {"path": "src/app.py", "start_line": 3, "end_line": 5, "annotation_level": "failure"}
    made = make(
        checks,
        pull,
        name="preflight/unit",
        conclusion="failure",
        details_url="http://127.0.0.1:8080/runs/1",
        output={
            "title": "1 failed",
            "summary": "**Why**",
            "text": "<script>alert(1)</script>",
            "annotations": [remark | {"message": "1 < 2", "title": "Wrong"}],
        },
        actions=[{"label": "Retry failed", "description": "Again", "identifier": "retry"}],
    )
    for address in (pull.html_url, made["html_url"]):
        page = requests.get(address, timeout=5).text
        for shown in ("1 failed", "<strong>Why</strong>", "src/app.py:3-5", "1 &lt; 2", "Wrong", "✗"):
            assert shown in page
        assert "<script>alert" not in page
        assert 'href="http://127.0.0.1:8080/runs/1"' in page
    assert "preflight/unit: 1 failed" in requests.get(github.url, timeout=5).text
    assert requests.get(f"{made['html_url']}0", timeout=5).status_code == 404


def test_what_is_required_is_shown(pull: Pull, checks: Api) -> None:
    pull.repository.require("unit")
    blocked = "Required status check &#34;unit&#34; is expected."
    assert blocked in requests.get(pull.html_url, timeout=5).text
    assert blocked in requests.post(f"{pull.html_url}/merge", timeout=5).text
    make(checks, pull, conclusion="success")
    assert "Merging is blocked" not in requests.get(pull.html_url, timeout=5).text


def test_buttons_of_check_runs_do_what_they_say(
    github: Standin, checks: Api, pull: Pull, receiver: Receiver
) -> None:
    retry = {"label": "Retry failed", "description": "Again", "identifier": "retry"}
    make(checks, pull, name='odd "name"', actions=[retry])

    def press(action: str, button: list[str], login: str = "alice") -> str:
        form = {"as": login, "button": json.dumps(button)}
        return requests.post(f"{pull.html_url}/{action}", data=form, timeout=5).text

    page = requests.get(pull.html_url, timeout=5).text
    button = [pull.head_sha, 'odd "name"', "retry"]
    assert f'value="{json.dumps(button)}"' in html.unescape(page)
    press("click", button)
    press("rerequest", button[:2])
    press("rerequest", button[:1])
    github.settle()
    told = ["check_run.requested_action", "check_run.rerequested", "check_suite.rerequested"]
    assert receiver.names()[-3:] == told
    assert "may not write" in press("click", button, "mallory")
    assert (
        "there is no button" in requests.post(f"{pull.html_url}/click", data={"button": "{"}, timeout=5).text
    )


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
