"""Run by .venv-manifests' Python: a JSON list of PromQL expressions in, what each asks for out."""

from __future__ import annotations

import json
import sys
from typing import Any

import promql_parser  # type: ignore[import-not-found]  # it is in .venv-manifests only


def read(expression: str) -> dict[str, Any]:
    """Its selectors (metric, and label, operator and value of each matcher) and the labels it groups by."""
    selectors: list[dict[str, Any]] = []
    labels: set[str] = set()

    def visit(node: Any) -> None:  # noqa: ANN401 - any of the parser's classes
        if isinstance(node, promql_parser.VectorSelector):
            matchers = [(one.name, str(one.op), one.value) for one in node.matchers.matchers]
            selectors.append({"metric": node.name, "matchers": matchers})
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            labels.update(node.modifier.labels)

    try:
        promql_parser.walk(promql_parser.parse(expression), visit)
    except ValueError as error:
        return {"error": str(error)}
    return {"selectors": selectors, "labels": sorted(labels)}


if __name__ == "__main__":
    json.dump([read(expression) for expression in json.load(sys.stdin)], sys.stdout)
