"""The pipelines of the repositories in which pull requests live: preflight.yaml as the oracle reads it.

Nothing here is the bot's: whether a pipeline applies is worked out anew, for the few patterns that are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DAG = "checks"
SHOWN_AS = ("statuses", "checks", "both")


@dataclass(frozen=True)
class Pipeline:
    """One pipeline. `folder`: runs only where a file below it changes; `label`, `branch`: only with it."""

    steps: int = 2
    folder: str = ""
    label: str = ""
    branch: str = ""
    manual: bool = False
    drafts: bool = False
    optional: bool = False
    needs: str = ""

    def applies(self, base: str, labels: Collection[str], files: Collection[str]) -> bool:
        """Whether it runs by itself on such a pull request."""
        return (
            not self.manual
            and self.branch in ("", base)
            and (not self.label or self.label in labels)
            and (not self.folder or any(file.startswith(f"{self.folder}/") for file in files))
        )

    def written(self) -> dict[str, object]:
        """As preflight.yaml says it."""
        said: dict[str, object] = {
            "dag": DAG,
            "params": {"steps": {f"step-{number}": "true" for number in range(1, self.steps + 1)}},
            "paths": [f"{self.folder}/**"] if self.folder else None,
            "labels": [self.label] if self.label else None,
            "branches": [self.branch] if self.branch else None,
            "manual": self.manual or None,
            "drafts": self.drafts or None,
            "optional": self.optional or None,
            "needs": [self.needs] if self.needs else None,
        }
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True)
class Configuration:
    """A preflight.yaml. `shown_as` is where results stand: statuses, checks or both."""

    pipelines: Mapping[str, Pipeline]
    shown_as: str = "statuses"

    def written(self) -> str:
        """The file."""
        pipelines = {name: pipeline.written() for name, pipeline in self.pipelines.items()}
        return yaml.safe_dump({"pipelines": pipelines, "report": {"as": self.shown_as}}, sort_keys=False)


_UNIT = Pipeline()
CONFIGURATIONS = (
    Configuration(
        {
            "unit": _UNIT,
            "docs": Pipeline(steps=1, folder="docs"),
            "e2e": Pipeline(steps=3, label="e2e"),
            "nightly": Pipeline(steps=1, manual=True),
        }
    ),
    Configuration(
        {
            "unit": Pipeline(drafts=True),
            "docs": Pipeline(steps=1, folder="docs", optional=True),
            "main-only": Pipeline(steps=1, branch="main"),
            "deploy": Pipeline(steps=1, needs="unit", drafts=True),
            "nightly": Pipeline(steps=1, manual=True),
        }
    ),
    Configuration(
        {"unit": _UNIT, "docs": Pipeline(folder="docs"), "nightly": Pipeline(manual=True)}, "checks"
    ),
    Configuration({"unit": _UNIT, "e2e": Pipeline(label="e2e"), "nightly": Pipeline(manual=True)}, "both"),
)
"""A repository has one of them, on both of its branches."""
BRANCHES = ("main", "release")
