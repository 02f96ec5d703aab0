"""The kinds of clone, as a command line: a pull request, a branch, what passed last."""

import argparse
from pathlib import Path

from steps.arguments import number, ref, sha, url
from steps.errors import StepFailed
from steps.release.request import Request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them; `asked` of the parsed arguments then makes a Request of them."""
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    for name, help_, add, asked in (
        ("pr", "a pull request merged into its base", _add_pull, _pull),
        (
            "postsubmit",
            "a branch's own commit; one that lacks --base is merged into it",
            _add_branch,
            _branch,
        ),
        ("lastgreen", "the commit that passed last", _add_green, _green),
    ):
        kind = kinds.add_parser(name, help=help_, description=help_)
        kind.add_argument("--url", type=url, required=True, help="http(s) URL of the base repository")
        add(kind)
        kind.add_argument("--archive", type=Path, required=True, help="where the packed tree goes")
        kind.add_argument("--prune", type=Path, help="folder to remove archives of old runs from")
        # The program's own options, also where people put them.
        kept, again = argparse.SUPPRESS, "as before KIND"
        kind.add_argument("--dryrun", action="store_true", default=kept, help=again)
        kind.add_argument("--junit_path", type=Path, metavar="FILE", default=kept, help=again)
        kind.set_defaults(asked=asked)


def _add_pull(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pr", type=number, required=True, help="number of the pull request")
    parser.add_argument("--commit", type=sha, help="its head; default: what it is now")
    parser.add_argument(
        "--base", type=sha, help="what it is merged into; default: the tip of the base branch"
    )
    parser.add_argument(
        "--base-ref",
        type=ref,
        help="the base branch, shown to tools as origin/NAME; without it and --base: the default branch",
    )


def _pull(args: argparse.Namespace) -> Request:
    return Request(args.url, args.commit or "", args.base or "", args.base_ref or "", pull=args.pr)


def _add_branch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commit", type=sha, help="what was pushed; default: the branch's tip")
    parser.add_argument(
        "--branch", type=ref, help="shown to tools as origin/NAME; default: the default branch"
    )
    parser.add_argument(
        "--base",
        type=sha,
        help="what the commit builds on, as a merge group does; it needs --commit",
    )


def _branch(args: argparse.Namespace) -> Request:
    if args.base and not args.commit:
        raise StepFailed("--base needs --commit: which commit builds on it?")
    return Request(args.url, args.commit or "", args.base or "", args.branch or "")


def _add_green(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--green",
        required=True,
        metavar="FILE",
        help="a latest_green.json: a path or an fsspec URL such as gs://bucket/logs/OWNER_REPO/PIPELINE/latest_green.json",
    )


def _green(args: argparse.Namespace) -> Request:
    return Request(args.url, green=args.green)
