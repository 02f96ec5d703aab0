"""Limits and refusals: what GitHub does not let you do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.github_standin import rest_statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_standin import Pull, Repository, Standin

    from .conftest import Api


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return repository.open_pull("alice", files={"new.txt": ""})


@pytest.fixture
def alice(github: Standin, api: Callable[[str], Api]) -> Api:
    return api(github.user("alice").token)


@pytest.fixture
def mallory(github: Standin, api: Callable[[str], Api]) -> Api:
    return api(github.user("mallory").token)


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


def test_who_may_not_write_is_refused(api: Callable[[str], Api], mallory: Api, pull: Pull) -> None:
    assert mallory.post(f"/statuses/{pull.head_sha}", state="success").status_code == 404
    theirs = pull.comment("alice", "mine")
    assert mallory.patch(f"/issues/comments/{theirs.id}", body="x").status_code == 403
    assert api("").post(f"/issues/{pull.number}/comments", body="x").status_code == 401


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


def test_an_etag_is_good_for_one_token_only(
    github: Standin, alice: Api, mallory: Api, api: Callable[[str], Api]
) -> None:
    etag = alice.get("/branches/main").headers["ETag"]
    assert alice.get("/branches/main", **{"If-None-Match": etag}).status_code == 304
    assert mallory.get("/branches/main", **{"If-None-Match": etag}).status_code == 200
    installation = github.app("preflight", owner="acme").installations["acme"]
    first, second = (api(github.installation_token(installation)) for _ in range(2))
    etag = first.get("/branches/main").headers["ETag"]
    assert first.get("/branches/main", **{"If-None-Match": etag}).status_code == 304
    assert second.get("/branches/main", **{"If-None-Match": etag}).status_code == 200


def test_the_primary_limit(github: Standin, alice: Api, mallory: Api) -> None:
    github.limits(core=2)
    remaining = [alice.get("").headers["X-RateLimit-Remaining"] for _ in range(2)]
    assert remaining == ["1", "0"]
    refused = alice.get("")
    assert refused.status_code == 403
    assert "API rate limit exceeded" in refused.json()["message"]
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert mallory.get("").status_code == 200
    assert [each.limit for each in github.refused()] == ["core"]


@pytest.mark.parametrize("status", [403, 429])
def test_new_content_has_a_budget(github: Standin, alice: Api, pull: Pull, status: int) -> None:
    github.limits(content_minute=2, status=status, retry_after=7)
    answers = [alice.post(f"/issues/{pull.number}/comments", body="x") for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, status]
    assert answers[2].headers["Retry-After"] == "7"
    assert "secondary rate limit" in answers[2].json()["message"]
    assert alice.get("").status_code == 200
    assert len(pull.comments()) == 2


def test_after_a_minute_there_is_room_again(github: Standin, alice: Api, pull: Pull) -> None:
    github.limits(content_minute=1)

    def asked() -> int:
        return alice.post(f"/issues/{pull.number}/comments", body="x").status_code

    assert [asked(), asked()] == [201, 403]
    github.age_requests(40)
    assert asked() == 403
    github.age_requests(20)
    assert [asked(), asked()] == [201, 403]


def test_changed_and_deleted_comments_are_content_too(github: Standin, alice: Api, pull: Pull) -> None:
    comment = pull.comment("alice", "mine")
    github.limits(content_minute=2)
    asked = [alice.patch(f"/issues/comments/{comment.id}", body=f"{each}") for each in range(2)]
    asked.append(alice.post(f"/issues/comments/{comment.id}/reactions", content="eyes"))
    asked.append(alice.ask("DELETE", f"/issues/comments/{comment.id}"))
    assert [each.status_code for each in asked] == [200, 200, 201, 403]
    assert [(each.method, each.limit) for each in github.refused()] == [("DELETE", "content_minute")]


def test_what_was_refused_is_logged(github: Standin, alice: Api, pull: Pull) -> None:
    assert github.refused() == []
    github.limits(content_hour=0)
    alice.post(f"/issues/{pull.number}/comments", body="x")
    mark = github.mark()
    github.limits(points=0)
    alice.get("")
    assert [each.limit for each in github.refused()] == ["content_hour", "points"]
    assert [each.path for each in github.refused(mark)] == ["/repos/acme/app"]


def test_only_so_many_requests_at_once(github: Standin, alice: Api, mallory: Api) -> None:
    github.limits(concurrent=2)
    github.fault(r"/repos/acme/app$", times=None, delay=0.5)

    def ask(api: Api) -> int:
        return api.get("").status_code

    with ThreadPoolExecutor(5) as pool:
        asked = list(pool.map(ask, [alice, alice, alice, mallory, mallory]))
    assert sorted(asked[:3]) == [200, 200, 403]
    assert asked[3:] == [200, 200]
    assert [each.limit for each in github.refused()] == ["concurrent"]
    assert alice.get("").status_code == 200


def test_writes_cost_five_points(github: Standin, alice: Api, pull: Pull) -> None:
    github.limits(points=11)
    asked = [alice.post(f"/statuses/{pull.head_sha}", state="success") for _ in range(2)]
    asked += [alice.get(""), alice.get("")]
    assert [each.status_code for each in asked] == [201, 201, 200, 403]


def test_statuses_can_count_as_content(github: Standin, alice: Api, pull: Pull) -> None:
    github.limits(content_hour=1, statuses_are_content=True)
    asked = [alice.post(f"/statuses/{pull.head_sha}", state="success") for _ in range(2)]
    assert [each.status_code for each in asked] == [201, 403]


def test_so_do_check_runs_then(github: Standin, checks: Api, pull: Pull) -> None:
    def make() -> int:
        return checks.post("/check-runs", name="unit", head_sha=pull.head_sha).status_code

    github.limits(content_hour=1)
    assert [make(), make()] == [201, 201]
    github.limits(statuses_are_content=True)
    assert [make(), make()] == [201, 403]


def test_a_renamed_repository_redirects_and_does_not_write(
    alice: Api, repository: Repository, pull: Pull
) -> None:
    repository.rename("renamed")
    by_id = f"{repository.standin.api_url}/repositories/{repository.id}"
    read = alice.ask("GET", "/pulls/1", follow=False)
    assert (read.status_code, read.headers["Location"]) == (301, f"{by_id}/pulls/1")
    assert alice.get("/pulls/1").json()["base"]["repo"]["full_name"] == "acme/renamed"
    written = alice.ask("POST", "/issues/1/comments", {"body": "x"}, follow=False)
    assert (written.status_code, written.headers["Location"]) == (307, f"{by_id}/issues/1/comments")
    assert pull.comments() == []
    alice.url = by_id
    assert alice.post("/issues/1/comments", body="x").status_code == 201
