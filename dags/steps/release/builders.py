"""Which builder builds: the one that was asked for, or the first that is there and works."""

from collections.abc import Sequence
from typing import TypeVar

from steps.errors import StepFailed
from steps.release.cloud_build import CloudBuild
from steps.release.engines import ENGINES, Engine
from steps.tools import Tools

AUTO = "auto"
ENGINE_NAMES = (AUTO, *(engine.name for engine in ENGINES))
NAMES = (*ENGINE_NAMES, "cloudbuild")

_Kind = TypeVar("_Kind", bound=Engine | CloudBuild)


def builder(tools: Tools, asked: str, cloud: CloudBuild) -> Engine | CloudBuild:
    """Return what builds; in a dry run perhaps one that isn't here.

    Raises:
        StepFailed: none can; the message says why.
    """
    known: list[Engine | CloudBuild] = [*ENGINES, cloud]
    return _first(tools, asked, known)


def engine(tools: Tools, asked: str) -> Engine:
    """Return what tags and pushes; raises as `builder` does."""
    return _first(tools, asked, ENGINES)


def _first(tools: Tools, asked: str, known: Sequence[_Kind]) -> _Kind:
    candidates = [each for each in known if asked in {AUTO, each.name}]
    troubles = []
    for each in candidates:
        trouble = each.trouble(tools)
        if not trouble:
            return each
        troubles.append(f"{each.name}: {trouble}")
    if tools.dryrun:
        return candidates[0]
    why = "; ".join(troubles)
    raise StepFailed(
        f"no builder works here ({why}). Start an engine, or let Cloud Build do it: "
        "--builder=cloudbuild --project=PROJECT --push"
    )
