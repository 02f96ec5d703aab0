"""A copy of the merged tree for one check alone, and the clean environment that its code runs in."""

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steps.archive import unpack
from steps.child import GRACE, started
from steps.contract import DESCRIPTIONS
from steps.environment import clean
from steps.process import end_all
from steps.workspace import workspace

EX_TIMEOUT = 124
_ENVIRONMENTS = (".venv", "venv")


@dataclass(frozen=True)
class FreshCopy:
    """The tree, unpacked."""

    source: Path
    folder: Path
    """Where the check may put what goes when it ends; `source` is below it."""
    env: Mapping[str, str]

    def find(self, program: str) -> str | None:
        """Return where a program is: in an environment that the tree holds, else on PATH; None if nowhere."""
        own = (self.source / environment / "bin" / program for environment in _ENVIRONMENTS)
        there = next((str(path) for path in own if os.access(path, os.X_OK)), None)
        return there or shutil.which(program, path=self.env.get("PATH"))

    def run(self, argv: Sequence[str], timeout: float | None) -> int:
        """Run it in the tree; returns its exit code, as a shell would: 128+N when signal N killed it."""
        with started(argv, cwd=self.source, env=self.env, stdin=subprocess.DEVNULL) as process:
            try:
                exit_code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                print(f"error: timed out after {timeout:g}s", flush=True)
                exit_code = EX_TIMEOUT
            end_all("group", process.pid, GRACE)
        return exit_code if exit_code >= 0 else 128 - exit_code


@contextlib.contextmanager
def fresh_copy(args: argparse.Namespace) -> Iterator[FreshCopy]:
    """Unpack the tree; the copy is removed however the check ends.

    Raises:
        ArchiveError: there is no tree.
    """
    with workspace() as folder:
        source, home, temporary = folder / "source", folder / "home", folder / "tmp"
        for made in (source, home, temporary, args.artifacts):
            if made is not None:
                made.mkdir(parents=True, exist_ok=True)
        unpack(args.archive, source)
        yield FreshCopy(source, folder, _environment(args, home, temporary))


def show(argv: Sequence[str], args: argparse.Namespace) -> None:
    """Print what would run."""
    print(f"command: {shlex.join(argv)}")
    print(f"working directory: a fresh copy of {args.archive}")
    print(f"environment: {' '.join(sorted(_environment(args, Path(), Path())))}")


def add_tree(parser: argparse.ArgumentParser) -> None:
    """Add the options of a check that goes over the whole tree."""
    given = os.environ.get("ARTIFACTS")
    parser.add_argument("--archive", type=Path, required=True, help="the packed tree")
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out what it matches, a file or a folder: vendor, docs/*, *_pb2.py; * matches / too",
    )
    parser.add_argument(
        "--artifacts",
        type=Path,
        default=Path(given) if given else None,
        help="folder known as $ARTIFACTS (default: the same)",
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="stop it after that long")


def _environment(args: argparse.Namespace, home: Path, temporary: Path) -> dict[str, str]:
    own = {"HOME": str(home), "TMPDIR": str(temporary), "CI": "true"}
    if args.artifacts is not None:
        own["ARTIFACTS"] = str(args.artifacts.resolve())
    return clean(os.environ, inherit=DESCRIPTIONS) | own
