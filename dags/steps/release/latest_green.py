"""The commit that passed last, as the bot writes it down.

Below its artifacts: `logs/OWNER_REPO/PIPELINE/latest_green.json` for pushed branches, and
`pr-logs/directory/OWNER_REPO/PIPELINE/latest_green.json` for what is still to be merged.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steps.arguments import is_ref, is_sha
from steps.errors import StepFailed

_LARGEST = 64 * 1024


@dataclass(frozen=True)
class LatestGreen:
    """What a `latest_green.json` says."""

    commit: str
    branch: str
    """Its base branch; empty when the file names none."""


def latest_green(place: str) -> LatestGreen:
    """Return what the file at `place` says: a path, or a URL that fsspec knows.

    Raises:
        StepFailed: it isn't there, or is no such file.
    """
    try:
        content = _read(place)
    except FileNotFoundError:
        raise StepFailed(
            f"there is no {place}: the pipeline never passed there, or the path is another one "
            "(below the bot's artifacts: logs/OWNER_REPO/PIPELINE/latest_green.json)"
        ) from None
    except Exception as error:  # noqa: BLE001 - each of fsspec's libraries raises its own
        raise StepFailed(f"{place} can't be read: {type(error).__name__}: {error}") from None
    try:
        return parsed(content)
    except ValueError as error:
        raise StepFailed(f"{place} is not a latest_green.json: {error}") from None


def parsed(content: bytes) -> LatestGreen:
    """Read the file's content.

    Raises:
        ValueError: it isn't one.
    """
    try:
        said: Any = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(said, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - one kind of error for one kind of trouble
    sha, base = said.get("sha"), said.get("base")
    if not isinstance(sha, str) or not is_sha(sha):
        raise ValueError(f"its `sha` is no full commit SHA: {str(sha)[:80]!r}")
    return LatestGreen(sha, base if isinstance(base, str) and is_ref(base) else "")


def _read(place: str) -> bytes:
    if "://" not in place:
        with Path(place).open("rb") as file:
            return file.read(_LARGEST)
    from fsspec.core import url_to_fs  # noqa: PLC0415 - a path needs no library

    files, path = url_to_fs(place)
    with files.open(path, "rb") as file:
        content: bytes = file.read(_LARGEST)
    return content
