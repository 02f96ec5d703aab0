"""Where a test failed: file and line, from the dialect's attributes or from the traceback in the text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from steps.junit.names import go_package
from steps.junit.reader import Case

_LOOKED_AT = 64 * 1024
_MOST = 200
_CODE = "rb|php|cs|swift|cc?|cpp|cxx|hh?|hpp|mm?|exs?|lua|p[lm]|sh|bats|dart|hs|erl|clj|vue|rs"
_JVM = "(?:java|kt|scala|groovy)"
_PATTERNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^(?P<file>[^\s:][^:\n]{0,500}\.py):(?P<line>\d{1,7}):",  # pytest
        r'^[ \t]{0,20}File "(?P<file>[^"\n]{1,500}\.py)", line (?P<line>\d{1,7})',  # Python
        rf"^[ \t]{{1,20}}at (?P<place>[\w.$/@-]+)\((?P<file>[\w$]+\.{_JVM}):(?P<line>\d{{1,7}})\)",
        r"(?:^|[\s(])(?P<file>[\w./@+-]{1,500}\.go):(?P<line>\d{1,7})\b",
        r"(?:^|[\s(])(?P<file>(?:file://)?[\w./@+\[\]-]{1,500}\.[cm]?[jt]sx?):(?P<line>\d{1,7})(?::\d+)?\b",
        rf"(?:^|[\s(#'])(?P<file>[\w./@+-]{{1,500}}\.(?:{_CODE})):(?:line )?(?P<line>\d{{1,7}})\b",
    )
)
_LIBRARY = re.compile(
    r"<|node:|(?:.*/)?(?:site-packages|dist-packages|node_modules|lib/python3[^/]*|rustc|usr/lib|go/pkg/mod|vendor)/"
)
_BAZEL = re.compile(r"^.*/(?:execroot|[^/]+\.runfiles)/[^/]+/(?:bazel-out/[^/]+/bin/)?(?=.)")


@dataclass(frozen=True)
class Place:
    """A file, relative to the repository where that could be told, and a line of it."""

    file: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Sources:
    """Where the step had the repository, and whose it is (OWNER/NAME): what a path is relative to."""

    folders: Sequence[str] = ()
    repository: str = ""

    def strip(self, text: str) -> str:
        """Return `text` with the folders taken off all the paths in it."""
        for folder in self.folders:
            text = re.sub(rf"(?:file://)?{re.escape(folder)}/(?:preflight-\w+/source/)?", "", text)
        return text

    def relative(self, path: str) -> str:
        """Return `path` as the repository knows it, if it can be told."""
        return _BAZEL.sub("", self.strip(path).removeprefix("file://")).removeprefix("./")


def place_of(found: Case, text: str, own_file: str, sources: Sources) -> Place:
    """Return where the test failed: in its own file if that can be told, else outside of libraries."""
    own = sources.relative((found.case.file or "").strip() or own_file)
    frames = [
        (sources.relative(file), line)
        for file, line in islice(_frames(found, text, sources.repository), _MOST)
        if not _LIBRARY.match(file)
    ]
    frames = [frame for frame in frames if own and _same(frame[0], own)] or frames
    if frames:
        # Python tells the innermost call last, everybody else first.
        file, line = frames[-1 if frames[0][0].endswith(".py") else 0]
        return Place(own if own and _same(file, own) else file, line)
    return Place(own, _line(found))


def _frames(found: Case, text: str, repository: str) -> Iterator[tuple[str, int]]:
    """Yield the places that the text names, of the first language that any is found of."""
    text = text[:_LOOKED_AT]
    for pattern in _PATTERNS:
        frames = list(islice(pattern.finditer(text), _MOST))
        for frame in frames:
            file = frame["file"]
            if "place" in frame.groupdict():
                file = _java_file(found, frame["place"], file)
            elif file.endswith(".go") and "/" not in file:
                package = go_package(found.suite, repository)
                file = f"{package}/{file}" if package and package != found.suite else file
            if file:
                yield file, int(frame["line"])
        if frames:
            return


def _java_file(found: Case, place: str, file: str) -> str:
    """Return the file below the folder of its package; nothing for a class that is not the test's own."""
    outer = place.rpartition("/")[2].rpartition(".")[0].partition("$")[0]
    own = (found.case.classname or "").partition("$")[0]
    if outer != own and own.rpartition(".")[2] != outer.rpartition(".")[2]:
        return ""
    package = outer.rpartition(".")[0].replace(".", "/")
    return f"{package}/{file}" if package else file


def _same(file: str, own: str) -> bool:
    return file == own or file.endswith(f"/{own}")


def _line(found: Case) -> int | None:
    line = found.case.line or ""
    if not re.fullmatch(r"\d{1,7}", line, re.ASCII):
        return None
    # pytest's older dialect counts from zero.
    return int(line) + 1 if found.suite == "pytest" else int(line) or None
