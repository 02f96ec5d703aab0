"""What tests of `release clone` clone, and what they find in its archive."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.dags.conftest import Done, Repository

if TYPE_CHECKING:
    from pathlib import Path

Step = Callable[..., Done]


class Pull:
    """A base branch and a pull request's head that changes another file."""

    def __init__(self, repository: Repository) -> None:
        root = repository.commit(ref="refs/heads/main", shared="1\n", kept="1\n")
        self.head = repository.commit(onto=root, ref="refs/pull/7/head", added="by the pull request\n")
        self.base = repository.commit(onto=root, ref="refs/heads/main", shared="2\n")


def options(url: str, pull: Pull, archive: Path) -> list[str]:
    """Clone the pull request as the bot would have it cloned."""
    return [
        *("clone", "pr", "--pr=7"),
        *(f"--url={url}", f"--base={pull.base}", f"--commit={pull.head}", f"--archive={archive}"),
    ]


def unpacked(archive: Path) -> Path:
    """Unpack beside the archive; returns the folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(archive.parent / "unpacked", filter="tar")
    return archive.parent / "unpacked"


def cases(report: Path) -> dict[str, str]:
    """What a JUnit file says of each case."""
    return {
        case.attrib["name"]: next((f"{end.tag}: {end.get('message')}" for end in case), "passed")
        for case in ET.parse(report).iter("testcase")  # noqa: S314 - our own
    }
