"""`/schema/preflight.json`: the JSON Schema of `preflight.yaml`, for editors."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from bot.policy.configuration import json_schema

PATH = "/schema/preflight.json"


def blueprint() -> Blueprint:
    """The schema, which is the same until the next version of Preflight."""
    pages = Blueprint("schema", __name__)
    content = json.dumps(json_schema(), indent=2) + "\n"

    @pages.get(PATH)
    def schema() -> Response:
        answer = Response(content, mimetype="application/schema+json")
        answer.headers["Access-Control-Allow-Origin"] = "*"  # editors in browsers fetch it, too
        return answer

    return pages
