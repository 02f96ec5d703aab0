"""The JSON Schema of `preflight.yaml`, for editors."""

from __future__ import annotations

from bot.policy.configuration.models import Configuration


def json_schema() -> dict[str, object]:
    """What an editor needs to complete and check the file; it accepts all that `parse` does."""
    schema = Configuration.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
