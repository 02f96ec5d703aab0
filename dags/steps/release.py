"""What is tested: the pull request merged into its base, or a branch's commit, which holds its base already.

python -m steps.release clone --url=URL --base=SHA --head=SHA --archive=FILE

Exit codes: 0 done, 75 the remote can't be reached now (try again), others final.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from steps import archive
from steps.arguments import number, ref, sha, url
from steps.command_line import EX_TEMPFAIL, Parser, fail, hand_on, speak_plainly
from steps.git import Git, GitError, RefusedError, RemoteError
from steps.process import end_with_parent
from steps.workspace import workspace

_DEPTHS = (50, 1000)
_SHOWN_FILES = 20
_RESULT = {"commit": "HEAD", "tree": "HEAD^{tree}"}


class CloneError(Exception):
    """The merged tree can't be made, and trying again would not help."""


def clone(args: argparse.Namespace, git: Git) -> dict[str, str]:
    """Fetch base and head, merge head into base; returns what was made. A head that holds base stays."""
    git.run("init", "--quiet", "--template=", ".")
    for setting in (f"remote.origin.url={args.url}", "core.checkStat=minimal", "core.trustctime=false"):
        git.run("config", "--local", *setting.split("=", 1))
    _fetch(args, git)
    if args.base_ref:
        git.run("update-ref", "--end-of-options", f"refs/remotes/origin/{args.base_ref}", args.base)
    git.run("checkout", "--quiet", "--detach", args.base, "--")
    _merge(args, git)
    return {
        "commit": git.run("rev-parse", "HEAD").strip(),
        "tree": git.run("rev-parse", "HEAD^{tree}").strip(),
    }


def _fetch(args: argparse.Namespace, git: Git) -> None:
    """Fetch the two commits with as much history as their merge needs."""
    try:
        for depth in _DEPTHS:
            git.fetch(f"--depth={depth}", "origin", args.base, args.head)
            if args.dryrun or _history_suffices(args, git):
                return
        git.fetch("--unshallow", "origin", args.base, args.head)
    except RefusedError:
        print("The remote doesn't give commits by their SHA: fetching the branches instead.")
        _fetch_by_name(args, git)


def _fetch_by_name(args: argparse.Namespace, git: Git) -> None:
    refs = [f"refs/heads/{args.base_ref}" if args.base_ref else "HEAD"]
    if args.pull:
        refs.append(f"refs/pull/{args.pull}/head")
    try:
        git.fetch("origin", *refs)
        _check_present(args, git)
    except RefusedError as error:
        # A commit pushed a moment ago can be missing on one of the remote's mirrors: worth another try.
        raise RemoteError(
            f"the remote has neither branch nor pull request that holds {args.base[:12]} and {args.head[:12]}"
            f" (git says: {error})"
        ) from None


def _check_present(args: argparse.Namespace, git: Git) -> None:
    for commit in (args.base, args.head):
        try:
            git.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError as error:
            raise RefusedError(str(error)) from None


def _history_suffices(args: argparse.Namespace, git: Git) -> bool:
    """Whether a shallow history has all that the merge looks at: no cut before the merge base."""
    cut = {*_lines(git.folder / ".git" / "shallow")}
    if not cut:
        return True
    return cut.isdisjoint(git.run("rev-list", f"{args.base}...{args.head}", "--").split())


def _merge(args: argparse.Namespace, git: Git) -> None:
    dates = git.run("show", "--no-patch", "--format=%ct", args.base, args.head, "--").split()
    git.date(max((int(date) for date in dates), default=0))
    message = f"Merge {args.head[:12]} into {args.base[:12]}"
    try:
        git.run("merge", "--quiet", "--ff", "--no-edit", "--no-stat", "--no-verify", "-m", message, args.head)
    except GitError as error:
        files = sorted(filter(None, git.run("diff", "--name-only", "--diff-filter=U", "-z").split("\0")))
        if not files:
            raise CloneError(f"can't merge {args.head[:12]} into {args.base[:12]}: {error}") from None
        names = ", ".join(_printable(file) for file in files[:_SHOWN_FILES])
        more = f" and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
        raise CloneError(f"merge conflict in {names}{more}") from None


def _clone_once(args: argparse.Namespace) -> dict[str, str]:
    """Make the archive, unless this run has it already (a retry, or a run that is resumed)."""
    wanted = {"preflight.url": args.url, "preflight.base": args.base, "preflight.head": args.head}
    made = archive.labels_of(args.archive)
    if wanted.items() <= made.items():
        os.utime(args.archive)
        print(f"Reusing {args.archive}, made before from the same commits.")
        return {"commit": made.get("preflight.commit", ""), "tree": made.get("preflight.tree", "")}
    with workspace() as folder:
        result = clone(args, Git(folder))
        labels = wanted | {f"preflight.{key}": value for key, value in result.items()}
        archive.pack(folder, args.archive, labels)
    size = args.archive.stat().st_size
    print(f"Merged {args.head} into {args.base}: commit {result['commit']}, {size:,} bytes in {args.archive}")
    return result


def _show(args: argparse.Namespace, git: Git) -> None:
    print("# in a fresh folder, removed at the end:")
    clone(args, git)
    print(f"# then the tree is packed as {args.archive}")
    print(f"# environment: {' '.join(sorted(git.environment(os.environ)))}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    speak_plainly()
    args = _parser().parse_args(argv)
    end_with_parent(os.environ)
    if args.dryrun:
        _show(args, Git(Path(), dryrun=True))
        return 0
    try:
        hand_on(_clone_once(args))
        if args.prune:
            print(f"Removed {archive.prune(args.prune)} archives older than {archive.KEPT_DAYS} days.")
    except RemoteError as error:
        return fail(f"can't fetch: {error}", EX_TEMPFAIL)
    except (CloneError, GitError, OSError) as error:
        return fail(str(error))
    return 0


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="ascii").split() if file.exists() else []


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m steps.release", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("clone", help="merge a pull request into its base and pack the tree")
    command.add_argument("--url", type=url, required=True, help="http(s) URL of the base repository")
    command.add_argument(
        "--base", type=sha, required=True, help="SHA of the base branch's tip; of a pushed branch, the head"
    )
    command.add_argument("--head", type=sha, required=True, help="SHA of the pull request's or branch's head")
    command.add_argument("--base-ref", type=ref, help="the base branch, shown to tools as origin/NAME")
    command.add_argument("--pull", type=number, help="number of the pull request, if SHAs are refused")
    command.add_argument("--archive", type=Path, required=True, help="where the packed tree goes")
    command.add_argument("--prune", type=Path, help="folder to remove archives of old runs from")
    command.add_argument("--dryrun", action="store_true", help="print the git commands and run none")
    return parser


if __name__ == "__main__":
    sys.exit(main())
