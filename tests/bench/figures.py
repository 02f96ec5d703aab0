"""What is printed and kept: figures with their goals and baselines."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEADER = ("figure", "value", "goal", "baseline")
_AS_WHOLE_NUMBER = 100


class NotMeasured(Exception):
    """A figure could not be measured at all; the message says why."""


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    name: str
    value: float
    unit: str
    """Of the value, the goal and the baselines."""
    goal: float
    baseline: Mapping[str, float]
    """What the value is to be compared with, by name."""
    at_least: bool = False
    """Whether more is better; less is, if not."""
    details: Mapping[str, object] = field(default_factory=dict)
    """For whoever wants to know where the value comes from."""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        sign = "≥" if self.at_least else "≤"
        return (
            self.name,
            f"{_number(self.value)} {self.unit}",
            f"{sign} {_number(self.goal)} {self.unit} {'✓' if self.met else '✗'}",
            ", ".join(f"{name}: {_number(value)} {self.unit}" for name, value in self.baseline.items()),
        )


def table(figures: Sequence[Figure]) -> str:
    """All figures, in columns."""
    rows = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def keep(
    path: Path,
    figures: Sequence[Figure],
    *,
    machine: Mapping[str, object],
    missing: Mapping[str, str],
) -> None:
    """Write everything down as JSON; `missing` are the reasons why figures are missing, by measurement."""
    rows = [asdict(figure) | {"met": figure.met} for figure in figures]
    for row in rows:
        row["figure"] = row.pop("name")
    document = {"machine": machine, "figures": rows, "missing": missing}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all values does not exceed; so p99 of 40 is the largest.

    Raises:
        NotMeasured: there are none.
    """
    if not values:
        raise NotMeasured("there is not one value")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    """The value in the middle, the lower one of two."""
    return percentile(values, 0.5)


def _number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if value >= _AS_WHOLE_NUMBER else f"{value:.3g}"
