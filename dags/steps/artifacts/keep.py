"""Keeps what a step left in $ARTIFACTS, within limits, and says what it dropped.

Without a URL the files stay where they are; with one (a folder's path, or what fsspec knows: s3://, gs://,
abfs:// ...) they are put below URL/PATH/STEP, and FOLDER is emptied.
"""

import argparse
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from steps.artifacts.send import send, without_password
from steps.errors import StepFailed
from steps.folders import Entry, entries, sweep
from steps.layout import junit_name
from steps.limits import Dropped, Limits, choose, in_words
from steps.program import CommandOf, Step
from steps.storage import LocalStorage, RemoteStorage, Storage
from steps.workspace import remove

MAX_JUNIT_COPIES = 100
_HERE_SECONDS = 60


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
    send(folder, _copies(folder.name, kept, junit), LocalStorage(folder.parent), _HERE_SECONDS)
    return Kept(kept, dropped)


def move(folder: Path, junit: Sequence[str], limits: Limits, storage: Storage, seconds: float) -> Kept:
    """Put into `storage` what is kept, as far as time allows; remove `folder` if all is there."""
    chosen, dropped = choose(entries(folder), frozenset(junit), limits)
    wanted = {f"{folder.name}/{entry.path}": entry for entry in chosen}
    copies = _copies(folder.name, chosen, junit)
    stored = send(folder, copies | wanted, storage, seconds)
    kept = [entry for target, entry in wanted.items() if stored.get(target) == ""]
    for target, entry in wanted.items():
        if why := stored.get(target, f"not stored within {seconds:g}s"):
            dropped.add(entry, why)
    if len(kept) == len(chosen):
        remove(folder)
    return Kept(kept, dropped)


def tell(dropped: Dropped) -> None:
    """Print what is not kept, and why."""
    if dropped.counts:
        print(f"not kept: {dropped}")
    for line in dropped.named:
        print(f"  {line}")


def _copies(step: str, kept: Collection[Entry], junit: Sequence[str]) -> dict[str, Entry]:
    """Return which files are kept once more as `junit_STEP.xml` and so on, by those names."""
    entry_of = {entry.path: entry for entry in kept}
    copied = [entry_of[path] for path in junit if path in entry_of][:MAX_JUNIT_COPIES]
    return {junit_name(step, number): entry for number, entry in enumerate(copied, 1)}


def _run(args: argparse.Namespace, step: Step) -> None:
    limits = Limits.of(os.environ)
    if step.dryrun:
        kept, dropped = choose(entries(args.folder), (), limits)
        for entry in kept:
            print(f"would keep: {entry.path} ({in_words(entry.size)})")
        tell(dropped)
        return
    junit = _junit(args.summary)
    try:
        if not args.url:
            result = keep_here(args.folder, junit, limits)
        else:
            storage = RemoteStorage(args.url, args.path)
            if args.replace:
                storage.clear(args.folder.name)
            result = move(args.folder, junit, limits, storage, args.seconds)
    except Exception as error:  # noqa: BLE001 - of whatever library knows the URL
        words = without_password(str(error))
        raise StepFailed(f"nothing was stored ({type(error).__name__}): {words}") from None
    tell(result.dropped)
    if args.output:
        args.output.write_text(json.dumps(result.told()), encoding="utf-8")


def _junit(summary: Path | None) -> list[str]:
    """Return the paths of JUnit files from what steps.junit wrote."""
    try:
        files = json.loads(summary.read_text(encoding="utf-8"))["files"] if summary else []
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [path for path in files if isinstance(path, str)] if isinstance(files, list) else []


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, required=True, help="its $ARTIFACTS, named after the step")
    parser.add_argument(
        "--url",
        default=os.environ.get("PREFLIGHT_ARTIFACTS_URL", ""),
        help="where to put them (default: $PREFLIGHT_ARTIFACTS_URL, which others can't read off a list of "
        "processes); without one they stay",
    )
    parser.add_argument("--path", default="artifacts", help="the run's artifacts folder below the URL")
    parser.add_argument("--replace", action="store_true", help="remove what an earlier try left there")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="of steps.junit: its files go first")
    parser.add_argument("--seconds", type=float, default=300, help="stop after that long")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there what was kept, as JSON")


COMMAND = CommandOf("keep", "keep a step's artifacts", _add_arguments, _run)
