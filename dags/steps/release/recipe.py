"""What an image is built from, and what it is called then."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steps.errors import StepFailed

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Recipe:
    """One image to be built."""

    name: str
    """Registry, path and name, without tag."""
    tag: str
    context: Path
    dockerfile: Path
    labels: Mapping[str, str]

    @property
    def reference(self) -> str:
        """Its name with the tag."""
        return f"{self.name}:{self.tag}"


def with_digest(name: str, digest: str) -> str:
    """Return what names exactly that image, whatever becomes of its tags.

    Raises:
        StepFailed: it is no digest.
    """
    if not _DIGEST.fullmatch(digest):
        raise StepFailed(f"{name} was pushed, but nobody tells its digest: {digest[:80]!r}")
    return f"{name}@{digest}"


def without_tag(reference: str) -> str:
    """Return an image's name without tag and digest."""
    name = reference.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name
