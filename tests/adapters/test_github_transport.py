"""How the client behaves on a network that does not: each of PyGithub's traps below the level of REST."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import GitHubClient, PersonalToken
from bot.adapters.github.requester import kind_of
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.models import Status, StatusState
from tests.adapters.dripping import HEAD, dripping
from tests.adapters.github_answering import PULL, REPOSITORY, Answering, Asked, Say, answering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "ghp_s3cret"
REF = {"ref": "refs/heads/main", "url": "u", "object": {"type": "commit", "sha": "c0ffee", "url": "u"}}
COMMENT = {"id": 99, "url": "u", "body": "hello"}


def client(server: Answering, **options: object) -> GitHubClient:
    return GitHubClient(f"{server.url}/api/v3", PersonalToken(TOKEN), **options)  # type: ignore[arg-type]  # options vary


def tip(github: GitHubClient) -> str:
    return github.tip(REPOSITORY, "main")


def comment(github: GitHubClient) -> int:
    return github.create_comment(REPOSITORY, 3, "hello")


def edit(github: GitHubClient) -> None:
    github.edit_comment(REPOSITORY, 99, "hello")


def status(github: GitHubClient) -> None:
    github.set_status(REPOSITORY, "c0ffee", Status("preflight/unit", StatusState.PENDING, "queued"))


def react(github: GitHubClient) -> None:
    github.react(REPOSITORY, 99, "eyes")


def delete(github: GitHubClient) -> None:
    github.delete_comment(REPOSITORY, 99)


WRITES = [comment, edit, status, react, delete]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "failure", [Say(502), Say(503), Say(500), Say(cut=True)], ids=["502", "503", "500", "cut"]
)
def test_a_write_is_sent_once_whatever_happens(write: Callable[[GitHubClient], object], failure: Say) -> None:
    with answering(failure).running() as server, pytest.raises(GitHubUnavailable):
        write(client(server))
    assert len(server.asked) == 1


@pytest.mark.parametrize("failure", [Say(502), Say(cut=True)], ids=["502", "cut"])
def test_a_read_is_sent_once_more_at_once(failure: Say) -> None:
    with answering(failure, Say(body=REF)).running() as server:
        assert tip(client(server)) == "c0ffee"
    assert len(server.asked) == 2


@pytest.mark.parametrize("failure", [Say(502), Say(cut=True)], ids=["502", "cut"])
def test_a_read_is_not_sent_a_third_time(failure: Say) -> None:
    with answering(failure).running() as server, pytest.raises(GitHubUnavailable):
        tip(client(server))
    assert len(server.asked) == 2


@pytest.mark.parametrize("code", [500, 503, 504])
def test_a_read_is_not_repeated_during_an_outage(code: int) -> None:
    with answering(Say(code)).running() as server, pytest.raises(GitHubUnavailable):
        tip(client(server))
    assert len(server.asked) == 1


def test_silence_is_given_up() -> None:
    over = threading.Event()

    def hang(_: Asked) -> Say:
        over.wait(30)
        return Say(cut=True)

    with Answering(hang).running() as server:
        try:
            with pytest.raises(GitHubUnavailable, match="no answer in time"):
                comment(client(server, read_timeout=0.1))
        finally:
            over.set()


def test_nobody_there_is_an_outage() -> None:
    with answering(Say()).running() as server:
        pass
    with pytest.raises(GitHubUnavailable, match="could not be made"):
        tip(client(server))


@pytest.mark.parametrize("call", [tip, *WRITES])
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_our_token_is_never_carried_to_another_host(
    call: Callable[[GitHubClient], object], code: int
) -> None:
    with answering(Say(body=REF)).running() as elsewhere:
        away = Say(code, headers={"Location": f"{elsewhere.url}/api/v3/repositories/7"})
        with answering(away).running() as server, pytest.raises(GitHubRefused, match="redirects"):
            call(client(server))
    assert elsewhere.asked == []


def test_next_pages_are_only_fetched_from_the_api_itself() -> None:
    with answering(Say(body=[])).running() as elsewhere:
        user = Say(body={"login": "preflight-bot", "id": 1})
        page = Say(body=[COMMENT], headers={"Link": f'<{elsewhere.url}/api/v3/x?page=2>; rel="next"'})
        with answering(user, page).running() as server, pytest.raises((GitHubRefused, GitHubUnavailable)):
            client(server).find_comment(REPOSITORY, PULL.number, "a marker")
    assert elsewhere.asked == []


def test_a_netrc_does_not_replace_our_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(Say(body=REF)).running() as server:
        tip(client(server))
    assert server.asked[0].headers["Authorization"] == f"token {TOKEN}"


def test_a_version_of_the_api_is_asked_for() -> None:
    with answering(Say(body=REF)).running() as server:
        tip(client(server))
    headers = server.asked[0].headers
    assert headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert headers["Accept"] == "application/vnd.github+json"
    assert headers["User-Agent"] == "preflight"


def test_a_cookie_is_not_kept() -> None:
    with answering(Say(body=REF, headers={"Set-Cookie": "logged_in=no; Path=/"})).running() as server:
        github = client(server)
        tip(github)
        tip(github)
    assert "Cookie" not in server.asked[1].headers


def test_threads_get_their_own_answers() -> None:
    """PyGithub keeps the request that it is about to send in a connection that all threads share."""

    def echo(asked: Asked) -> Say:
        sha = asked.path.rpartition("/")[2]
        return Say(body=REF | {"object": {"type": "commit", "sha": sha, "url": "u"}})

    with Answering(echo).running() as server, ThreadPoolExecutor(8) as threads:
        github = client(server)
        branches = [f"branch-{number}" for number in range(200)]
        assert list(threads.map(lambda branch: github.tip(REPOSITORY, branch), branches)) == branches


def test_no_more_requests_are_under_way_than_permitted() -> None:
    under_way, peak, lock = 0, 0, threading.Lock()
    three, go_on = threading.Event(), threading.Event()

    def count(_: Asked) -> Say:
        nonlocal under_way, peak
        with lock:
            under_way += 1
            peak = max(peak, under_way)
            if under_way == 3:
                three.set()
        go_on.wait(30)
        with lock:
            under_way -= 1
        return Say(body=REF)

    with Answering(count).running() as server, ThreadPoolExecutor(8) as threads:
        github = client(server, max_concurrent=3, read_timeout=60.0)
        tips = [threads.submit(tip, github) for _ in range(8)]
        assert three.wait(30)
        go_on.set()
        assert [each.result() for each in tips] == ["c0ffee"] * 8
    assert peak == 3


def test_who_waits_too_long_for_a_turn_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.github.transport.LONGEST_QUEUE", 0.01)
    busy, go_on = threading.Event(), threading.Event()

    def hang(_: Asked) -> Say:
        busy.set()
        go_on.wait(30)
        return Say(body=REF)

    with Answering(hang).running() as server, ThreadPoolExecutor(1) as threads:
        github = client(server, max_concurrent=1, read_timeout=60.0)
        first = threads.submit(tip, github)
        assert busy.wait(30)
        with pytest.raises(GitHubUnavailable, match="too many requests"):
            tip(github)
        go_on.set()
        assert first.result() == "c0ffee"
    assert len(server.asked) == 1


def test_every_request_is_told_of() -> None:
    calls: list[tuple[str, str, int, float]] = []
    says = [Say(cut=True), Say(body=REF), Say(201, COMMENT), Say(502)]
    with answering(*says).running() as server:
        github = client(server, on_call=lambda *call: calls.append(call))
        tip(github)
        comment(github)
        with pytest.raises(GitHubUnavailable):
            status(github)
    assert [call[:3] for call in calls] == [
        ("GET", "git", 0),
        ("GET", "git", 200),
        ("POST", "comments", 201),
        ("POST", "statuses", 502),
    ]
    assert all(call[3] >= 0 for call in calls)


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.github.transport.LONGEST_ANSWER", 1000)
    with answering(Say(body="x" * 100_000)).running() as server, pytest.raises(GitHubUnavailable):
        tip(client(server))


@pytest.mark.parametrize(
    "after", ["HTTP/1.1 200 OK\r\nX-Slow: ", f"{HEAD}\r\n\r\n{{"], ids=["headers", "body"]
)
def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    """Each byte comes long before the server would count as silent."""
    monkeypatch.setattr("bot.adapters.github.transport.LONGEST_CALL", 0.3)
    with dripping(after) as url:
        github = GitHubClient(f"{url}/api/v3", PersonalToken(TOKEN))
        with pytest.raises(GitHubUnavailable, match=r"no answer in time|cut|ProtocolError"):
            comment(github)


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "{}", "null", '"text"', '{"number": "three"}', '{"base": null, "head": {}}'],
)
def test_an_answer_that_makes_no_sense_is_an_outage(body: str) -> None:
    with answering(Say(body=body)).running() as server, pytest.raises(GitHubUnavailable):
        client(server).pull_request(REPOSITORY, 3)


@pytest.mark.parametrize("call", [tip, *WRITES])
@pytest.mark.parametrize("answer", [Say(401), Say(403), Say(500), Say(cut=True)], ids=str)
def test_no_error_shows_the_token(call: Callable[[GitHubClient], object], answer: Say) -> None:
    with answering(answer).running() as server:
        try:
            call(client(server))
        except (GitHubRefused, GitHubUnavailable) as error:
            told = f"{error!r} {error} {error.__cause__!r}"
    assert "s3cret" not in told


@pytest.mark.parametrize("branch", ["../../../user", "..", "a/./b", "a//b"])
def test_a_name_cannot_lead_to_another_endpoint(branch: str) -> None:
    with answering(Say(body=REF)).running() as server, pytest.raises(GitHubRefused):
        client(server).tip(REPOSITORY, branch)
    assert server.asked == []


def test_a_name_that_no_address_can_hold_is_refused() -> None:
    with answering(Say(body=REF)).running() as server, pytest.raises(GitHubRefused, match="nothing by this"):
        client(server).tip(REPOSITORY, "half a \ud800")
    assert server.asked == []


@pytest.mark.parametrize(
    ("branch", "path"),
    [
        ("release/1.x", "release/1.x"),
        ("a#b", "a%23b"),
        ("a?b", "a%3Fb"),
        ("50%", "50%25"),
        ("%2e%2e", "%252e%252e"),
        ("a;b", "a%3Bb"),
        ("ünïcode", "%C3%BCn%C3%AFcode"),
        ("-q", "-q"),
    ],
)
def test_odd_branch_names_are_quoted(branch: str, path: str) -> None:
    with answering(Say(body=REF)).running() as server:
        client(server).tip(REPOSITORY, branch)
    assert server.asked[0].path == f"/api/v3/repos/acme/app/git/ref/heads/{path}"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/user", "user"),
        ("/app", "app"),
        ("/app/installations/5/access_tokens", "access_tokens"),
        ("/repositories/7", "repositories"),
        ("/repos/acme/app", "repository"),
        ("/repos/acme/app/installation", "installation"),
        ("/repos/acme/app/pulls/3", "pulls"),
        ("/repos/acme/app/pulls/3/files?page=2&per_page=100", "files"),
        ("/repos/acme/app/collaborators/pulls/permission", "collaborators"),
        ("/repos/acme/app/git/ref/heads/a/b/c", "git"),
        ("/repos/acme/app/contents/issues/7?ref=c0ffee", "contents"),
        ("/repos/acme/app/compare/c0ffee...decaf", "compare"),
        ("/orgs/acme/members/issues", "members"),
        ("/orgs/acme/public_members/alice", "public_members"),
        ("/orgs/acme/teams/ci/memberships/alice", "teams"),
        ("/repos/acme/app/statuses/c0ffee", "statuses"),
        ("/repos/acme/app/issues/3/comments", "comments"),
        ("/repos/acme/app/issues/comments/99", "comments"),
        ("/repos/acme/app/issues/comments/99/reactions", "reactions"),
    ],
)
def test_kinds_of_endpoints_are_few(path: str, kind: str) -> None:
    assert kind_of(path) == kind
