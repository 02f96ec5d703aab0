"""The names of what is kept of a run, as Prow's tools look for them."""

import re
from pathlib import Path

from steps.workspace import remove

_NUMBERED = re.compile(r"_\d+$")


def junit_name(step: str, number: int) -> str:
    """Return the name of the copy of a step's first, second ... JUnit file, as Prow's tools look for it.

    The second file of `unit` and the first of a step `unit_2` have different ones.
    """
    counted = number > 1 or _NUMBERED.search(step)
    return f"junit_{step}_{number}.xml" if counted else f"junit_{step}.xml"


def is_junit_of(step: str, name: str) -> bool:
    """Whether the file is such a copy."""
    counted = r"_\d+" if _NUMBERED.search(step) else r"(_\d+)?"
    return bool(re.fullmatch(rf"junit_{re.escape(step)}{counted}\.xml", name, re.ASCII))


def is_here(url: str, root: Path) -> bool:
    """Whether PREFLIGHT_ARTIFACTS_URL is the artifacts root itself, or empty: files stay where they are."""
    scheme, separator, path = url.rpartition("://")
    if separator and scheme not in {"file", "local"}:
        return False
    return not url or Path(path).expanduser().resolve() == root.resolve()


def unlink(folder: Path, root: Path) -> bool:
    """Remove a link that stands where `folder` or one between it and `root` should; was there one?"""
    path = root
    for part in folder.relative_to(root).parts:
        path /= part
        if path.is_symlink():
            path.unlink()
            return True
    return False


def fresh(folder: Path, root: Path) -> None:
    """Make a step's artifacts folder, without what an earlier try left there and its JUnit files' copies."""
    unlink(folder, root)
    for file in folder.parent.glob("junit_*.xml"):
        if is_junit_of(folder.name, file.name):
            file.unlink(missing_ok=True)
    remove(folder)
    folder.mkdir(parents=True, exist_ok=True)
