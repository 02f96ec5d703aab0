"""Scripted faults, as a client of GitHub meets them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from tests.github_standin import StandinError

from .test_git import git

if TYPE_CHECKING:
    from tests.github_standin import Pull, Repository, Standin


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.open_pull("alice", files={"new.txt": ""})


@pytest.fixture
def comments_url(github: Standin, pull: Pull) -> str:
    return f"{github.api_url}/repos/acme/app/issues/{pull.number}/comments"


def post(github: Standin, url: str) -> requests.Response:
    headers = {"Authorization": f"token {github.user('alice').token}"}
    return requests.post(url, json={"body": "hello"}, headers=headers, timeout=5)


def test_502_after_the_write_was_done(github: Standin, pull: Pull, comments_url: str) -> None:
    github.fault(r"/comments$", method="POST", status=502, executed=True)
    mark = github.mark()
    assert [post(github, comments_url).status_code for _ in range(2)] == [502, 201]
    assert len(pull.comments()) == 2
    assert [(each.status, each.fault) for each in github.requests(mark)] == [
        (502, "502, after it was done"),
        (201, None),
    ]


@pytest.mark.parametrize(("executed", "comments"), [(True, 1), (False, 0)], ids=["after", "before"])
def test_a_connection_cut_before_or_after_the_write(
    github: Standin, pull: Pull, comments_url: str, *, executed: bool, comments: int
) -> None:
    github.fault(r"/comments$", drop=True, executed=executed)
    mark = github.mark()
    with pytest.raises(requests.ConnectionError):
        post(github, comments_url)
    assert len(pull.comments()) == comments
    assert [each.status for each in github.requests(mark)] == [0]
    assert post(github, comments_url).status_code == 201


@pytest.mark.parametrize("status", [403, 429])
def test_a_refusal_that_says_when_to_come_back(github: Standin, comments_url: str, status: int) -> None:
    github.fault(
        status=status, headers={"Retry-After": "3"}, message="You have exceeded a secondary rate limit."
    )
    refused = post(github, comments_url)
    assert (refused.status_code, refused.headers["Retry-After"]) == (status, "3")
    assert "secondary rate limit" in refused.json()["message"]


def test_an_outage_ends_by_itself(github: Standin, repository: Repository, comments_url: str) -> None:
    started = time.time()
    github.outage(0.5)
    assert post(github, comments_url).status_code == 503
    with pytest.raises(AssertionError, match="503"):
        git("ls-remote", repository.clone_url)
    while post(github, comments_url).status_code == 503:
        pass
    assert time.time() >= started + 0.5


def test_new_objects_lag(github: Standin, pull: Pull) -> None:
    github.fault(r"/pulls/\d+$", method="GET", status=404, times=2, per_path=True)
    other = pull.repository.open_pull("alice", branch="other", files={"other.txt": ""})
    for number in (pull.number, other.number):
        url = f"{github.api_url}/repos/acme/app/pulls/{number}"
        assert [requests.get(url, timeout=5).status_code for _ in range(3)] == [404, 404, 200]


def test_latency(github: Standin, comments_url: str) -> None:
    github.fault(delay=0.2)
    mark = github.mark()
    assert post(github, comments_url).status_code == 201
    (slow,) = github.requests(mark)
    assert slow.answered_at - slow.received_at >= 0.2


def test_faults_are_cleared(github: Standin, comments_url: str) -> None:
    first = github.fault("nowhere", status=500, times=None)
    github.fault(status=500, times=None)
    github.clear_faults(first)
    assert post(github, comments_url).status_code == 500
    github.clear_faults()
    assert post(github, comments_url).status_code == 201


def test_a_mistake_in_a_test_is_told_to_it(github: Standin, repository: Repository) -> None:
    with pytest.raises(StandinError, match="no branch 'nope'"):
        repository.open_pull("alice", branch="nope")
    with pytest.raises(StandinError, match="no limit"):
        github.limits(speed=3)
    with pytest.raises(StandinError, match="no action"):
        github.call("dance")
    repository.open_pull("alice", branch="x", files={"x": ""})
    with pytest.raises(StandinError, match="already exists"):
        repository.open_pull("alice", branch="x", files={"x": "2"})
