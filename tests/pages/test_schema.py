"""The JSON Schema that editors fetch."""

from __future__ import annotations

from flask import Flask

from bot.pages import schema
from bot.policy.configuration import json_schema


def test_it_is_served_to_everybody() -> None:
    app = Flask("test")
    app.register_blueprint(schema.blueprint())
    answer = app.test_client().get("/schema/preflight.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/schema+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.get_json(force=True) == json_schema()
