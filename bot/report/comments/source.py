"""Where a file of the repository is on the web, at the commit that was tested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from bot.prose import code
from bot.report.comments.markdown import link

if TYPE_CHECKING:
    from bot.models import Run

LONGEST_PATH = 300
_SHA = re.compile(r"[0-9a-f]{7,64}")


def place(run: Run, path: str, line: int | None) -> str:
    """The text "path:line" as Markdown, a link where the file's address is known; empty without a path."""
    if not path.strip():
        return ""
    return link(code(path if line is None else f"{path}:{line}"), file_url(run, path, line))


def file_url(run: Run, path: str, line: int | None) -> str:
    """The address of the line at the run's head, empty where it can't be told.

    The head of a fork is reachable in the repository that the pull request goes to.
    """
    web = _web(run.repository.clone_url)
    if not web or not _SHA.fullmatch(run.head_sha) or not _is_inside(path):
        return ""
    anchor = f"#L{line}" if line is not None and line > 0 else ""
    return f"{web}/blob/{run.head_sha}/{quote(path, safe='/')}{anchor}"


def _web(clone_url: str) -> str:
    """The repository's page, as its clone URL tells."""
    try:
        parts = urlsplit(clone_url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        return ""
    page = f"{parts.scheme}://{parts.netloc}{quote(parts.path.rstrip('/').removesuffix('.git'), safe='/~')}"
    return page if re.fullmatch(r"[\w:/.~%-]+", page, re.ASCII) else ""


def _is_inside(path: str) -> bool:
    """Whether it can be a file of the repository: relative, printable, and not climbing out."""
    return (
        len(path) <= LONGEST_PATH
        and path.isprintable()
        and "\\" not in path
        and ":" not in path
        and all(part not in ("", ".", "..") for part in path.split("/"))
    )
