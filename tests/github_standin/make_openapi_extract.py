"""Make `openapi.json` and `webhooks.json`: what GitHub's OpenAPI documents say about what the stand-in does.

    cd "$(mktemp -d)" && npm pack @octokit/openapi @octokit/openapi-webhooks
    mkdir rest webhooks && tar xzf octokit-openapi-[0-9]*.tgz -C rest
    tar xzf octokit-openapi-webhooks-*.tgz -C webhooks && cd -
    python -m tests.github_standin.make_openapi_extract \
        "$OLDPWD"/rest/package/generated/api.github.com.json \
        "$OLDPWD"/webhooks/package/generated/api.github.com.json

Both packages are under the MIT licence. Prose, examples and extensions are left out. What remains is turned
into plain JSON Schema (OpenAPI 3.0 has `nullable`), and objects are closed, so that a property that GitHub
does not know is a violation too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

REST = Path(__file__).with_name("openapi.json")
WEBHOOKS = Path(__file__).with_name("webhooks.json")
REF = "#/components/schemas/"
PROSE = {
    "description",
    "example",
    "examples",
    "externalDocs",
    "title",
    "deprecated",
    "discriminator",
    "default",
}
APP = "/app/hook/deliveries"
REPO = "/repos/{owner}/{repo}"
OPERATIONS = (
    "GET /user",
    "GET /users/{username}",
    "GET /app",
    "GET /app/installations",
    "GET /app/installations/{installation_id}",
    "POST /app/installations/{installation_id}/access_tokens",
    "GET /installation/repositories",
    "GET /app/hook/config",
    f"GET {APP}",
    f"GET {APP}/{{delivery_id}}",
    f"POST {APP}/{{delivery_id}}/attempts",
    "GET /rate_limit",
    "GET /orgs/{org}/members/{username}",
    "GET /orgs/{org}/public_members/{username}",
    "GET /orgs/{org}/teams/{team_slug}/memberships/{username}",
    f"GET {REPO}",
    f"GET {REPO}/installation",
    f"GET {REPO}/branches/{{branch}}",
    f"POST {REPO}/check-runs",
    f"GET {REPO}/check-runs/{{check_run_id}}",
    f"PATCH {REPO}/check-runs/{{check_run_id}}",
    f"GET {REPO}/check-runs/{{check_run_id}}/annotations",
    f"GET {REPO}/collaborators/{{username}}/permission",
    f"GET {REPO}/commits/{{ref}}",
    f"GET {REPO}/commits/{{ref}}/check-runs",
    f"GET {REPO}/commits/{{ref}}/check-suites",
    f"GET {REPO}/commits/{{ref}}/status",
    f"GET {REPO}/commits/{{ref}}/statuses",
    f"GET {REPO}/compare/{{basehead}}",
    f"GET {REPO}/contents/{{path}}",
    f"GET {REPO}/git/ref/{{ref}}",
    f"GET {REPO}/hooks",
    f"GET {REPO}/hooks/{{hook_id}}",
    f"GET {REPO}/hooks/{{hook_id}}/deliveries",
    f"GET {REPO}/hooks/{{hook_id}}/deliveries/{{delivery_id}}",
    f"POST {REPO}/hooks/{{hook_id}}/deliveries/{{delivery_id}}/attempts",
    f"GET {REPO}/issues/{{issue_number}}",
    f"GET {REPO}/issues/{{issue_number}}/comments",
    f"POST {REPO}/issues/{{issue_number}}/comments",
    f"GET {REPO}/issues/{{issue_number}}/labels",
    f"POST {REPO}/issues/{{issue_number}}/labels",
    f"DELETE {REPO}/issues/{{issue_number}}/labels/{{name}}",
    f"GET {REPO}/issues/comments/{{comment_id}}",
    f"PATCH {REPO}/issues/comments/{{comment_id}}",
    f"DELETE {REPO}/issues/comments/{{comment_id}}",
    f"GET {REPO}/issues/comments/{{comment_id}}/reactions",
    f"POST {REPO}/issues/comments/{{comment_id}}/reactions",
    f"GET {REPO}/pulls",
    f"GET {REPO}/pulls/{{pull_number}}",
    f"GET {REPO}/pulls/{{pull_number}}/commits",
    f"GET {REPO}/pulls/{{pull_number}}/files",
    f"POST {REPO}/statuses/{{sha}}",
)
PAYLOADS = (
    "check-run-completed",
    "check-run-created",
    "check-run-requested-action",
    "check-run-rerequested",
    "check-suite-completed",
    "check-suite-requested",
    "check-suite-rerequested",
    "installation-created",
    "installation-deleted",
    "installation-repositories-added",
    "installation-repositories-removed",
    "installation-suspend",
    "installation-unsuspend",
    "issue-comment-created",
    "issue-comment-deleted",
    "issue-comment-edited",
    "merge-group-checks-requested",
    "merge-group-destroyed",
    "ping",
    "pull-request-auto-merge-disabled",
    "pull-request-auto-merge-enabled",
    "pull-request-closed",
    "pull-request-converted-to-draft",
    "pull-request-dequeued",
    "pull-request-edited",
    "pull-request-enqueued",
    "pull-request-labeled",
    "pull-request-opened",
    "pull-request-ready-for-review",
    "pull-request-reopened",
    "pull-request-synchronize",
    "pull-request-unlabeled",
    "push",
    "repository-renamed",
    "repository-transferred",
    "star-created",
    "watch-started",
)
SUITES = ("check-suite-requested", "check-suite-completed", "check-suite-rerequested")
CORRECTED = {
    # The document says inline that an account is a user and an enterprise at once; elsewhere it says "or".
    ("GET /app/installations", "200"): {"type": "array", "items": {"$ref": f"{REF}installation"}},
}

Json = Any
"""Whatever a JSON document holds."""


def extract(document: Json) -> Json:
    """The operations and the schemas they need."""
    operations = {name: _operation(document, name) for name in OPERATIONS}
    return {"operations": operations, "components": {"schemas": needed_schemas(document, operations)}}


def extract_payloads(document: Json) -> Json:
    """Schemas `webhook-EVENT-ACTION` of the payloads that the stand-in delivers, and what they need."""
    payloads = [{"$ref": f"{REF}webhook-{name}"} for name in PAYLOADS]
    schemas = needed_schemas(document, payloads)
    # The permissions that the document knows an App to have differ between the events of a check suite.
    suites = [schemas[f"webhook-{name}"]["properties"]["check_suite"] for name in SUITES]
    for suite in suites:
        suite["properties"]["app"] = suites[0]["properties"]["app"]
    return {"components": {"schemas": schemas}}


def needed_schemas(document: Json, users: Json) -> Json:
    """The schemas that something refers to, directly or by others."""
    schemas: dict[str, Json] = {}
    missing = _references(users)
    while missing:
        for name in missing:
            schemas[name] = plain_schema(document["components"]["schemas"][name])
        missing = _references(schemas) - schemas.keys()
    return schemas


def plain_schema(schema: Json, *, closed: bool = True) -> Json:
    """An OpenAPI 3.0 schema as plain JSON Schema; objects are closed unless they are part of an `allOf`."""
    if not isinstance(schema, dict):
        return schema
    plain = {name: value for name, value in schema.items() if name not in PROSE and not name.startswith("x-")}
    nullable = plain.pop("nullable", False)
    if "properties" in plain:
        plain["properties"] = {name: plain_schema(value) for name, value in plain["properties"].items()}
        if closed:
            plain.setdefault("additionalProperties", False)
    for name in ("items", "additionalProperties", "not"):
        if isinstance(plain.get(name), dict):
            plain[name] = plain_schema(plain[name])
    for name in ("anyOf", "oneOf", "allOf"):
        if name in plain:
            plain[name] = [plain_schema(each, closed=name != "allOf") for each in plain[name]]
    return _or_null(plain) if nullable else plain


def _or_null(plain: Json) -> Json:
    if not plain:
        return plain
    if "enum" in plain and None not in plain["enum"]:
        plain["enum"] = [*plain["enum"], None]
    if set(plain) & {"$ref", "anyOf", "oneOf", "allOf"}:
        return {"anyOf": [plain, {"type": "null"}]}
    if isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def _operation(document: Json, name: str) -> Json:
    method, path = name.split(" ")
    found = document["paths"][path]
    operation = found[method.lower()]
    shown: dict[str, Json] = {"path": {}, "query": {}, "responses": {}}
    for parameter in [*found.get("parameters", ()), *operation.get("parameters", ())]:
        resolved = _resolved(document, parameter)
        if resolved["in"] in shown:
            shown[resolved["in"]][resolved["name"]] = plain_schema(resolved["schema"])
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"])
        schema = plain_schema(body["content"]["application/json"]["schema"])
        shown["body"] = {"required": body.get("required", False), "schema": schema}
    for status, response in operation["responses"].items():
        content = _resolved(document, response).get("content", {})
        schema = CORRECTED.get((name, status)) or content.get("application/json", {}).get("schema")
        shown["responses"][status] = plain_schema(schema) if schema else None
    return shown


def _resolved(document: Json, found: Json) -> Json:
    """What a reference refers to."""
    while "$ref" in found:
        target = document
        for step in found["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found = target
    return found


def _references(found: Json) -> set[str]:
    if isinstance(found, list):
        return set().union(*map(_references, found))
    if isinstance(found, dict):
        mine = {found["$ref"].removeprefix(REF)} if isinstance(found.get("$ref"), str) else set()
        return mine.union(*map(_references, found.values()))
    return set()


def write(target: Path, document: Json) -> None:
    """Write a document compactly, the same for the same contents."""
    target.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    rest, webhooks = (json.loads(Path(argument).read_text()) for argument in sys.argv[1:])
    write(REST, extract(rest))
    write(WEBHOOKS, extract_payloads(webhooks))
