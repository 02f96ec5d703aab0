"""Summarises the JUnit files of a folder, whatever is in them.

python -m steps.junit summarise --folder=FOLDER [--output=FILE]

Exit code 0, also where files could not be read: the summary says so. It needs junitparser.
"""

import argparse
import contextlib
import json
import re
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from steps.command_line import Parser, fail, speak_plainly
from steps.folders import Entry, entries, open_below
from steps.junit.places import Sources
from steps.junit.reader import BrokenError, NotJUnitError, cases
from steps.junit.summary import Summary

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_BYTES = 200 * 1024 * 1024
MAX_FILES = 5_000
CPU_SECONDS = 30
MEMORY_BYTES = 768 * 1024 * 1024
_OUTPUT_BYTES = 8 * 1024 * 1024
_JUNIT_NAME = re.compile(r"(.*/)?([^/]*junit[^/]*|test-[^/]*|test|[^/]*-reports/[^/]*)\.xml", re.IGNORECASE)


class OutOfTimeError(Exception):
    """All the processor's time that we have is used."""


def summarise(folder: Path, summary: Summary) -> list[str]:
    """Read the folder's JUnit files, in the order in which they were written, into `summary`.

    Returns the paths of those that were read whole.
    """
    read: list[str] = []
    left = MAX_BYTES
    files = found(folder)
    try:
        for count, entry in enumerate(files):
            if count >= MAX_FILES:
                summary.note(f"{len(files) - count} more XML files were not read: at most {MAX_FILES} are")
                break
            if entry.size > min(MAX_FILE_BYTES, left):
                if _JUNIT_NAME.fullmatch(entry.path):
                    summary.note(f"{entry.path} was not read: {_megabytes(entry.size)} are too much")
                continue
            left -= entry.size
            if _read(folder, entry, summary):
                read.append(entry.path)
    except OutOfTimeError:
        summary.note(f"not all was read: it takes more than {CPU_SECONDS} seconds")
    return read


def found(folder: Path) -> list[Entry]:
    """Return all XML files, oldest first; Bazel's earlier attempts before the last."""
    files = [entry for entry in entries(folder) if not entry.oddity and entry.path.lower().endswith(".xml")]
    return sorted(files, key=lambda entry: ("/test_attempts/" not in entry.path, entry.changed, entry.path))


def _read(folder: Path, entry: Entry, summary: Summary) -> bool:
    """Add a file's cases; False when it is no JUnit, or not a whole one."""
    known = bool(_JUNIT_NAME.fullmatch(entry.path))
    try:
        with open_below(folder, entry.path) as stream:
            for case in cases(stream):
                known = True
                summary.add(entry.path, case)
    except NotJUnitError:
        return False
    except BrokenError as error:
        trouble = str(error)
    except MemoryError:
        trouble = "takes too much memory"
    except OSError:
        trouble = "could not be opened"
    else:
        summary.add_file()
        return True
    if known:
        summary.note(f"{entry.path} {trouble}")
    return False


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MB"


def main(argv: Sequence[str] | None = None) -> int:
    """Summarise a folder; returns the exit code."""
    speak_plainly()
    args = _parser().parse_args(argv)
    if args.dryrun:
        for entry in found(args.folder):
            print(f"would read: {entry.path}")
        return 0
    _limit()
    summary = Summary(Sources(args.source, args.repository), passed=args.passed)
    files = summarise(args.folder, summary)
    tests = summary.told()
    for line in _in_words(tests):
        print(line)
    if args.output:
        try:
            args.output.write_text(json.dumps({"tests": tests, "files": files}), encoding="utf-8")
        except OSError as error:
            return fail(f"the summary can't be written: {error}")
    return 0


def _limit() -> None:
    """Bound what we may use, so that no XML takes the machine with it."""
    signal.signal(signal.SIGXCPU, _out_of_time)
    for kind, most, hard in (
        (resource.RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 5),
        (resource.RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, _OUTPUT_BYTES, _OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # not known here, or lower already
            resource.setrlimit(kind, (most, hard))


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    raise OutOfTimeError


def _in_words(tests: dict[str, Any] | None) -> list[str]:
    if tests is None:
        return ["no JUnit files"]
    counts = f"{tests['total']} tests, {tests['failed']} failed, {tests['skipped']} skipped"
    failures = [f"failed: {failure['name']}: {failure['message']}" for failure in tests["failures"]]
    return [counts, *failures, *(f"flaky: {name}" for name in tests["flaky"]), *tests["notes"]]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m steps.junit", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("summarise", help="read all JUnit files of a folder")
    command.add_argument("--folder", type=Path, required=True, help="what a step left in $ARTIFACTS")
    command.add_argument("--output", type=Path, metavar="FILE", help="write the summary there as JSON")
    command.add_argument(
        "--source", action="append", default=[], metavar="FOLDER", help="paths below it become relative"
    )
    command.add_argument("--repository", default="", metavar="OWNER/NAME", help="whose packages Go's are")
    command.add_argument("--passed", action="store_true", help="the step passed: what failed first is flaky")
    command.add_argument("--dryrun", action="store_true", help="print what would be read, and read nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
