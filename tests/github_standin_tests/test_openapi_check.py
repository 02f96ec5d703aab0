"""The check against GitHub's OpenAPI document: that it covers what is served, and that it can fail."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import requests

from tests.github_standin import running
from tests.github_standin.make_openapi_extract import OPERATIONS, WEBHOOKS, plain_schema
from tests.github_standin.openapi_check import EXTRACT, OpenApiCheck, Schemas
from tests.github_standin.server import make_hub

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.github_standin import Repository, Standin

    from .conftest import Receiver


def test_the_extract_is_small_and_holds_the_operations() -> None:
    assert EXTRACT.stat().st_size < 600_000
    assert sorted(Schemas(EXTRACT).document["operations"]) == sorted(OPERATIONS)


def test_every_operation_is_served_and_every_endpoint_is_an_operation(tmp_path: Path) -> None:
    app = make_hub(tmp_path).check.app.__self__  # type: ignore[attr-defined] # the Flask application's wsgi_app
    served = {
        f"{method} {re.sub(r'<[^>]*>', '{}', rule.rule.removeprefix('/api/v3'))}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v3") and not rule.rule.endswith("/contents/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == {re.sub(r"\{\w+\}", "{}", name) for name in OPERATIONS}


def test_unknown_endpoints_are_violations(github: Standin, repository: Repository) -> None:
    assert requests.get(f"{github.api_url}/repos/acme/app/stargazers", timeout=5).status_code == 404
    assert requests.put(f"{github.api_url}/repos/acme/app", timeout=5).status_code == 404
    violations = github.violations(forget=True)
    assert [each.split(":")[0] for each in violations] == [
        "GET /repos/acme/app/stargazers",
        "PUT /repos/acme/app",
    ]


@pytest.mark.parametrize(
    ("query", "body", "reason"),
    [
        ("?colour=red", {"body": "x"}, "query parameter 'colour' is unknown"),
        ("", {"body": 5}, "request, body: 5 is not of type 'string'"),
        ("", {}, "request, the whole: 'body' is a required property"),
        ("", {"body": "x", "colour": "red"}, "'colour' was unexpected"),
    ],
)
def test_wrong_requests_are_violations(
    github: Standin, repository: Repository, query: str, body: dict[str, object], reason: str
) -> None:
    repository.open_pull("alice", files={"new.txt": ""})
    headers = {"Authorization": f"token {github.user('alice').token}"}
    requests.post(
        f"{github.api_url}/repos/acme/app/issues/1/comments{query}", json=body, headers=headers, timeout=5
    )
    (violation,) = github.violations(forget=True)
    assert reason in violation


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"login": None}, "login: None is not of type 'string'"),
        ({"id": "1"}, "id: '1' is not of type 'integer'"),
        ({"created_at": "yesterday"}, "created_at: 'yesterday' is not a 'date-time'"),
        ({"colour": "red"}, "the whole:"),
        ({}, ""),
    ],
    ids=["null", "wrong type", "wrong format", "unknown property", "correct"],
)
def test_wrong_answers_are_violations(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    with running(tmp_path) as github:
        github.user("alice")
        profile = requests.get(f"{github.api_url}/users/alice", timeout=5).json()
    violations = judged("/users/alice", 200, {**profile, **change})
    assert len(violations) == bool(change)
    # A profile is a oneOf: what is wrong inside shows in the message only as far as jsonschema says.
    assert all("GET /users/alice: 200" in each for each in violations)
    assert reason or not violations


def test_wrong_errors_and_statuses_are_violations() -> None:
    assert judged("/users/nobody", 404, {"error": "no"})
    assert (
        judged("/users/nobody", 404, {"message": "Not Found", "documentation_url": "x", "status": "404"})
        == []
    )
    assert judged("/users/nobody", 201, {}) == ["GET /users/nobody: 201 is not documented"]


def judged(path: str, status: int, answer: object) -> list[str]:
    """What the check says of one answer."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"{status} X", [("Content-Type", "application/json; charset=utf-8")])
        return [json.dumps(answer).encode()]

    check = OpenApiCheck(app)
    environ = {
        "PATH_INFO": f"/api/v3{path}",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "",
        "CONTENT_LENGTH": "0",
        "wsgi.input": __import__("io").BytesIO(),
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
    }
    list(check(environ, lambda *_: lambda _data: None))
    return check.violations()


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        ({"type": "string", "nullable": True, "description": "x"}, {"type": ["string", "null"]}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"$ref": "#/x", "nullable": True}, {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}),
        (
            {"type": "object", "properties": {"description": {"type": "string"}}},
            {
                "type": "object",
                "properties": {"description": {"type": "string"}},
                "additionalProperties": False,
            },
        ),
        (
            {"allOf": [{"properties": {"a": {}}}]},
            {"allOf": [{"properties": {"a": {}}}]},
        ),
    ],
)
def test_openapi_schemas_become_json_schemas(schema: dict[str, object], plain: dict[str, object]) -> None:
    assert plain_schema(schema) == plain


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sender": None}, "sender: None is not of type 'object'"),
        ({"pull_request": {"number": 1}}, "is a required property"),
        ({"colour": "red"}, "'colour' was unexpected"),
        ({}, None),
    ],
    ids=["null", "incomplete", "unknown property", "correct"],
)
def test_wrong_payloads_are_found(
    repository: Repository, receiver: Receiver, change: dict[str, object], reason: str | None
) -> None:
    repository.hook(receiver.url, "s3cret")
    repository.open_pull("alice", files={"new.txt": ""})
    payload = receiver.wait_for("pull_request.opened").payload | change
    errors = list(Schemas(WEBHOOKS).errors("/components/schemas/webhook-pull-request-opened", payload))
    assert any(reason in each for each in errors) if reason else errors == []
