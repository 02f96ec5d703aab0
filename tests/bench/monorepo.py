"""What decisions are measured on: one repository with 50 pipelines, and changes of thousands of files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.models import Dag
from bot.policy.operator import TAG, Operator, Serve

if TYPE_CHECKING:
    from collections.abc import Mapping

OWNER, NAME = "acme", "monorepo"
LABEL = "e2e"
AREAS = ("api", "auth", "billing", "data", "docs", "infra", "mobile", "search", "web", "worker")
CHANGED_AREAS = AREAS[:7]
"""So that some pipelines run and others are skipped."""

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
OPERATOR = Operator((Serve((f"{OWNER}/*",)),))
STEPS: Mapping[str, object] = {"type": "object"}
DAGS = {
    "checks": Dag("checks", frozenset({TAG}), paused=False, params={"steps": STEPS}),
    "browsers": Dag(
        "browsers",
        frozenset({TAG}),
        paused=False,
        params={"steps": STEPS, "browser": {"type": "string"}, "workers": {"type": "integer"}},
    ),
    "deploy": Dag("deploy", frozenset({TAG}), paused=False, params={"version": {"type": "string"}}),
}

_PIPELINES = r"""
  unit-{area}:
    dag: checks
    on: [pull_request, merge_group, push]
    paths: ["services/{area}/**", "libs/{area}-*/**/*.py", "*.toml", "!services/{area}/**/*.md"]
    timeout: 30m
    params:
      steps:
        lint: ruff check services/{area}
        test: pytest -q services/{area}
  types-{area}:
    dag: checks
    paths: ["services/{area}/**/*.py", "services/{area}/**/*.ts", "!**/generated/**"]
    paths_ignore: ["docs/", "**/*_pb2.py", "*.lock"]
    drafts: true
    params:
      steps: {{types: "mypy services/{area}"}}
  e2e-{area}:
    dag: browsers
    branches: [main, "release/*"]
    branches_ignore: ["release/0.*"]
    labels: [e2e, "area: {area}"]
    paths: ["services/{area}/**", "e2e/{area}/[a-z]*/**", "e2e/**/test_?.py"]
    needs: [unit-{area}]
    max_concurrency: 2
    params:
      steps: {{e2e: "npx playwright test e2e/{area}"}}
    inputs:
      browser: {{choices: [chromium, firefox, webkit], default: chromium, description: In which browser}}
      workers: {{type: integer, default: 4, description: So many at once}}
  docs-{area}:
    dag: checks
    optional: true
    paths: ["docs/{area}/**", "services/{area}/**/*.md", "/README.md"]
    params:
      steps: {{build: "mkdocs build --strict docs/{area}"}}
  deploy-{area}:
    dag: deploy
    manual: true
    branches: [main]
    inputs:
      version: {{pattern: "[0-9]+[.][0-9]+[.][0-9]+", description: What to deploy}}
"""

CONFIGURATION = "".join(
    ("trust: [acme-friends]\napprove: head\npipelines:\n", *(_PIPELINES.format(area=area) for area in AREAS))
).encode()

_PATHS = (
    "services/{area}/src/{package}/handlers_{file}.py",
    "services/{area}/src/{package}/models/record_{file}.py",
    "services/{area}/web/components/{package}/view_{file}.ts",
    "services/{area}/tests/{package}/test_{file}.py",
    "services/{area}/src/generated/{package}/message_{file}_pb2.py",
    "libs/{area}-client/src/{package}/call_{file}.py",
    "docs/{area}/{package}/page_{file}.md",
    "e2e/{area}/{package}/flow_{file}.spec.ts",
    "assets/{package}/image_{file}.svg",
)


def changed_files(count: int, change: int) -> tuple[str, ...]:
    """So many paths, in 90 packages; others for each change."""
    return tuple(
        _PATHS[file % len(_PATHS)].format(
            area=CHANGED_AREAS[file % len(CHANGED_AREAS)],
            package=f"package_{file % 90}",
            file=f"{change}_{file}",
        )
        for file in range(count)
    )
