"""What each of GitHub's answers means to us."""

from __future__ import annotations

import json

import pytest
from requests.structures import CaseInsensitiveDict

from bot.adapters.github.answers import CredentialsRefused, Forbidden, Moved, Unprocessable, check_answer
from bot.errors import (
    GitHubNotFound,
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    PreflightError,
)

URL = "https://api.github.com/repos/acme/app/statuses/c0ffee?per_page=100"
JSON = {"content-type": "application/json; charset=utf-8"}
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
DATE_SECONDS = 1_767_225_600


def meaning(
    status: int,
    message: object = "",
    method: str = "POST",
    errors: object = None,
    **headers: str,
) -> PreflightError | None:
    body = json.dumps({"message": message, "errors": errors})
    named = CaseInsensitiveDict(JSON | {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        check_answer(method, URL, status, named, body)
    except PreflightError as error:
        return error
    return None


@pytest.mark.parametrize("status", [200, 201])
def test_a_success_means_nothing_special(status: int) -> None:
    assert meaning(status) is None


def test_an_empty_success_needs_no_content_type() -> None:
    check_answer("DELETE", URL, 204, {}, "")


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        pytest.param(500, "", GitHubUnavailable, id="500"),
        pytest.param(502, "Server Error", GitHubUnavailable, id="502"),
        pytest.param(503, "", GitHubUnavailable, id="503"),
        pytest.param(404, "Not Found", GitHubNotFound, id="404"),
        pytest.param(410, "Gone", GitHubNotFound, id="410"),
        pytest.param(401, "Bad credentials", CredentialsRefused, id="401"),
        pytest.param(403, "Resource not accessible by integration", Forbidden, id="403"),
        pytest.param(409, "Git Repository is empty.", GitHubRefused, id="409"),
        pytest.param(422, "Validation Failed", Unprocessable, id="422"),
        pytest.param(451, "Repository access blocked", GitHubRefused, id="451"),
        pytest.param(429, "", GitHubRateLimited, id="429 without a word"),
        pytest.param(
            403,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            GitHubRateLimited,
            id="403 secondary limit",
        ),
        pytest.param(
            403, "API rate limit exceeded for user ID 1.", GitHubRateLimited, id="403 primary limit"
        ),
        pytest.param(301, "Moved Permanently", Moved, id="301"),
        pytest.param(307, "Moved", Moved, id="307"),
    ],
)
def test_a_status_means_an_error(status: int, message: str, expected: type[PreflightError]) -> None:
    assert type(meaning(status, message, location="/repositories/1/statuses/c0ffee")) is expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry_after": "7"}, 7.0, id="Retry-After"),
        pytest.param({"retry_after": "0"}, 0.0, id="Retry-After: 0"),
        pytest.param(
            {
                "x_ratelimit_remaining": "0",
                "x_ratelimit_reset": str(DATE_SECONDS + 1800),
                "date": DATE,
            },
            1800.0,
            id="reset, by GitHub's clock",
        ),
        pytest.param(
            {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(DATE_SECONDS - 5), "date": DATE},
            1.0,
            id="reset has passed",
        ),
        pytest.param({"x_ratelimit_remaining": "0"}, 60.0, id="no reset"),
        pytest.param({"retry_after": "Fri, 02 Jan 2026 00:00:00 GMT"}, 60.0, id="not a number"),
        pytest.param(
            {
                "retry_after": "3",
                "x_ratelimit_remaining": "0",
                "x_ratelimit_reset": str(DATE_SECONDS + 1800),
                "date": DATE,
            },
            3.0,
            id="Retry-After goes first",
        ),
    ],
)
@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_says_how_long_to_wait(status: int, headers: dict[str, str], seconds: float) -> None:
    error = meaning(status, "slow down", **headers)
    assert isinstance(error, GitHubRateLimited)
    assert error.retry_after == seconds


def test_an_outage_may_say_how_long_to_wait() -> None:
    error = meaning(503, retry_after="5")
    assert isinstance(error, GitHubUnavailable)
    assert error.retry_after == 5.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            {"x_accepted_github_permissions": "issues=write; pull_requests=write"},
            "issues=write or pull_requests=write",
            id="App or fine-grained token",
        ),
        pytest.param({"x_accepted_oauth_scopes": "repo"}, "permission repo;", id="classic token"),
        pytest.param({}, "check the permissions", id="GitHub does not say"),
    ],
)
def test_a_refusal_names_the_missing_permission(headers: dict[str, str], expected: str) -> None:
    error = str(meaning(403, "Resource not accessible by integration", **headers))
    assert expected in error
    assert "POST /repos/acme/app/statuses/c0ffee" in error
    assert "Resource not accessible by integration" in error


def test_an_invalid_request_carries_githubs_words() -> None:
    errors = [
        {
            "resource": "Status",
            "field": "description",
            "code": "custom",
            "message": "description is too long",
        },
        {"resource": "Status", "field": "context", "code": "missing"},
        "and so on",
    ]
    assert "Validation Failed; description is too long; context missing; and so on" in str(
        meaning(422, "Validation Failed", errors=errors)
    )


def test_githubs_words_are_cut_and_kept_to_one_line() -> None:
    error = str(meaning(422, "x\n" * 10_000))
    assert "\n" not in error
    assert len(error) < 500


@pytest.mark.parametrize(
    "body", ["", "<html>Unicorn!</html>", "[]", "null", '{"message": null, "errors": {}}', "{"]
)
def test_a_strange_body_is_no_reason_to_break(body: str) -> None:
    with pytest.raises(GitHubUnavailable):
        check_answer("GET", URL, 502, {}, body)
    with pytest.raises(GitHubRefused):
        check_answer("GET", URL, 403, {}, body)


def test_a_page_in_place_of_json_hints_at_the_address() -> None:
    with pytest.raises(GitHubUnavailable, match="PREFLIGHT_GITHUB_API_URL"):
        check_answer("GET", URL, 200, {"Content-Type": "text/html"}, "<html>")


def test_an_answer_still_in_the_making_is_asked_for_later_and_not_waited_for() -> None:
    assert isinstance(meaning(202, method="GET"), GitHubUnavailable)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/repositories/1", "https://api.github.com/repositories/1"),
        ("https://api.github.com/repositories/1", "https://api.github.com/repositories/1"),
        ("https://evil.example/", "https://evil.example/"),
    ],
)
def test_a_redirect_tells_where_to(location: str, expected: str) -> None:
    error = meaning(307, location=location)
    assert isinstance(error, Moved)
    assert error.location == expected
