"""Keeps what a step left in $ARTIFACTS, within limits, and says what it dropped.

python -m steps.artifacts keep --folder=ARTIFACTS/STEP [--url=URL --path=PATH]

Without a URL the files stay where they are; with one (a folder's path, or what fsspec knows: s3://, gs://,
abfs:// ...) they are put below URL/PATH/STEP, and FOLDER is emptied. It needs fsspec, and what that needs for
the URL.
"""

import argparse
import contextlib
import json
import os
import re
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from steps.command_line import Parser, fail, speak_plainly
from steps.folders import Entry, entries, open_below, sweep
from steps.layout import junit_name
from steps.limits import Dropped, Limits, choose, in_words
from steps.storage import LocalStorage, RemoteStorage, Storage
from steps.workspace import remove

MAX_JUNIT_COPIES = 100
_PARALLEL = 4
_TRIED = 8
_HERE_SECONDS = 60
_PASSWORD = re.compile(r"//[^/\s@]*@")


@dataclass(frozen=True)
class Kept:
    """What came of it, in the words of the contract."""

    kept: list[Entry]
    dropped: Dropped

    def told(self) -> dict[str, object]:
        """Return `artifacts` of the XCom `preflight`."""
        size = sum(entry.size for entry in self.kept)
        return {"kept": len(self.kept), "bytes": size, "dropped": str(self.dropped)}


def keep_here(folder: Path, junit: Sequence[str], limits: Limits) -> Kept:
    """Remove from `folder` what is not kept."""
    kept, dropped = choose(entries(folder), frozenset(junit), limits)
    if dropped.counts:
        sweep(folder, {entry.path for entry in kept})
    _put_all(folder, _copies(folder.name, kept, junit), LocalStorage(folder.parent), _HERE_SECONDS)
    return Kept(kept, dropped)


def upload(folder: Path, junit: Sequence[str], limits: Limits, storage: Storage, seconds: float) -> Kept:
    """Put into `storage` what is kept, as far as time allows; remove `folder` if all is there."""
    chosen, dropped = choose(entries(folder), frozenset(junit), limits)
    wanted = {f"{folder.name}/{entry.path}": entry for entry in chosen}
    copies = _copies(folder.name, chosen, junit)
    stored = _put_all(folder, copies | wanted, storage, seconds)
    kept = [entry for target, entry in wanted.items() if stored.get(target) == ""]
    for target, entry in wanted.items():
        if why := stored.get(target, f"not stored within {seconds:g}s"):
            dropped.add(entry, why)
    if len(kept) == len(chosen):
        remove(folder)
    return Kept(kept, dropped)


def _put_all(folder: Path, wanted: Mapping[str, Entry], storage: Storage, seconds: float) -> dict[str, str]:
    """Put files where they are wanted; returns for each that was tried why it could not be ("" if it was)."""
    refusals = _Refusals()

    def put(target: str, entry: Entry) -> str:
        if refusals.hopeless:
            return "not stored"
        try:
            with open_below(folder, entry.path) as content:
                storage.put(target, content, entry.size)
        except Exception as error:  # noqa: BLE001 - of whatever library knows the URL
            print(f"{entry.path} could not be stored: {_PASSWORD.sub('//', repr(error))[:500]}")
            refusals.count()
            return f"not stored ({type(error).__name__})"
        refusals.over()
        return ""

    pool = ThreadPoolExecutor(_PARALLEL)
    waiting = {pool.submit(put, target, entry): target for target, entry in wanted.items()}
    stored: dict[str, str] = {}
    with contextlib.suppress(TimeoutError):
        for done in as_completed(waiting, seconds):
            stored[waiting[done]] = done.result()
    pool.shutdown(wait=False, cancel_futures=True)
    return stored


class _Refusals:
    """Counts what a storage refused before it took anything: where nothing gets through, nothing will."""

    def __init__(self) -> None:
        self._refused = 0
        self._taken = False
        self._lock = threading.Lock()

    @property
    def hopeless(self) -> bool:
        """Whether there is no point in asking once more."""
        return self._refused >= _TRIED and not self._taken

    def count(self) -> None:
        """Remember one more refusal."""
        with self._lock:
            self._refused += 1

    def over(self) -> None:
        """Remember that something got through."""
        self._taken = True


def _copies(step: str, kept: Collection[Entry], junit: Sequence[str]) -> dict[str, Entry]:
    """Return which files are kept once more as `junit_STEP.xml` and so on, by those names."""
    entry_of = {entry.path: entry for entry in kept}
    copied = [entry_of[path] for path in junit if path in entry_of][:MAX_JUNIT_COPIES]
    return {junit_name(step, number): entry for number, entry in enumerate(copied, 1)}


def main(argv: Sequence[str] | None = None) -> int:
    """Keep what a step left; returns the exit code."""
    speak_plainly()
    args = _parser().parse_args(argv)
    limits = Limits.of(os.environ)
    if args.dryrun:
        kept, dropped = choose(entries(args.folder), (), limits)
        for entry in kept:
            print(f"would keep: {entry.path} ({in_words(entry.size)})")
        _tell(dropped)
        return 0
    junit = _junit(args.summary)
    try:
        if not args.url:
            result = keep_here(args.folder, junit, limits)
        else:
            storage = RemoteStorage(args.url, args.path)
            if args.replace:
                storage.clear(args.folder.name)
            result = upload(args.folder, junit, limits, storage, args.seconds)
    except Exception as error:  # noqa: BLE001 - of whatever library knows the URL
        return fail(f"nothing was stored ({type(error).__name__}): {_PASSWORD.sub('//', str(error))[:500]}")
    _tell(result.dropped)
    if args.output:
        args.output.write_text(json.dumps(result.told()), encoding="utf-8")
    return 0


def _tell(dropped: Dropped) -> None:
    if dropped.counts:
        print(f"not kept: {dropped}")
    for line in dropped.named:
        print(f"  {line}")


def _junit(summary: Path | None) -> list[str]:
    """Return the paths of JUnit files from what steps.junit wrote."""
    try:
        files = json.loads(summary.read_text(encoding="utf-8"))["files"] if summary else []
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [path for path in files if isinstance(path, str)] if isinstance(files, list) else []


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m steps.artifacts", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("keep", help="keep a step's artifacts")
    command.add_argument("--folder", type=Path, required=True, help="its $ARTIFACTS, named after the step")
    command.add_argument(
        "--url",
        default=os.environ.get("PREFLIGHT_ARTIFACTS_URL", ""),
        help="where to put them (default: $PREFLIGHT_ARTIFACTS_URL, which others can't read off a list of "
        "processes); without one they stay",
    )
    command.add_argument("--path", default="artifacts", help="the run's artifacts folder below the URL")
    command.add_argument("--replace", action="store_true", help="remove what an earlier try left there")
    command.add_argument("--summary", type=Path, metavar="FILE", help="of steps.junit: its files go first")
    command.add_argument("--seconds", type=float, default=300, help="stop after that long")
    command.add_argument("--output", type=Path, metavar="FILE", help="write there what was kept, as JSON")
    command.add_argument("--dryrun", action="store_true", help="print what would be kept, and touch nothing")
    return parser


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)  # a storage that hangs must not keep us
