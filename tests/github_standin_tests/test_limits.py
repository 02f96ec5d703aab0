"""Limits and refusals: what GitHub does not let you do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.github_standin import rest_statuses

if TYPE_CHECKING:
    from tests.github_standin import Pull, Repository, Standin


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.open_pull("alice", files={"new.txt": ""})


class Api:
    """Bare requests as a person."""

    def __init__(self, github: Standin, login: str) -> None:
        self.url = f"{github.api_url}/repos/acme/app"
        self.headers = {"Authorization": f"token {github.user(login).token}"}

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers={**self.headers, **headers}, timeout=5)

    def post(self, path: str, **body: Any) -> requests.Response:  # noqa: ANN401 - JSON
        return requests.post(self.url + path, json=body, headers=self.headers, timeout=5)


@pytest.fixture
def alice(github: Standin, repository: Repository) -> Api:
    return Api(github, "alice")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"state": "success", "description": "x" * 140}, 201),
        ({"state": "success", "description": "x" * 141}, 422),
        ({"state": "success", "description": "ü" * 140}, 201),
        ({"state": "success", "context": "x" * 256}, 422),
        ({"state": "success", "context": "x" * 255}, 201),
        ({"state": "success", "description": "✅ done"}, 201),
        ({"state": "success", "description": "🚀 done"}, 422),
        ({"state": "success", "context": "🚀"}, 422),
        ({"state": "success", "target_url": "ftp://x"}, 422),
    ],
    ids=[
        "140",
        "141",
        "140 two-byte characters",
        "a long context",
        "the longest context",
        "three-byte characters",
        "an astral description",
        "an astral context",
        "not http",
    ],
)
def test_a_status_has_its_limits(alice: Api, pull: Pull, body: dict[str, str], status: int) -> None:
    answer = alice.post(f"/statuses/{pull.head_sha}", **body)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["message"] == "Validation Failed"
        assert answer.json()["errors"][0]["resource"] == "Status"


def test_a_status_needs_a_state_that_there_is(github: Standin, alice: Api, pull: Pull) -> None:
    assert alice.post(f"/statuses/{pull.head_sha}", state="green").status_code == 422
    assert len(github.violations(forget=True)) == 1


def test_a_status_needs_a_commit(alice: Api) -> None:
    answer = alice.post(f"/statuses/{'1' * 40}", state="success")
    assert (answer.status_code, answer.json()["message"]) == (422, f"No commit found for SHA: {'1' * 40}")


def test_a_commit_takes_so_many_statuses_of_one_context(
    alice: Api, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rest_statuses.MOST_PER_CONTEXT == 1000
    monkeypatch.setattr(rest_statuses, "MOST_PER_CONTEXT", 2)
    contexts = ("unit", "unit", "Unit", "lint")
    asked = [alice.post(f"/statuses/{pull.head_sha}", state="success", context=each) for each in contexts]
    assert [each.status_code for each in asked] == [201, 201, 422, 201]


@pytest.mark.parametrize(("length", "status"), [(65_536, 201), (65_537, 422), (0, 422)])
def test_a_comment_has_its_limits(alice: Api, pull: Pull, length: int, status: int) -> None:
    assert alice.post(f"/issues/{pull.number}/comments", body="ü" * length).status_code == status


def test_who_may_not_write_is_refused(github: Standin, repository: Repository, pull: Pull) -> None:
    mallory = Api(github, "mallory")
    assert mallory.post(f"/statuses/{pull.head_sha}", state="success").status_code == 404
    theirs = pull.comment("alice", "mine")
    edited = requests.patch(
        f"{mallory.url}/issues/comments/{theirs.id}", json={"body": "x"}, headers=mallory.headers, timeout=5
    )
    assert edited.status_code == 403
    anonymous = requests.post(f"{mallory.url}/issues/{pull.number}/comments", json={"body": "x"}, timeout=5)
    assert anonymous.status_code == 401


def test_many_at_once_get_in_nobodys_way(repository: Repository, alice: Api, pull: Pull) -> None:
    def work(number: int) -> int:
        repository.push("alice", {f"{number}": ""}, branch=f"branch-{number % 2}")
        return alice.post(f"/issues/{pull.number}/comments", body=f"{number}").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(16))) == {201}
    assert len({comment.id for comment in pull.comments()}) == 16
    assert repository.tip("branch-0") != repository.tip("branch-1")


def test_what_was_seen_before_is_free(github: Standin, alice: Api, repository: Repository) -> None:
    first = alice.get("")
    mark = github.mark()
    again = alice.get("", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    (logged,) = github.requests(mark)
    assert (logged.cost, logged.conditional, logged.caller) == (0, True, "user:alice")
    repository.push("alice", {"README.md": "two\n"})
    repository.rename("renamed")
    alice.url = alice.url.replace("/app", "/renamed")
    assert alice.get("", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_an_etag_is_good_for_one_token_only(github: Standin, alice: Api) -> None:
    etag = alice.get("/branches/main").headers["ETag"]
    assert alice.get("/branches/main", **{"If-None-Match": etag}).status_code == 304
    assert Api(github, "mallory").get("/branches/main", **{"If-None-Match": etag}).status_code == 200


def test_the_primary_limit(github: Standin, alice: Api) -> None:
    github.limits(core=2)
    remaining = [alice.get("").headers["X-RateLimit-Remaining"] for _ in range(2)]
    assert remaining == ["1", "0"]
    refused = alice.get("")
    assert refused.status_code == 403
    assert "API rate limit exceeded" in refused.json()["message"]
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert Api(github, "mallory").get("").status_code == 200


@pytest.mark.parametrize("status", [403, 429])
def test_new_content_has_a_budget(github: Standin, alice: Api, pull: Pull, status: int) -> None:
    github.limits(content_minute=2, status=status, retry_after=7)
    answers = [alice.post(f"/issues/{pull.number}/comments", body="x") for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, status]
    assert answers[2].headers["Retry-After"] == "7"
    assert "secondary rate limit" in answers[2].json()["message"]
    assert alice.get("").status_code == 200
    assert len(pull.comments()) == 2


def test_writes_cost_five_points(github: Standin, alice: Api, pull: Pull) -> None:
    github.limits(points=11)
    asked = [alice.post(f"/statuses/{pull.head_sha}", state="success") for _ in range(2)]
    asked += [alice.get(""), alice.get("")]
    assert [each.status_code for each in asked] == [201, 201, 200, 403]


def test_statuses_can_count_as_content(github: Standin, alice: Api, pull: Pull) -> None:
    github.limits(content_hour=1, statuses_are_content=True)
    asked = [alice.post(f"/statuses/{pull.head_sha}", state="success") for _ in range(2)]
    assert [each.status_code for each in asked] == [201, 403]


def test_a_renamed_repository_redirects_and_does_not_write(
    alice: Api, repository: Repository, pull: Pull
) -> None:
    repository.rename("renamed")
    by_id = f"{repository.standin.api_url}/repositories/{repository.id}"
    read = requests.get(f"{alice.url}/pulls/1", headers=alice.headers, timeout=5, allow_redirects=False)
    assert (read.status_code, read.headers["Location"]) == (301, f"{by_id}/pulls/1")
    assert alice.get("/pulls/1").json()["base"]["repo"]["full_name"] == "acme/renamed"
    written = requests.post(
        f"{alice.url}/issues/1/comments",
        json={"body": "x"},
        headers=alice.headers,
        timeout=5,
        allow_redirects=False,
    )
    assert (written.status_code, written.headers["Location"]) == (307, f"{by_id}/issues/1/comments")
    assert pull.comments() == []
    assert (
        requests.post(
            written.headers["Location"], json={"body": "x"}, headers=alice.headers, timeout=5
        ).status_code
        == 201
    )
