"""What a log holds beside what it says: markers of folds, and progress that a terminal would overwrite."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TREE = re.compile(r"/preflight-[0-9a-z_]{8}/source/")
"""Where a step has its copy of the repository, below a folder for things that don't last."""

_BEFORE = re.compile(r"[^\w./~-]")

_SEEN = 200  # characters of a line that are looked at

_MARKERS = re.compile(
    r"\s*(?:::(?:end)?group::|##\[(?:end)?group\]|::(?:add-mask|debug|set-output)\b"
    r"|##\[debug\]|section_(?:start|end):\d|travis_(?:fold|time):|##teamcity\[(?:block|progress)"
    r"|\[ERROR\](?:$| (?:-> )?\[Help 1\]| To see the full stack| Re-run Maven| For more information about)"
    r"|\[notice\] |npm (?:ERR!|error) A complete log of this run|info Visit https://yarnpkg)"
)
_PROGRESS = re.compile(
    r"(?:remote: )?(?:Enumerating|Counting|Compressing|Receiving|Resolving|Writing|Updating|Unpacking)"
    r" (?:objects|deltas|files):"  # git
    r"|.{0,60}?\d{1,3}%\|"  # tqdm
    r"|\s*[━─╸╺█▉▊▋▌▍▎▏░▒▓]{3}"  # pip
    r"|[0-9a-f]{12}: (?:Pull|Push|Waiting|Verifying|Download|Extracting|Already|Preparing|Layer)"  # docker
    r"|#\d+ (?:sha256:[0-9a-f]{8}|\.{3}|extracting )"  # buildkit
    r"|(?:\[INFO\] )?(?:Download|Upload)(?:ing|ed) from \S+: http|Progress \(\d+\):"  # maven
    r"|\s*\d{1,3}K(?: [. ]{10}){1,5}"  # wget
    r"|  % Total    % Received| *\d{1,3} +[\d.]+[kMG]? +\d{1,3} +[\d.]+[kMG]? +\d"  # curl
    r"|\s*\d{1,3}% ?[\[(|]"
    r"|.{0,60}?[\[(|][=#\-. ]{2,80}>?[=#\-. ]{0,80}[\])|] *\d{1,3}(?:\.\d+)?%"
)


def in_repository(line: str) -> str:
    """The line with paths of files as the repository has them, not as the step's copy of it had."""
    kept, start = [], 0
    for found in _TREE.finditer(line):
        above = line[start : found.start()]
        ends = [one.end() for one in _BEFORE.finditer(above)]
        kept.append(above[: ends[-1]] if ends else "")
        start = found.end()
    return "".join((*kept, line[start:])) if kept else line


def without_noise(lines: Iterable[str]) -> Iterator[str]:
    """The lines that hold something to read; of progress that was printed line by line the last state."""
    progress: str | None = None
    for line in map(in_repository, lines):
        seen = line[:_SEEN]
        if not seen.strip() or _MARKERS.match(seen):
            continue
        if _PROGRESS.match(seen):
            progress = line
            continue
        if progress is not None:
            yield progress
            progress = None
        yield line
    if progress is not None:
        yield progress
