"""What all providers of clusters have in common, and whose a cluster is."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from steps.deploy.names import label_value
from steps.errors import StepFailed

_MARK = {"created-by": "preflight"}
MARK = "created-by=preflight"
"""The label of all that we make: nothing without it is ever deleted."""

Phase = Literal["coming", "ready", "going", "broken"]


@dataclass(frozen=True)
class Shape:
    """What a cluster is made of; what a provider doesn't know it leaves out."""

    machine_type: str = ""
    nodes: int = 1
    accelerators: tuple[str, ...] = ()
    version: str = ""
    spot: bool = False
    image: str = ""
    account: str = ""
    """As whom its nodes, and so all pods on them, may ask Google Cloud; empty: the provider's own."""
    pod_security: str = "baseline"
    """What pods a namespace that stands for a cluster may have: a Pod Security Standard of Kubernetes."""


@dataclass(frozen=True, eq=False)
class Found:
    """A cluster that is there, in whatever state."""

    name: str
    state: str
    """In the provider's words."""
    phase: Phase
    labels: Mapping[str, str] | None
    """None where they can't be read."""
    location: str = ""
    remark: str = ""
    """What else the provider says about its state."""

    @property
    def told(self) -> str:
        """Its state, for people."""
        return f"{self.name} is {self.state}" + (f" ({self.remark})" if self.remark else "")


class Clusters(Protocol):
    """The clusters of one provider."""

    noun: str
    """What people call one."""

    def look(self, name: str) -> Found | None:
        """Return the cluster of that name, None when there is none and none is on its way."""

    def create(self, name: str, shape: Shape, labels: Mapping[str, str]) -> None:
        """Make one, and wait for it.

        Raises:
            Exists: there is one of that name.
        """

    def delete(self, found: Found) -> None:
        """Begin to remove it. That it is gone already is fine; TryAgain where it can't be done yet."""

    def renew(self, found: Found, expires: str) -> None:
        """Set its label `expires`."""

    def ours(self) -> list[Found]:
        """Return all that bear our mark."""


class Exists(Exception):
    """There is a cluster of that name by now."""


def labels_for(owner: str, run: str, expires: float, more: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of what we make: our mark, who wants it, for which run, and until when.

    Raises:
        StepFailed: `more` would change these.
    """
    own = _MARK | {"owner": label_value(owner), "run": label_value(run), "expires": f"{expires:.0f}"}
    if taken := sorted(own.keys() & more.keys()):
        raise StepFailed(f"the label {taken[0]!r} is ours: choose another name")
    return {**more, **{key: value for key, value in own.items() if value}}


def why_not_ours(found: Found, run: str = "") -> str:
    """Return why we must not touch it, in words; empty when it is ours (and of that run, if one is named)."""
    if found.labels is None:  # half made or half gone: by an earlier try, where the name is a run's own
        unknown = found.phase == "broken" and not run
        return f"{found.told}: whose it is can't be told without --run" if unknown else ""
    if not _MARK.items() <= found.labels.items():
        return f"{found.name} is there already and is not ours: it has no label {MARK}"
    theirs = found.labels.get("run", "")
    if run and theirs and theirs != label_value(run):
        return f"{found.name} is there already and belongs to the run {theirs}"
    return ""


def expires_at(found: Found) -> int | None:
    """Return the end of its time, in seconds of the epoch; None where its label doesn't say."""
    text = (found.labels or {}).get("expires", "")
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None


def is_expired(found: Found, now: float | None = None) -> bool:
    """Whether its time is over. Without a time that can be read it isn't."""
    end = expires_at(found)
    return end is not None and end < (time.time() if now is None else now)
