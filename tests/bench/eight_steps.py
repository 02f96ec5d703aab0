"""The pipeline that reports are measured with: eight steps, in parallel, that sleep for ever longer."""

from __future__ import annotations

STEPS = 8


def configuration(seconds: float, *, shown_as: str = "statuses") -> str:
    """The repository's preflight.yaml: the last step ends after so many seconds, the others evenly before."""
    steps = "".join(
        f"        step-{number}: sleep {seconds * number / STEPS:g}\n" for number in range(1, STEPS + 1)
    )
    return (
        f"pipelines:\n  unit:\n    dag: checks\n    params:\n      steps:\n{steps}report:\n  as: {shown_as}\n"
    )
