"""A linter over the Python files of the tree; each file is a test case."""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate
from pathlib import Path

from steps.checks.fresh_copy import FreshCopy, add_tree, fresh_copy, show
from steps.checks.linters import LINTERS, Linter, message
from steps.child import hear
from steps.errors import StepFailed
from steps.lines import Lines
from steps.program import CommandOf, Step

_SUFFIXES = (".py", ".pyi")
_MOST_CHARACTERS = 100_000
"""Of file names on one command line: Linux takes 2 MB in all, other systems less."""
_MOST_MESSAGES = 10_000
_NAMES = {linter.name: linter for linter in LINTERS}


def lint(args: argparse.Namespace, step: Step) -> None:
    """Run the linter.

    Raises:
        StepFailed: it has something to say, or there is none.
    """
    if step.dryrun:
        linter = _NAMES.get(args.linter, LINTERS[0])
        name = args.linter if args.linter in _NAMES else f"<{'|'.join(_NAMES)}>"
        show([name, *linter.options, *args.extra, "<the Python files>"], args)
        return
    with fresh_copy(args) as copy:
        files = sorted(python_files(copy.source, args.exclude))
        if not files:
            print("There are no Python files.")
            step.cases.add("python files", skipped="there are none")
            return
        linter, program = _choose(args.linter, copy)
        print(f"{linter.name} over {len(files)} Python files")
        messages: dict[str, list[str]] = defaultdict(list)
        failures = [
            _ask([program, *linter.options, *args.extra, *batch], copy, args.timeout, messages)
            for batch in _batches(files)
        ]
    _tell(linter, files, messages, max(failures, key=len), step)


def python_files(tree: Path, excludes: Sequence[str]) -> Iterator[str]:
    """Yield the tree's Python files, but for what is excluded or linked; paths are relative to it."""
    for folder, folders, files in os.walk(tree):
        parent = os.path.relpath(folder, tree)
        prefix = "" if parent == os.curdir else f"{parent}/"
        folders[:] = [
            name for name in folders if name != ".git" and not _is_excluded(prefix + name, excludes)
        ]
        for name in files:
            path = prefix + name
            if (
                name.endswith(_SUFFIXES)
                and not _is_excluded(path, excludes)
                and not (tree / path).is_symlink()
            ):
                yield path


def _is_excluded(path: str, excludes: Sequence[str]) -> bool:
    return any(fnmatchcase(path, glob.rstrip("/")) for glob in excludes)


def _choose(wanted: str, copy: FreshCopy) -> tuple[Linter, str]:
    """Return the linter and where it is: the one that was asked for, that the tree configures, or any."""
    if wanted in _NAMES:
        linters = [_NAMES[wanted]]
    else:
        linters = [linter for linter in LINTERS if linter.is_configured(copy.source)][:1] or list(LINTERS)
    for linter in linters:
        if program := copy.find(linter.name):
            return linter, program
    names = " or ".join(linter.name for linter in linters)
    raise StepFailed(
        f"{names} is neither in the tree's .venv nor on PATH: install it where steps run (in Airflow's "
        "image), or choose another by --linter"
    )


def _batches(files: Sequence[str]) -> Iterator[list[str]]:
    """Yield files in lists that fit a command line; no name looks like an option."""
    ends = accumulate(len(file) + 3 for file in files)
    batches: dict[int, list[str]] = defaultdict(list)
    for file, end in zip(files, ends, strict=True):
        batches[end // _MOST_CHARACTERS].append(f"./{file}")
    yield from batches.values()


def _ask(argv: Sequence[str], copy: FreshCopy, timeout: float | None, messages: dict[str, list[str]]) -> str:
    """Run the linter over some files and collect its messages; returns how it failed, empty if it did not."""
    lines = Lines()
    last = ""

    def hear_line(line: str) -> None:
        nonlocal last
        print(line)
        last = line.strip() or last
        found = message(line)
        if found and len(messages[found[0]]) < _MOST_MESSAGES:
            messages[found[0]].append(found[1])

    def hear_chunk(chunk: bytes) -> None:
        for line in lines.feed(chunk):
            hear_line(line)

    ended = hear(argv, cwd=copy.source, env=copy.env, on_output=hear_chunk, timeout=timeout, sweep=True)
    for line in lines.end():
        hear_line(line)
    if ended.timed_out:
        raise StepFailed(f"{Path(argv[0]).name} timed out after {timeout:g}s")
    return f"exit code {ended.exit_code}: {last}" if ended.exit_code else ""


def _tell(
    linter: Linter, files: Sequence[str], messages: Mapping[str, Sequence[str]], failure: str, step: Step
) -> None:
    """Add a case for each file; raise if the linter failed."""
    for file in files:
        said = messages.get(file, ()) if failure else ()
        step.cases.add(file, failure=said[0] if said else "", text="\n".join(said))
    if not failure:
        return
    faulty = [file for file in files if messages.get(file)]
    if not faulty:
        step.cases.add(linter.name, failure=failure)
        raise StepFailed(f"{linter.name} itself failed, {failure}")
    count = sum(len(messages[file]) for file in faulty)
    raise StepFailed(f"{linter.name}: {_number(count, 'message')} in {_number(len(faulty), 'file')}")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_tree(parser)
    parser.add_argument(
        "--linter",
        choices=["auto", *_NAMES],
        default="auto",
        help="auto: the one that the tree configures, else the first that is there (default: %(default)s)",
    )
    parser.add_argument("extra", nargs="*", metavar="OPTION", help="more for the linter; put -- before them")


COMMAND = CommandOf("lint", "lint the Python files of the merged tree", _add_arguments, lint)
